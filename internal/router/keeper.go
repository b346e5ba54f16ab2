package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// batch bounds how many routers of each kind one round looks after.
const batch = 256

// Round sees to it that routers converge though nobody waits for them: it makes those that persistent networks need, moves those
// whose hosts are gone, wakes those that are behind, and ends what they have left elsewhere. It is a keeper's.
func (s *Service) Round(ctx context.Context) error {
	return errors.Join(s.makeMissing(ctx), s.moveLost(ctx), s.wakeBehind(ctx), s.clean(ctx))
}

// makeMissing makes the routers of networks that were implemented though no machine has started there.
func (s *Service) makeMissing(ctx context.Context) error {
	ids, err := withoutRouter(ctx, s.db.Read(), batch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.make(ctx, id, ""); err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Unavailable) {
			return fmt.Errorf("make the router of network %s: %w", id, err)
		}
	}
	return nil
}

// make makes a network's router where there is none: the one that serves machines on a host, or ("") that of a network with one router.
func (s *Service) make(ctx context.Context, id uid.Network, on uid.Host) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := network.Lock(ctx, tx, auth.Scope{All: true}, id)
		if err != nil || !n.Carries() {
			return err
		}
		pod := uid.Pod("")
		if n.PerPod {
			if pod, err = podOf(ctx, tx, on); err != nil {
				return err
			}
		}
		at, err := s.somewhere(ctx, tx, n.Zone, pod, "")
		if err != nil {
			return err
		}
		_, err = s.ensure(ctx, tx, n, at)
		return err
	})
}

// moveLost moves routers away from hosts that are down, gone or out of service for maintenance. What they left there is ended when the host is back.
func (s *Service) moveLost(ctx context.Context) error {
	lost, err := onLostHosts(ctx, s.db.Read(), batch)
	if err != nil {
		return err
	}
	for _, r := range lost {
		at, err := s.somewhere(ctx, s.db.Read(), r.Zone, r.Pod, r.Host)
		if fault.Is(err, fault.Unavailable) {
			continue // there is no other host
		}
		if err != nil {
			return err
		}
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.move(ctx, tx, r, at) }); err != nil {
			return fmt.Errorf("move router %s: %w", r.Name, err)
		}
	}
	return nil
}

// Leave moves the routers of a host that has been removed, and everything on it with it. Where there is no other host for one now, it
// waits for [Service.Round].
func (s *Service) Leave(ctx context.Context, tx db.Tx, on uid.Host) error {
	there, err := onHost(ctx, tx, on)
	if err != nil {
		return err
	}
	for _, r := range there {
		at, err := s.somewhere(ctx, tx, r.Zone, r.Pod, on)
		switch {
		case fault.Is(err, fault.Unavailable):
			err = setAgain(ctx, tx, r.ID)
		case err == nil:
			err = s.move(ctx, tx, r, at)
		}
		if err != nil {
			return fmt.Errorf("move router %s from host %s: %w", r.Name, on, err)
		}
	}
	return nil
}

func (s *Service) move(ctx context.Context, tx db.Tx, r Router, to Place) error {
	now, err := lock(ctx, tx, auth.Scope{All: true}, r.ID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || now.Host != r.Host || !now.State.wanted() {
		return err
	}
	if err := leave(ctx, tx, r.ID, r.Host); err != nil {
		return err
	}
	if err := place(ctx, tx, r.ID, to, Starting); err != nil {
		return err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.RouterHA, Description: fmt.Sprintf("moved virtual router %s (%s) from host %s, which is out of service, to host %s", r.Name,
			r.ID, r.Host, to.Host),
		Account: r.Account, Domain: r.Domain, ResourceID: string(r.ID), Level: event.Warn,
	})
	return err
}

func (s *Service) wakeBehind(ctx context.Context) error {
	sites, err := behind(ctx, s.db.Read(), batch)
	if err != nil {
		return err
	}
	var failed []error
	for _, at := range sites {
		if !s.crew.Wake(at) { // nobody works here but the keeper
			failed = append(failed, s.apply(ctx, at))
		}
	}
	return errors.Join(failed...)
}

// clean ends what moved routers have left on hosts that answer again.
func (s *Service) clean(ctx context.Context) error {
	left, err := leftovers(ctx, s.db.Read(), batch)
	if err != nil {
		return err
	}
	for _, one := range left {
		if !one.Gone {
			err := s.drop(ctx, Router{ID: one.Router, Host: one.Host, Hypervisor: one.Hypervisor})
			if fault.Is(err, fault.Unavailable) {
				continue
			}
			if err != nil {
				return err
			}
		}
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return cleaned(ctx, tx, one) }); err != nil {
			return err
		}
	}
	return nil
}

// leftover is a router on a host that it was moved away from.
type leftover struct {
	Router     uid.Router `bun:"router_id"`
	Host       uid.Host   `bun:"host_id"`
	Hypervisor string
	Gone       bool // the host is removed
}
