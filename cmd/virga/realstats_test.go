package main_test

import (
	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/uid"
)

// measured has the cloud look often at what is used, so that nobody need wait for it.
func (r *realHosts) measured() {
	r.t.Helper()
	for name, value := range map[string]string{"vm.stats.interval": "1000", "host.stats.interval": "1000", "router.stats.interval": "1"} {
		_, err := api.Do(r.t.Context(), r.client, cs.UpdateConfiguration, cs.UpdateConfigurationIn{Name: name, Value: value})
		must(r.t, err)
	}
}

// uses waits until what a machine that is reached by a port forward uses is in the lists, and what its host and account do.
func (r *realHosts) uses(vm uid.VM, on uid.Host) {
	r.t.Helper()
	ctx := r.t.Context()
	some := func(n *int64) bool { return n != nil && *n > 0 }
	var last any
	defer func() {
		if r.t.Failed() {
			r.t.Logf("last shown: %+v", last)
		}
	}()
	r.p.until("what the machine uses", func() bool {
		list, err := api.Fetch(ctx, r.client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm, Details: []string{"stats"}})
		s := only(r.t, list, err).Stats
		last = s
		return s.CPUUsed != "" && s.CPUUsed != "0%" && some(s.MemoryKBs) && some(s.NetworkKBsRead) && some(s.NetworkKBsWrite) &&
			some(s.DiskKBsRead) && some(s.DiskIORead)
	})
	r.p.until("how busy its host is", func() bool {
		list, err := api.Fetch(ctx, r.client, cs.ListHosts, cs.ListHostsIn{ID: on})
		s := only(r.t, list, err).HostStats
		last = s
		return s.CPUUsed != "" && s.CPULoad != nil && some(s.MemoryUsed) && s.NetworkIn != nil && s.NetworkOut != nil
	})
	r.p.until("what went by its account's addresses", func() bool {
		list, err := api.Fetch(ctx, r.client, cs.ListAccounts, cs.ListAccountsIn{Name: "admin"})
		a := only(r.t, list, err)
		last = a
		return some(a.SentBytes) && some(a.ReceivedBytes)
	})
}
