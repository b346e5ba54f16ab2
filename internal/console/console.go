package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/grant"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Command is the one that who looks at a screen must be allowed.
const Command = "createConsoleEndpoint"

const (
	// fresh is for how long a ticket opens a connection.
	fresh = 5 * time.Minute
	// longest is for how long a connection lasts at most.
	longest = 12 * time.Hour
)

// Service gives tickets, and connections for them.
type Service struct {
	db       *db.DB
	grants   grant.Grants
	hosts    *host.Service
	machines *compute.Service
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Grants   grant.Grants
	Hosts    *host.Service
	Machines *compute.Service
}

// New makes a service.
func New(p Parts) *Service {
	return &Service{p.DB, p.Grants, p.Hosts, p.Machines}
}

// ticket is the right to see and use a machine's screen.
type ticket struct {
	ID      string    `bun:",pk"` // the hash of what its holder has
	VM      uid.VM    `bun:"vm_id"`
	User    uid.User  `bun:"user_id"` // whose right it is, as long as it is
	Extra   string    // the hash of what must be said besides; "" for nothing
	Expires time.Time // after which it opens no connection, or the one that it has opened ends
	Used    bool      // it has opened one
}

func hash(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Open gives a ticket to the caller for a machine that runs. Who has it needs to know extra as well, if that is not empty.
func (s *Service) Open(ctx context.Context, vm uid.VM, extra secret.String) (secret.String, error) {
	m, _, err := s.machine(ctx, vm)
	if err != nil {
		return secret.String{}, err
	}
	token := rand.Text() + rand.Text()
	return secret.New(token), s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := sweep(ctx, tx); err != nil {
			return err
		}
		_, err := event.Write(ctx, tx, event.Event{
			Type: event.VMConsole, Account: m.Account, Domain: m.Domain, ResourceID: string(vm),
			Description: "gave a ticket for the screen of machine " + m.Name,
		})
		if err != nil {
			return err
		}
		return insert(ctx, tx, ticket{
			ID: hash(token), VM: vm, User: auth.From(ctx).User, Extra: hash(extra.Reveal()), Expires: tx.Now.Add(fresh),
		})
	})
}

// Look tells what machine a ticket is for that has not been used.
func (s *Service) Look(ctx context.Context, token string) (compute.VM, error) {
	t, err := find(ctx, s.db.Read(), hash(token))
	if err != nil {
		return compute.VM{}, err
	}
	if t.Used || !t.holds(s.db.Now()) {
		return compute.VM{}, errSpent()
	}
	vm, _, err := s.granted(ctx, t)
	return vm, err
}

// Screen is a connection to a machine's screen.
type Screen struct {
	io.ReadWriteCloser

	service *Service
	id      string
	host    uid.Host
}

// Connect uses a ticket up and gives the screen that it is for.
func (s *Service) Connect(ctx context.Context, token, extra string) (*Screen, error) {
	t, err := find(ctx, s.db.Read(), hash(token))
	if err != nil {
		return nil, err
	}
	vm, driver, err := s.granted(ctx, t)
	if err != nil {
		return nil, err
	}
	taken := false
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		taken, err = take(ctx, tx, t.ID, hash(extra))
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !taken:
		return nil, errSpent()
	}
	screen, err := driver.Screen(ctx, vm.Host, vm.ID)
	if err != nil {
		return nil, err
	}
	return &Screen{ReadWriteCloser: screen, service: s, id: t.ID, host: vm.Host}, nil
}

// Check tells whether the connection may go on: its user may still use the machine, which runs where it did.
func (c *Screen) Check(ctx context.Context) error {
	t, err := find(ctx, c.service.db.Read(), c.id)
	if err != nil {
		return err
	}
	if !t.holds(c.service.db.Now()) {
		return errSpent()
	}
	vm, _, err := c.service.granted(ctx, t)
	if err == nil && vm.Host != c.host {
		err = fault.Conflictf("virtual machine %q has moved to another host", vm.Name)
	}
	return err
}

// End forgets the ticket of a connection that has ended.
func (c *Screen) End(ctx context.Context) error {
	return c.service.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return drop(ctx, tx, c.id) })
}

// mostLog is how much of its serial log a machine shows.
const mostLog = 64 << 10

// SerialLog is the end of what a machine has written on its serial port, for who has a ticket or a connection that it has opened.
func (s *Service) SerialLog(ctx context.Context, token, extra string) ([]byte, error) {
	t, err := find(ctx, s.db.Read(), hash(token))
	if err != nil {
		return nil, err
	}
	if t.Extra != hash(extra) || !t.holds(s.db.Now()) {
		return nil, errSpent()
	}
	vm, driver, err := s.granted(ctx, t)
	if err != nil {
		return nil, err
	}
	return driver.SerialLog(ctx, vm.Host, vm.ID, mostLog)
}

func (t ticket) holds(now time.Time) bool { return now.Before(t.Expires) }

// errSpent refuses whatever ticket in the same words.
func errSpent() error {
	return fault.Deniedf("this address has been used, or is too old: ask for another one with %s", Command)
}

// granted gives the machine that a ticket is for, if its user may still use it.
func (s *Service) granted(ctx context.Context, t ticket) (compute.VM, hypervisor.Screener, error) {
	caller, may, err := s.grants.Caller(ctx, t.User, Command)
	if err != nil || !may {
		return compute.VM{}, nil, errOr(err, errSpent())
	}
	return s.machine(auth.With(ctx, caller), t.VM)
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// machine gives a machine in the caller's reach that runs, and who shows its screen.
func (s *Service) machine(ctx context.Context, id uid.VM) (compute.VM, hypervisor.Screener, error) {
	vms, _, err := s.machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	if err != nil {
		return compute.VM{}, nil, err
	}
	if len(vms) == 0 {
		return compute.VM{}, nil, fault.Missing(id)
	}
	vm := vms[0]
	if vm.State != compute.Running {
		return vm, nil, fault.Conflictf("virtual machine %q is %s; one that is Running has a console", vm.Name, vm.State)
	}
	driver, err := s.hosts.Driver(vm.Hypervisor)
	if err != nil {
		return vm, nil, err
	}
	screener, ok := driver.(hypervisor.Screener)
	if !ok {
		return vm, nil, fault.Conflictf("virtual machine %q has no console: hosts of hypervisor %s show no screens", vm.Name, vm.Hypervisor)
	}
	return vm, screener, nil
}
