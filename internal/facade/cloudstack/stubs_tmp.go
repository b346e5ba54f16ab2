package cloudstack

import (
	"net/http"

	"github.com/virga-cloud/virga/api"
)

type metrics struct{}

func newMetrics() *metrics { return nil }

type throttle struct{}

func newThrottle(int) *throttle { return nil }

func (f *Facade) routes() http.Handler       { return http.NotFoundHandler() }
func (f *Facade) integration() http.Handler  { return http.NotFoundHandler() }
func (f *Facade) registerDiscovery(*api.Mux) {}
func (f *Facade) registerUsers(*api.Mux)     {}
func (f *Facade) registerAccounts(*api.Mux)  {}
func (f *Facade) registerDomains(*api.Mux)   {}
func (f *Facade) registerEvents(*api.Mux)    {}
func (f *Facade) registerJobs(*api.Mux)      {}
