package hypervisortest

import (
	"context"
	"slices"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// router describes a new router of one isolated network, with a guest, and all that can be done with its public addresses.
func (b *bench) router() hypervisor.Router {
	network := uid.New[uid.Network]()
	return hypervisor.Router{
		ID: uid.New[uid.Router](), Name: "r-7-VM", Version: 3,
		Segments: []hypervisor.RouterSegment{{
			Network: network, VLAN: 700, Gateway: "10.211.0.1/24", Search: "guests.example.org", DNS: []string{"192.0.2.53"},
			Serves: hypervisor.Services{DHCP: true, DNS: true, UserData: true},
			Guests: []hypervisor.RouterGuest{{
				NIC: uid.New[uid.NIC](), VM: uid.New[uid.VM](), MAC: "02:00:00:00:00:07", IP: "10.211.0.7", Name: "one", Default: true,
				UserData: []byte("#!/bin/sh\n"), Meta: map[string]string{"local-hostname": "one"},
			}},
			Egress: []hypervisor.Match{{Protocol: "tcp", From: 80, To: 80, Sources: []string{"10.211.0.0/24"}}},
		}},
		Uplink: []hypervisor.RouterAddress{{
			ID: uid.New[uid.PublicIP](), IP: "192.0.2.17/24", Gateway: "192.0.2.1", Network: network, SourceNAT: true,
			Ingress:  []hypervisor.Match{{Protocol: "tcp", From: 22, To: 22, Sources: []string{"198.51.100.0/24"}}},
			Forwards: []hypervisor.Forward{{Protocol: "tcp", From: 2222, To: 2222, GuestIP: "10.211.0.7", Guest: 22}},
		}},
	}
}

func testRouter(t *testing.T, b *bench) {
	n, ok := b.Driver.(hypervisor.Networker)
	if !ok {
		t.Skip("needs a driver whose hosts run virtual routers")
	}
	r := b.router()
	b.ok(n.DropRouter(b.ctx(), b.host, r.ID)) // absent
	b.routers(n, b.host)
	b.ok(n.ApplyRouter(b.ctx(), b.host, r))
	b.ok(n.ApplyRouter(b.ctx(), b.host, r))
	b.routers(n, b.host, r)
	counter := able[hypervisor.RouterCounter](b)
	_, err := counter.CountRouter(b.ctx(), b.host, r.ID)
	b.ok(err)
	if none, err := counter.CountRouter(b.ctx(), b.host, uid.New[uid.Router]()); err != nil || len(none) > 0 {
		t.Errorf("by a router that is not there went %v, %v", none, err)
	}

	newer := r
	newer.Version, newer.Segments = 5, []hypervisor.RouterSegment{r.Segments[0]}
	newer.Segments[0].Guests = nil
	b.ok(n.ApplyRouter(b.ctx(), b.host, newer))
	b.ok(n.ApplyRouter(b.ctx(), b.host, r)) // came late
	b.routers(n, b.host, newer)

	again := b.Reopen(t)
	b.ok(again.Recover(b.ctx()))
	n = again.(hypervisor.Networker)
	b.routers(n, b.host, newer)

	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	b.cancelled(n.ApplyRouter(ctx, b.host, r))
	b.cancelled(n.DropRouter(ctx, b.host, r.ID))
	_, err = n.Routers(ctx, b.host)
	b.cancelled(err)
	nowhere := uid.New[uid.Host]()
	b.fails(n.ApplyRouter(b.ctx(), nowhere, r), fault.Unavailable)
	b.fails(n.DropRouter(b.ctx(), nowhere, r.ID), fault.Unavailable)
	_, err = n.Routers(b.ctx(), nowhere)
	b.fails(err, fault.Unavailable)
	_, err = n.(hypervisor.RouterCounter).CountRouter(b.ctx(), nowhere, r.ID)
	b.fails(err, fault.Unavailable)

	b.changes(n, r)
	b.ok(n.DropRouter(b.ctx(), b.host, r.ID))
	b.ok(n.DropRouter(b.ctx(), b.host, r.ID))
	b.routers(n, b.host)
	b.ok(n.ApplyRouter(b.ctx(), b.host, r)) // what was dropped has had no version
	b.routers(n, b.host, r)
	b.ok(n.DropRouter(b.ctx(), b.host, r.ID))
}

// changes gives a router with version 5 documents of changes.
func (b *bench) changes(n hypervisor.Networker, r hypervisor.Router) {
	b.t.Helper()
	told := func(since, version int64, gone []uid.NIC, guests ...hypervisor.RouterGuest) hypervisor.Router {
		r.Version, r.Since, r.Gone, r.Segments = version, since, gone, []hypervisor.RouterSegment{r.Segments[0]}
		r.Segments[0].Guests = guests
		return r
	}
	guest := func(last string) hypervisor.RouterGuest {
		return hypervisor.RouterGuest{
			NIC: uid.New[uid.NIC](), VM: uid.New[uid.VM](), MAC: "02:00:00:00:01:" + last, IP: "10.211.0.1" + last, Name: "guest" + last, Default: true,
		}
	}
	one, two, three := guest("11"), guest("12"), guest("13")
	newest := told(5, 7, nil, one, two)
	b.ok(n.ApplyRouter(b.ctx(), b.host, newest))
	b.routers(n, b.host, newest)
	b.fails(n.ApplyRouter(b.ctx(), b.host, told(8, 9, nil, three)), fault.Conflict) // it has not got 8
	b.routers(n, b.host, newest)
	b.ok(n.ApplyRouter(b.ctx(), b.host, told(5, 6, nil, three))) // came late
	b.routers(n, b.host, newest)
	two.Name = "renamed"
	newest = told(6, 9, []uid.NIC{one.NIC, uid.New[uid.NIC]()}, two, three) // of what is newer than 6 some is known already
	b.ok(n.ApplyRouter(b.ctx(), b.host, newest))
	b.routers(n, b.host, newest)
	reports, err := n.Routers(b.ctx(), b.host)
	b.ok(err)
	var counted []string
	for _, c := range reports[0].Counts {
		if c.Network != "" {
			counted = append(counted, c.IP)
		}
	}
	if len(counted) > 0 && !slices.Equal(counted, []string{two.IP, three.IP}) { // simulated hosts count nothing
		b.t.Errorf("the guests %v are counted, want %s and %s", counted, two.IP, three.IP)
	}
	b.ok(n.DropRouter(b.ctx(), b.host, r.ID))
	b.fails(n.ApplyRouter(b.ctx(), b.host, told(9, 10, nil, one)), fault.Conflict) // it is not there
	b.routers(n, b.host)
}

// routers wants these routers on a host, with these versions, and all of their parts running.
func (b *bench) routers(n hypervisor.Networker, host uid.Host, want ...hypervisor.Router) {
	b.t.Helper()
	got, err := n.Routers(b.ctx(), host)
	b.ok(err)
	if len(got) != len(want) {
		b.t.Fatalf("host %s has the routers %+v, want %d", host, got, len(want))
	}
	for i, r := range want {
		if got[i].Router != r.ID || got[i].Version != r.Version || len(got[i].Parts) == 0 {
			b.t.Fatalf("router %d is %+v, want version %d of %s with its parts", i, got[i], r.Version, r.ID)
		}
		for _, p := range got[i].Parts {
			if !p.Running {
				b.t.Errorf("%s of router %s does not run: %s", p.Name, r.ID, p.Detail)
			}
		}
	}
}
