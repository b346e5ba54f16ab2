package host

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// service is the state of taking a host out of service, or into it again.
type service struct {
	Host uid.Host `json:"host"`
}

// Maintain begins to take a host out of service. Nothing new comes to it from then on; what is on it is moved away by whoever calls
// [Service.Vacated] when that is done, or [Service.Kept] when it can't be.
func (s *Service) Maintain(ctx context.Context, id uid.Host) (op.ID, error) {
	return s.beginService(ctx, s.maintain, id, "prepareHostForMaintenance")
}

// EndMaintenance begins to take a host into service again, wherever on the way out of it that is. What has been moved away does not come
// back by itself.
func (s *Service) EndMaintenance(ctx context.Context, id uid.Host) (op.ID, error) {
	return s.beginService(ctx, s.endMaintenance, id, "cancelHostMaintenance")
}

func (s *Service) beginService(ctx context.Context, runner *op.Runner[service], id uid.Host, command string) (op.ID, error) {
	job, _, err := runner.Start(ctx, op.Request{
		Thing: op.On("host", id), Caller: auth.From(ctx), Command: command, SubjectKind: "Host", SubjectID: string(id),
	}, service{Host: id})
	return job, err
}

func (s *Service) maintainPlan() *op.Plan[service] {
	return op.New[service]("host.maintain").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *service) error {
			h, err := lock(ctx, tx, j.Host)
			if err != nil {
				return err
			}
			if h.ResourceState != Enabled && h.ResourceState != ErrorInMaintenance {
				return fault.Conflictf("host %q is %s; maintenance begins with one that is %s", h.Name, h.ResourceState, Enabled)
			}
			return h.announce(ctx, tx, q, event.HostMaintenance, "preparing for maintenance")
		}, nil).
		Tx("close", func(ctx context.Context, tx db.Tx, j *service) error {
			h, err := lock(ctx, tx, j.Host)
			if err != nil {
				return err
			}
			h.ResourceState = PrepareForMaintenance
			if h.isEmpty() {
				h.ResourceState = Maintenance
			}
			if err := alert.Resolve(ctx, tx, alert.Host, maintained(h.ID)); err != nil {
				return err
			}
			return saveHost(ctx, tx, h)
		}, nil)
}

func (s *Service) endMaintenancePlan() *op.Plan[service] {
	return op.New[service]("host.maintain.end").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *service) error {
			h, err := lock(ctx, tx, j.Host)
			if err != nil {
				return err
			}
			if !h.ResourceState.OutOfService() {
				return fault.Conflictf("host %q is %s, and not in maintenance or on the way there", h.Name, h.ResourceState)
			}
			return h.announce(ctx, tx, q, event.HostMaintenanceCancel, "ending the maintenance of")
		}, nil).
		Tx("open", func(ctx context.Context, tx db.Tx, j *service) error {
			h, err := lock(ctx, tx, j.Host)
			if err != nil {
				return err
			}
			h.ResourceState = Enabled
			if err := alert.Resolve(ctx, tx, alert.Host, maintained(h.ID)); err != nil {
				return err
			}
			return saveHost(ctx, tx, h)
		}, nil)
}

func (h Host) announce(ctx context.Context, tx db.Tx, q *op.Request, kind event.Kind, doing string) (err error) {
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s host %s (%s)", doing, h.Name, h.ID), ResourceID: string(h.ID),
	})
	return err
}

// maintained is what alerts about the maintenance of a host are about: it may be silent besides.
func maintained(id uid.Host) string { return "maintenance of " + string(id) }

// isEmpty tells whether no machine is on the host, or has room there.
func (h Host) isEmpty() bool { return h.CPUUsed == 0 && h.MemoryUsed == 0 }

// OutOfService tells of maintenance and the way there.
func (s ResourceState) OutOfService() bool {
	return s == PrepareForMaintenance || s == ErrorInMaintenance || s == Maintenance
}

// Vacated records that a host which is being prepared for maintenance is free of machines, if it is.
func (s *Service) Vacated(ctx context.Context, id uid.Host) error {
	return s.prepared(ctx, id, func(ctx context.Context, tx db.Tx, h Host) error {
		if !h.isEmpty() {
			return nil
		}
		h.ResourceState = Maintenance
		return saveHost(ctx, tx, h)
	})
}

// few is how many machines an alert names.
const few = 5

// Kept records that some machines can't leave a host which is being prepared for maintenance, each with the reason.
func (s *Service) Kept(ctx context.Context, id uid.Host, machines []string) error {
	more := ""
	if n := len(machines) - few; n > 0 {
		machines, more = machines[:few], fmt.Sprintf("; and %d more", n)
	}
	return s.prepared(ctx, id, func(ctx context.Context, tx db.Tx, h Host) error {
		h.ResourceState = ErrorInMaintenance
		if err := saveHost(ctx, tx, h); err != nil {
			return err
		}
		text := fmt.Sprintf("host %s can't go into maintenance, machines can't leave it: %s%s", h.Name, strings.Join(machines, "; "), more)
		_, err := event.Write(ctx, tx, event.Event{Type: event.HostMaintenance, Level: event.Error, Description: text, ResourceID: string(h.ID)})
		if err != nil {
			return err
		}
		return alert.Raise(ctx, tx, alert.Host, maintained(h.ID), "%s", text)
	})
}

// prepared changes a host that is being prepared for maintenance, and no other.
func (s *Service) prepared(ctx context.Context, id uid.Host, change func(ctx context.Context, tx db.Tx, h Host) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		h, err := lock(ctx, tx, id)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil || h.ResourceState != PrepareForMaintenance {
			return err
		}
		return change(ctx, tx, h)
	})
}
