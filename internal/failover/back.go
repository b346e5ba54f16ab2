package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Machines end without their hosts' having been away, too: so many of the others are asked so often.
const (
	sweepEvery  = 10 * time.Second
	sweepAtOnce = 100
)

// settle asks hosts that are back what runs there, and every so often some of the others, and makes that and what is believed agree.
func (s *Service) settle(ctx context.Context) error {
	ask, err := host.Unsure(ctx, s.db.Read())
	if err != nil {
		return err
	}
	if now := s.db.Now(); now.Sub(s.swept) >= sweepEvery || now.Before(s.swept) {
		more, err := host.Busy(ctx, s.db.Read(), s.last, sweepAtOnce)
		if err != nil {
			return err
		}
		if s.swept, s.last = now, ""; len(more) == sweepAtOnce {
			s.last = more[len(more)-1].ID
		}
		ask = append(ask, more...)
	}
	failed := make([]error, len(ask))
	var all sync.WaitGroup
	for i, h := range ask {
		all.Go(func() {
			err := s.settleOne(ctx, h)
			if fault.Is(err, fault.Unavailable) || errors.Is(err, context.DeadlineExceeded) {
				return // it is gone again, and its health says so
			}
			if err != nil {
				failed[i] = fmt.Errorf("find out what runs on host %s: %w", h.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func (s *Service) settleOne(ctx context.Context, h host.Host) error {
	driver, err := s.hosts.Driver(h.Hypervisor)
	if err != nil {
		return err
	}
	running, err := s.running(ctx, h.ID) // before the host is asked: see [compute.Finding]
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	guests, err := driver.Guests(wait, h.ID)
	if err != nil {
		return err
	}
	var found []compute.Finding
	for _, vm := range running {
		if !slices.ContainsFunc(guests, func(g hypervisor.Guest) bool { return g.VM == vm.ID && (g.Running || g.Arriving) }) {
			found = append(found, compute.Finding{VM: vm.ID, Host: h.ID, Version: vm.Version, Answers: true,
				Why: fmt.Sprintf("host %s is there, and it does not run", h.Name)})
		}
	}
	strays, strangers, err := s.strays(ctx, driver, h, guests)
	if err != nil {
		return err
	}
	if found = append(found, strays...); len(found) > 0 { // until none is left
		return s.agree(ctx, found)
	}
	if h.Unsure == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := alert.Resolve(ctx, tx, alert.Host, about(h.ID)); err != nil {
			return err
		}
		if len(strangers) > 0 {
			err := alert.Raise(ctx, tx, alert.Host, "strangers on "+string(h.ID), "on host %s there are machines that nobody here "+
				"knows, and that are left alone: %v", h.Name, strangers)
			if err != nil {
				return err
			}
		}
		return host.Sure(ctx, tx, h)
	})
}

// strays gives the machines that are on a host and should not be, and those that are not known at all. One that was removed is ended at once.
func (s *Service) strays(ctx context.Context, driver hypervisor.Driver, h host.Host, guests []hypervisor.Guest) (
	found []compute.Finding, strangers []uid.VM, err error,
) {
	ids := make([]uid.VM, len(guests))
	for i, g := range guests {
		ids[i] = g.VM
	}
	known, err := compute.ByID(ctx, s.db.Read(), ids)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range guests {
		vm, ok := known[g.VM]
		switch {
		case !ok:
			strangers = append(strangers, g.VM)
		case vm.Host == h.ID, vm.ToHost == h.ID:
		case !vm.Removed.IsZero():
			if err := driver.Stop(ctx, h.ID, g.VM, true); err != nil {
				return nil, nil, err
			}
		default:
			found = append(found, compute.Finding{VM: g.VM, Host: h.ID, Version: vm.Version, Answers: true,
				Why: fmt.Sprintf("host %s has it", h.Name)})
		}
	}
	return found, strangers, nil
}

// agree begins to make what was found so. A machine that something is being done with has its turn in a later round.
func (s *Service) agree(ctx context.Context, found []compute.Finding) error {
	var failed []error
	for _, f := range found {
		failed = append(failed, s.end(ctx, f))
	}
	return errors.Join(failed...)
}
