package bench

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/remote"
)

// Report is what was measured. Times are in milliseconds and of what succeeded.
type Report struct {
	Workload    string        `json:"workload"`
	Clients     int           `json:"clients"`
	Seconds     float64       `json:"seconds"` // in all, with the warm-up
	Interrupted bool          `json:"interrupted"`
	Rows        []Row         `json:"rows"`
	Skipped     []Failure     `json:"skipped,omitempty"` // what could not be measured
	Setting     *MachinesUsed `json:"machines,omitempty"`
}

// Row is one kind of call.
type Row struct {
	Name   string    `json:"name"`
	Count  int       `json:"count"`  // what succeeded
	Errors int       `json:"errors"` // what failed
	Rate   float64   `json:"rate"`   // of what succeeded, in a second
	P50    float64   `json:"p50"`
	P90    float64   `json:"p90"`
	P99    float64   `json:"p99"`
	Max    float64   `json:"max"`
	Failed []Failure `json:"failed,omitempty"` // the errors that were met most often
}

// Failure is an error, of whom, and how often it was met.
type Failure struct {
	Name  string `json:"name,omitempty"`
	Text  string `json:"text"`
	Count int    `json:"count"`
}

// Errors is how much failed.
func (r *Report) Errors() (n int) {
	for _, row := range r.Rows {
		n += row.Errors
	}
	return n
}

// recorder collects what is measured.
type recorder struct {
	now     func() time.Time
	began   time.Time
	rows    []*row
	skipped []Failure
	used    *MachinesUsed
}

// row collects the times of one kind of call. It may be used by many at once.
type row struct {
	name string
	now  func() time.Time
	took time.Duration // of all together

	mu     sync.Mutex
	times  []time.Duration
	errors map[string]int
	failed int
}

func (r *recorder) row(name string) *row {
	one := &row{name: name, now: r.now, errors: map[string]int{}}
	r.rows = append(r.rows, one)
	return one
}

func (r *recorder) skip(name string, err error) {
	r.skipped = append(r.skipped, Failure{Name: name, Text: short(remote.Text(err)), Count: 1})
}

// time takes the time of a call, and tells whether it succeeded. What an interrupt has cut off counts for nothing.
func (r *row) time(ctx context.Context, call func() error) bool {
	began := r.now()
	err := call()
	took := r.now().Sub(began)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.times = append(r.times, took)
	case ctx.Err() == nil:
		r.failed++
		text := short(remote.Text(err))
		if _, known := r.errors[text]; known || len(r.errors) < errorTexts {
			r.errors[text]++
		}
	}
	return err == nil
}

// What is kept of errors: so many texts that differ, so many of them shown, so many letters of each.
const (
	errorTexts   = 1000
	errorsShown  = 3
	errorLetters = 200
)

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= errorLetters {
		return text
	}
	return string([]rune(text)[:errorLetters]) + "…"
}

func (r *recorder) report(in In) *Report {
	out := &Report{Workload: in.Workload, Clients: in.Clients, Seconds: round(r.now().Sub(r.began).Seconds()),
		Rows: []Row{}, Skipped: r.skipped, Setting: r.used}
	for _, one := range r.rows {
		out.Rows = append(out.Rows, one.summary())
	}
	return out
}

func (r *row) summary() Row {
	slices.Sort(r.times)
	out := Row{Name: r.name, Count: len(r.times), Errors: r.failed, P50: percentile(r.times, 0.50), P90: percentile(r.times, 0.90),
		P99: percentile(r.times, 0.99), Max: percentile(r.times, 1)}
	if r.took > 0 {
		out.Rate = round(float64(out.Count) / r.took.Seconds())
	}
	for text, n := range r.errors {
		out.Failed = append(out.Failed, Failure{Text: text, Count: n})
	}
	slices.SortFunc(out.Failed, func(a, b Failure) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text)) })
	out.Failed = out.Failed[:min(errorsShown, len(out.Failed))]
	return out
}

// percentile is the least of sorted times that a part of them does not exceed, in milliseconds; 0 where there are none.
func percentile(sorted []time.Duration, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	// A hair less, lest 0.99 of 100, which is a hair more than 99 in floating point, became the hundredth.
	at := int(math.Ceil(part*float64(len(sorted)) - 1e-9))
	return round(float64(sorted[min(max(at, 1), len(sorted))-1]) / float64(time.Millisecond))
}

// round keeps as many digits as a measurement has.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

var columns = strings.Fields("name count errors rate p50 p90 p99 max")

func (r Row) cells() []string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return []string{r.Name, strconv.Itoa(r.Count), strconv.Itoa(r.Errors), number(r.Rate), number(r.P50), number(r.P90), number(r.P99), number(r.Max)}
}

// CSV writes a line for each row.
func (r *Report) CSV(w io.Writer) error {
	lines := [][]string{columns}
	for _, row := range r.Rows {
		lines = append(lines, row.cells())
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// Text writes the report for people to read.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d at once, %.1f s", r.Workload, r.Clients, r.Seconds)
	if r.Setting != nil {
		fmt.Fprintf(&b, ", zone %q, template %q, offering %q", r.Setting.Zone, r.Setting.Template, r.Setting.Offering)
	}
	if r.Interrupted {
		b.WriteString(", interrupted")
	}
	width := len(columns[0])
	for _, row := range r.Rows {
		width = max(width, len(row.Name))
	}
	fmt.Fprintf(&b, "\n\n%-*s %8s %8s %10s %10s %10s %10s %10s\n", width, "", "count", "errors", "per s", "p50 ms", "p90 ms", "p99 ms", "max ms")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%-*s %8d %8d %10.1f %10.2f %10.2f %10.2f %10.2f\n", width, row.Name, row.Count, row.Errors, row.Rate,
			row.P50, row.P90, row.P99, row.Max)
	}
	for _, row := range r.Rows {
		for _, f := range row.Failed {
			fmt.Fprintf(&b, "\n%s failed %d times: %s", row.Name, f.Count, f.Text)
		}
	}
	for _, f := range r.Skipped {
		fmt.Fprintf(&b, "\n%s was not measured: %s", f.Name, f.Text)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}
