package host

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// probing is the state of reconnecting a host.
type probing struct {
	Host   uid.Host `json:"host"`
	Report report   `json:"report,omitzero"`
	Local  int64    `json:"local,omitempty"` // bytes of its own storage
}

// Reconnect begins to ask a host anew whether it is there, and what it has.
func (s *Service) Reconnect(ctx context.Context, id uid.Host) (op.ID, error) {
	job, _, err := s.reconnect.Start(ctx, op.Request{
		Thing: op.On("host", id), Caller: auth.From(ctx), Command: "reconnectHost", SubjectKind: "Host", SubjectID: string(id),
	}, probing{Host: id})
	return job, err
}

func (s *Service) reconnectPlan() *op.Plan[probing] {
	return op.New[probing]("host.reconnect").Refuses().
		Accept(s.beginReconnect, s.away).
		Do("probe", s.probe, nil).
		Tx("finish", s.back, nil)
}

func (s *Service) beginReconnect(ctx context.Context, tx db.Tx, q *op.Request, p *probing) error {
	h, err := lock(ctx, tx, p.Host)
	if err != nil {
		return err
	}
	c, err := zone.FindCluster(ctx, tx, h.Cluster)
	switch {
	case err != nil:
		return err
	case c.Managed != zone.Managed:
		return fault.Conflictf("host %q is in cluster %q, which is %s: its hosts are left alone", h.Name, c.Name, c.Managed)
	}
	if _, err := s.drivers.Find(h.Hypervisor); err != nil {
		return err
	}
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.HostReconnect, State: event.Scheduled, Description: fmt.Sprintf("reconnecting host %s (%s)", h.Name, h.ID),
		ResourceID: string(h.ID),
	})
	if err != nil {
		return err
	}
	h.State = Connecting
	return saveHost(ctx, tx, h)
}

// away records that the host did not answer; the health rounds go on asking.
func (s *Service) away(ctx context.Context, tx db.Tx, p *probing) error {
	h, err := lock(ctx, tx, p.Host)
	if err != nil {
		return err
	}
	h.State = Alert
	h.Unsure++
	if h.Lost.IsZero() {
		h.Lost = tx.Now
	}
	return saveHost(ctx, tx, h)
}

// probe asks once: who reconnects a host wants to know now, and may ask again.
func (s *Service) probe(ctx context.Context, p *probing) error {
	h, driver, err := s.driven(ctx, p.Host)
	if err != nil {
		return err
	}
	r, err := driver.Probe(ctx, h.ID)
	if err != nil {
		return err
	}
	p.Report = reported(r)
	p.Local, err = s.localBytes(ctx, driver, h)
	return err
}

func (s *Service) back(ctx context.Context, tx db.Tx, p *probing) error {
	h, err := lock(ctx, tx, p.Host)
	if err != nil {
		return err
	}
	c, err := zone.FindCluster(ctx, tx, h.Cluster)
	if err != nil {
		return err
	}
	h.learn(p.Report, c.CPUOvercommit, c.MemoryOvercommit)
	h.State, h.LastSeen, h.Lost = Up, tx.Now, time.Time{}
	h.Unsure++
	if err := saveHost(ctx, tx, h); err != nil || p.Local == 0 {
		return err
	}
	return s.local.AddLocal(ctx, tx, h, h.localURL(), p.Local)
}
