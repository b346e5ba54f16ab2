package router

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Waiting is a machine's password, as it is kept, until its guest has it.
type Waiting struct {
	VM     uid.VM `bun:"vm_id"`
	Sealed string
}

// Passwords says which passwords wait for guests of a host's routers and need not be kept once these have them, and forgets one.
type Passwords struct {
	Waiting func(ctx context.Context, q db.Tx, on uid.Host) (map[uid.NIC]Waiting, error)
	Forget  func(ctx context.Context, tx db.Tx, id uid.VM, sealed string) (bool, error)
}

// Listen asks hosts how their routers do, and keeps what must outlive these: how many bytes went by which address, and whose guest
// has got its password. It is a keeper's.
func (s *Service) Listen(ctx context.Context) error {
	var failed []error
	for after := uid.Host(""); ; {
		places, err := withRouters(ctx, s.db.Read(), after, batch)
		if err != nil || len(places) == 0 {
			return errors.Join(append(failed, err)...)
		}
		after = places[len(places)-1].Host
		for _, at := range places {
			if err := s.listenTo(ctx, at); err != nil && !fault.Is(err, fault.Unavailable) {
				failed = append(failed, fmt.Errorf("ask host %s how its routers do: %w", at.Host, err))
			}
		}
	}
}

func (s *Service) listenTo(ctx context.Context, at Place) error {
	driver, err := s.networker(at.Hypervisor)
	if err != nil {
		return err
	}
	// A router that has got a document of a revision that was read after the passwords was told of these, or of newer ones.
	waiting, err := s.passwords.Waiting(ctx, s.db.Read(), at.Host)
	if err != nil {
		return err
	}
	here, err := runningOn(ctx, s.db.Read(), at.Host)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, answer)
	reports, err := driver.Routers(within, at.Host)
	cancel()
	if err != nil {
		return err
	}
	for _, r := range reports {
		was, ok := here[r.Router]
		if !ok { // it was moved away, and is about to be ended
			continue
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := note(ctx, tx, at.Host, r); err != nil {
				return err
			}
			_, err := count(ctx, tx, was, r.Counts)
			return err
		})
		if err == nil && r.Version >= was.Revision {
			err = s.forget(ctx, waiting, r.Saved)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forget forgets the passwords that guests have, each by itself: who changes a machine locks that before its routers.
func (s *Service) forget(ctx context.Context, waiting map[uid.NIC]Waiting, saved []uid.NIC) error {
	for _, nic := range saved {
		w, ok := waiting[nic]
		if !ok {
			continue
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := s.passwords.Forget(ctx, tx, w.VM, w.Sealed)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// note keeps what runs of a router, if that is other than it was.
func note(ctx context.Context, tx db.Tx, on uid.Host, r hypervisor.RouterReport) error {
	had, err := find(ctx, tx, r.Router)
	if err != nil || had.Host != on {
		return err
	}
	parts, ailing, same := make([]Part, len(r.Parts)), false, len(r.Parts) == len(had.Parts)
	for i, p := range r.Parts {
		parts[i] = Part{Name: p.Name, Running: p.Running, Detail: p.Detail, Since: tx.Now}
		before := slices.IndexFunc(had.Parts, func(h Part) bool { return h.Name == p.Name && h.Running == p.Running && h.Detail == p.Detail })
		if before >= 0 {
			parts[i].Since = had.Parts[before].Since
		}
		same = same && before >= 0
		ailing = ailing || !p.Running
	}
	if same {
		return nil
	}
	return setParts(ctx, tx, r.Router, parts, ailing)
}
