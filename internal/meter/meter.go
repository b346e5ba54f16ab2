package meter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/crew"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

const (
	page   = 1000             // hosts that are read at a time
	atOnce = 32               // of them that are asked at the same time
	answer = 15 * time.Second // in which one answers, or counts as silent
	batch  = 500              // rows that are written in a transaction: others wait for it on SQLite
	// good is for how many periods figures of now are shown after they were measured: as long as two rounds may have failed.
	good = 3
	// apart is how far two looks are apart at least between which a rate is measured.
	apart = time.Second
)

// Hosts are what is asked.
type Hosts interface {
	Driver(hypervisor string) (hypervisor.Driver, error)
}

// Service keeps what is used.
type Service struct {
	db       *db.DB
	hosts    Hosts
	settings *setting.Settings
}

// New makes a service.
func New(d *db.DB, hosts Hosts, settings *setting.Settings) *Service {
	return &Service{d, hosts, settings}
}

// since gives the time from which on what was measured is shown as what is used now; a far one where nothing is measured any more.
func (s *Service) since(period setting.Key[time.Duration]) time.Time {
	every := period.Of(s.settings)
	if every == 0 {
		return s.db.Now().Add(time.Hour)
	}
	return s.db.Now().Add(-good*every - answer)
}

// told is what a host has said, and when.
type told[T any] struct {
	host uid.Host
	at   time.Time
	what T
}

// pages gives hosts of a kind that answer, those that follow one.
type pages func(ctx context.Context, q db.Tx, after uid.Host, limit int) ([]host.Host, error)

// round asks hosts, and has what they say kept, a page of them at a time. Those that do not answer, or whose driver or agent can't tell,
// have nothing kept.
func round[T any](ctx context.Context, s *Service, of pages, ask func(context.Context, hypervisor.Driver, uid.Host) (T, error),
	keep func(ctx context.Context, said []told[T]) error,
) error {
	var failed []error
	for after := uid.Host(""); ; {
		hosts, err := of(ctx, s.db.Read(), after, page)
		if err != nil || len(hosts) == 0 {
			return errors.Join(append(failed, err)...)
		}
		after = hosts[len(hosts)-1].ID
		all, errs := make([]told[T], len(hosts)), make([]error, len(hosts))
		err = crew.Each(ctx, len(hosts), atOnce, func(i int) {
			within, cancel := context.WithTimeout(ctx, answer)
			defer cancel()
			driver, err := s.hosts.Driver(hosts[i].Hypervisor)
			if err == nil {
				all[i].what, err = ask(within, driver, hosts[i].ID)
			}
			all[i].host, all[i].at, errs[i] = hosts[i].ID, s.db.Now(), err
		})
		if err != nil {
			return err
		}
		said := all[:0]
		for i, err := range errs {
			switch {
			case err == nil:
				said = append(said, all[i])
			case !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Conflict) && !errors.Is(err, context.DeadlineExceeded):
				failed = append(failed, fmt.Errorf("ask host %s: %w", hosts[i].Name, err))
			}
		}
		if err := keep(ctx, said); err != nil {
			return err
		}
	}
}

// able gives what a driver can do besides, and is fault.Conflict where it can't.
func able[T any](d hypervisor.Driver) (T, error) {
	can, ok := d.(T)
	if !ok {
		return can, fault.Conflictf("this driver can't tell")
	}
	return can, nil
}

// inBatches writes rows, some in a transaction.
func inBatches[R any](ctx context.Context, d *db.DB, rows []R, write func(ctx context.Context, tx db.Tx, rows []R) error) error {
	for len(rows) > 0 {
		some := rows[:min(batch, len(rows))]
		if err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error { return write(ctx, tx, some) }); err != nil {
			return err
		}
		rows = rows[len(some):]
	}
	return nil
}
