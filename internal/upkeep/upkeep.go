package upkeep

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
)

// Service looks after hosts that are on their way out of service.
type Service struct {
	db       *db.DB
	engine   *op.Engine
	hosts    *host.Service
	machines *compute.Service
}

// New makes a service.
func New(d *db.DB, e *op.Engine, hosts *host.Service, machines *compute.Service) *Service {
	return &Service{d, e, hosts, machines}
}

// atOnce is how many machines leave a host at a time.
const atOnce = 8

// Round moves machines away from hosts that are being prepared for maintenance. A host that none is left on is in maintenance then; one
// with machines that can't be moved is in error, with an alert that names them. It is a keeper's.
func (s *Service) Round(ctx context.Context) error {
	leaving, err := host.Leaving(ctx, s.db.Read())
	if err != nil || len(leaving) == 0 {
		return err
	}
	ctx = auth.With(ctx, auth.System())
	failed := make([]error, len(leaving))
	var all sync.WaitGroup
	for i, h := range leaving {
		all.Go(func() { failed[i] = s.empty(ctx, h) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// empty moves the machines that run on a host, some at a time. Those that something else is being done with have their turn in a later
// round.
func (s *Service) empty(ctx context.Context, h host.Host) error {
	var stay []string
	tried := map[string]bool{}
	for {
		running, _, err := s.machines.List(ctx, compute.Filter{Scope: auth.Scope{All: true}, Host: h.ID, State: compute.Running})
		if err != nil {
			return err
		}
		var next []compute.VM
		for _, vm := range running {
			if !tried[string(vm.ID)] && len(next) < atOnce {
				tried[string(vm.ID)], next = true, append(next, vm)
			}
		}
		if len(next) == 0 {
			break
		}
		kept, err := s.send(ctx, h, next)
		if err != nil {
			return err
		}
		stay = append(stay, kept...)
	}
	if len(stay) > 0 {
		return s.hosts.Kept(ctx, h.ID, stay)
	}
	return s.hosts.Vacated(ctx, h.ID)
}

// send moves some machines, and tells which can't be moved, and why.
func (s *Service) send(ctx context.Context, h host.Host, machines []compute.VM) (stay []string, err error) {
	driver, err := s.hosts.Driver(h.Hypervisor)
	if err != nil {
		return nil, err
	}
	if _, able := driver.(hypervisor.Migrator); !able {
		for _, vm := range machines {
			stay = append(stay, fmt.Sprintf("%s (%s can't move machines that run; stop it)", vm.InstanceName, h.Hypervisor))
		}
		return stay, nil
	}
	jobs := make([]op.ID, len(machines))
	for i, vm := range machines {
		jobs[i], err = s.machines.Vacate(ctx, vm.ID)
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) { // something else is being done with it
			return nil, err
		}
	}
	for i, job := range jobs {
		if job == "" {
			continue
		}
		r, err := s.engine.Wait(ctx, job)
		if err != nil {
			return nil, err
		}
		if r.State != op.Done {
			stay = append(stay, fmt.Sprintf("%s (%v)", machines[i].InstanceName, r.Err()))
		}
	}
	return stay, nil
}
