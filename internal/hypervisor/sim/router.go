package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ApplyRouter implements [hypervisor.Networker]. A simulated router is its document.
func (w *World) ApplyRouter(ctx context.Context, host uid.Host, r hypervisor.Router) error {
	one := routed{id: r.ID, version: r.Version, since: r.Since, gone: r.Gone}
	r.Since, r.Gone, r.Segments = 0, nil, slices.Clone(r.Segments)
	for i, s := range r.Segments {
		for _, g := range s.Guests {
			text, err := json.Marshal(g)
			if err != nil {
				return err
			}
			one.guests = append(one.guests, routedGuest{s.Network, g.NIC, text})
		}
		r.Segments[i].Guests = nil
	}
	var err error
	if one.document, err = json.Marshal(r); err != nil {
		return err
	}
	return w.do(ctx, host, hypervisor.CommandApplyRouter, func(t *tx) error { return t.putRouter(host, one) })
}

// DropRouter implements [hypervisor.Networker].
func (w *World) DropRouter(ctx context.Context, host uid.Host, id uid.Router) error {
	return w.do(ctx, host, hypervisor.CommandDropRouter, func(t *tx) error { return t.dropRouter(host, id) })
}

// Happened makes a router's reports say that so many bytes went by its addresses since it was made, and that these guests have fetched
// and saved their passwords. Simulated guests send nothing and fetch nothing by themselves.
func (w *World) Happened(id uid.Router, counts []hypervisor.AddressCounts, saved ...uid.NIC) {
	w.mu.Lock()
	defer w.mu.Unlock()
	says := w.said(id)
	says.Counts, says.Saved = counts, saved
	w.says[id] = says
}

// said is what a router's reports say besides what stands in its document. w.mu is locked.
func (w *World) said(id uid.Router) hypervisor.RouterReport {
	if w.says == nil {
		w.says = map[uid.Router]hypervisor.RouterReport{}
	}
	return w.says[id]
}

// Broke makes a router's reports say of some of its services that they do not run, and why, until it is called again.
func (w *World) Broke(id uid.Router, why map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	says := w.said(id)
	says.Parts = nil
	for name, detail := range why {
		says.Parts = append(says.Parts, hypervisor.RouterPart{Name: name, Detail: detail})
	}
	w.says[id] = says
}

// Routers implements [hypervisor.Networker]. All that a document asks for runs, and nothing has gone by any address that
// [World.Happened] knows nothing of.
func (w *World) Routers(ctx context.Context, host uid.Host) ([]hypervisor.RouterReport, error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandRouters); err != nil {
		return nil, err
	}
	documents, err := w.store.read.routersOn(host)
	if err != nil {
		return nil, err
	}
	out := make([]hypervisor.RouterReport, len(documents))
	for i, d := range documents {
		var r hypervisor.Router
		if err := json.Unmarshal(d, &r); err != nil {
			return nil, err
		}
		out[i] = report(r)
		w.mu.Lock()
		if says, ok := w.says[r.ID]; ok {
			out[i].Saved = says.Saved
			if says.Counts != nil {
				out[i].Counts = says.Counts
			}
			for _, broken := range says.Parts {
				for j := range out[i].Parts {
					if out[i].Parts[j].Name == broken.Name {
						out[i].Parts[j] = broken
					}
				}
			}
		}
		w.mu.Unlock()
	}
	return out, nil
}

// CountRouter implements [hypervisor.RouterCounter].
func (w *World) CountRouter(ctx context.Context, host uid.Host, id uid.Router) ([]hypervisor.AddressCounts, error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandRouters); err != nil {
		return nil, err
	}
	if there, err := w.store.read.hasRouter(host, id); err != nil || !there {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.says[id].Counts, nil
}

// report says of a router that it does all that it should.
func report(r hypervisor.Router) hypervisor.RouterReport {
	out := hypervisor.RouterReport{Router: r.ID, Version: r.Version}
	runs := map[string]bool{"firewall": true}
	for _, s := range r.Segments {
		runs["dhcp"] = runs["dhcp"] || s.Serves.DHCP || s.Serves.DNS
		runs["metadata"] = runs["metadata"] || s.Serves.UserData
	}
	for _, a := range r.Uplink {
		runs["balancer"] = runs["balancer"] || len(a.Balancers) > 0
		out.Counts = append(out.Counts, hypervisor.AddressCounts{IP: a.IP})
	}
	for name, needed := range runs {
		if needed {
			out.Parts = append(out.Parts, hypervisor.RouterPart{Name: name, Running: true})
		}
	}
	slices.SortFunc(out.Parts, func(a, b hypervisor.RouterPart) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Router is the document that a router was given last on a host. It is fault.NotFound when it is not there.
func (w *World) Router(_ context.Context, host uid.Host, id uid.Router) (r hypervisor.Router, err error) {
	document, found, err := w.store.read.router(host, id)
	if err != nil {
		return r, err
	}
	if !found {
		return r, fault.Missing(id)
	}
	if err := json.Unmarshal(document, &r); err != nil {
		return r, err
	}
	guests, err := w.store.read.guestsOf(host, id)
	if err != nil {
		return r, err
	}
	changes := r
	changes.Since, changes.Segments = r.Version, slices.Clone(r.Segments)
	for _, g := range guests {
		var one hypervisor.RouterGuest
		if err := json.Unmarshal(g.guest, &one); err != nil {
			return r, err
		}
		if i := slices.IndexFunc(r.Segments, func(s hypervisor.RouterSegment) bool { return s.Network == g.network }); i >= 0 {
			changes.Segments[i].Guests = append(changes.Segments[i].Guests, one)
		}
	}
	return changes.Over(r)
}
