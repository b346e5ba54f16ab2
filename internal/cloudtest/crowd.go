package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/uid"
)

// Crowd says how much a cloud is filled with. Each machine runs on one of the hosts that there are, and has a network of its
// own, a root disk, a data disk and an event.
type Crowd struct {
	Accounts int // with one user each, a hundred to a domain
	Machines int
	Rich     int // how many of the machines are one account's; the others have about the same number each
	Poor     int // and how many are that one's which has least
}

// Tenants are the accounts of a crowd that are worth a look, with their users' clients.
type Tenants struct {
	Rich, Poor               *api.Client
	RichAccount, PoorAccount account.Account
}

// What each machine of a crowd has.
const (
	crowdCPU, crowdMHz, crowdMB = 1, 500, 512
	crowdRoot, crowdData        = 2 << 30, 5 << 30 // bytes
	crowdUserData               = 1 << 10
)

// Fill fills a seeded cloud with a crowd, quickly: it writes the rows that would be there after years, and does nothing of
// what would have written them. Simulated hosts run the machines, but have no disks of them, so [Check] must be asked without hosts.
func (c *Cloud) Fill(t testing.TB, in Crowd) Tenants {
	t.Helper()
	var out Tenants
	out.Rich, out.RichAccount = c.Tenant(t, "crowd", "rich", auth.User)
	out.Poor, out.PoorAccount = c.Tenant(t, "crowd", "poor", auth.User)
	ctx := t.Context()
	w := &crowd{Crowd: in, place: place{Sandbox: c.Sandbox(t)}, start: c.DB.Now().Add(-time.Duration(in.Machines) * time.Second)}
	must(t, w.look(ctx, c.DB.Read()))
	for _, a := range []account.Account{out.RichAccount, out.PoorAccount} {
		w.accounts = append(w.accounts, tenant{a.ID, a.Domain, w.users[a.ID]})
	}
	w.name()
	must(t, w.run(ctx, c.World)) // first: who is believed to run is looked for
	must(t, w.fill(ctx, c.DB))
	must(t, errors.Join(c.Meter.Hosts(ctx), c.Meter.Machines(ctx))) // as each minute
	must(t, known(ctx, c.DB))
	return out
}

// run has hosts run the crowd's machines, without disks: who asks a host finds there what the rows say.
func (w *crowd) run(ctx context.Context, world *sim.World) error {
	const atOnce = 64 // they share the world's commits
	var work sync.WaitGroup
	failed := make([]error, atOnce)
	for one := range atOnce {
		work.Go(func() {
			for i := one; i < len(w.machines) && failed[one] == nil; i += atOnce {
				failed[one] = world.Start(ctx, w.hosts[w.home(i)], hypervisor.Machine{VM: w.machines[i]})
			}
		})
	}
	work.Wait()
	return errors.Join(failed...)
}

// crowd is a crowd being made: what there is, and the ids of all that there will be.
type crowd struct {
	Crowd
	place
	start    time.Time
	domains  []uid.Domain
	accounts []tenant // the first two are the rich one and the poor one
	machines []uid.VM
	networks []uid.Network
}

// tenant is an account and its user.
type tenant struct {
	account uid.Account
	domain  uid.Domain
	user    uid.User
}

// name makes the ids of everything that is named by other things.
func (w *crowd) name() {
	const perDomain = 100
	for i := range w.Accounts {
		if i%perDomain == 0 {
			w.domains = append(w.domains, uid.New[uid.Domain]())
		}
		w.accounts = append(w.accounts, tenant{uid.New[uid.Account](), w.domains[i/perDomain], uid.New[uid.User]()})
	}
	for range w.Machines {
		w.networks = append(w.networks, uid.New[uid.Network]())
		w.machines = append(w.machines, uid.New[uid.VM]())
	}
}

// owner is whose the ith machine is, with all that it has. The rich and the poor made theirs at all times; of those that were
// made one after the other, hardly two are the same account's.
func (w *crowd) owner(i int) tenant {
	if step := w.Machines / w.Rich; i%step == 0 && i/step < w.Rich {
		return w.accounts[0]
	}
	if step := w.Machines / w.Poor; i%step == 1 && i/step < w.Poor {
		return w.accounts[1]
	}
	return w.accounts[2+i%w.Accounts]
}

// home is which of the hosts the ith machine runs on.
func (w *crowd) home(i int) int { return i % len(w.hosts) }

// at is when the ith thing was made.
func (w *crowd) at(i int) time.Time { return w.start.Add(time.Duration(i) * time.Second) }

// numbered is what the ith thing of a kind is called.
func numbered(kind string, i int) string { return fmt.Sprintf("%s-%05d", kind, i) }
