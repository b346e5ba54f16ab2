package front

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// unknown stands for every command that doesn't exist: labels made of what comes from outside would have no end.
const unknown = "unknown"

// metrics count requests. The only label is the command's name.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	took     *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics() *metrics {
	command := []string{"command"}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "virga_api_requests_total", Help: "Requests answered, by command.",
		}, command),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "virga_api_errors_total", Help: "Requests answered with an error, by command.",
		}, command),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "virga_api_request_duration_seconds", Help: "How long requests took, by command.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, command),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "virga_api_requests_in_flight", Help: "Requests being answered now.",
		}),
	}
	m.registry.MustRegister(m.requests, m.errors, m.took, m.inFlight, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) observe(command string, failed bool, took time.Duration) {
	m.requests.WithLabelValues(command).Inc()
	m.took.WithLabelValues(command).Observe(took.Seconds())
	if failed {
		m.errors.WithLabelValues(command).Inc()
	}
}

// Metrics is where the rest of the house registers what it measures; /metrics shows it all.
func (f *Front) Metrics() prometheus.Registerer { return f.metrics.registry }
