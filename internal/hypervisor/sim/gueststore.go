package sim

import (
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// guestState is what there is of a machine.
type guestState struct {
	found   bool
	host    uid.Host
	running bool
	spec    []byte // its specification
}

func (p *prepared) guest(vm uid.VM) (g guestState, err error) {
	g.found, err = p.one([]any{&g.host, &g.running, &g.spec},
		"select host, running, machine from guest where vm = ?", string(vm))
	return g, err
}

func (p *prepared) guestsOn(host uid.Host) (guests []hypervisor.Guest, err error) {
	err = p.each(func(scan func(...any) error) error {
		var g hypervisor.Guest
		err := scan(&g.VM, &g.Running, &g.Arriving)
		guests = append(guests, g)
		return err
	}, `select vm, running, false from guest where host = ?1
		union all select vm, false, true from arrival where host = ?1 order by vm`, string(host))
	return guests, err
}

// putGuest has a machine run on a host from now on.
func (t *tx) putGuest(host uid.Host, vm uid.VM, spec []byte, now int64) error {
	_, err := t.exec(`insert into guest (vm, host, running, machine, since) values (?, ?, 1, ?, ?)
		on conflict (vm) do update set host = excluded.host, running = 1, machine = excluded.machine, since = excluded.since`,
		string(vm), string(host), spec, now)
	return err
}

func (t *tx) setSpec(vm uid.VM, spec []byte) error {
	_, err := t.exec("update guest set machine = ? where vm = ?", spec, string(vm))
	return err
}

func (t *tx) haltGuest(vm uid.VM) (bool, error) {
	n, err := t.exec("update guest set running = 0 where vm = ?", string(vm))
	return n > 0, err
}

func (t *tx) dropGuest(host uid.Host, vm uid.VM) (bool, error) {
	n, err := t.exec("delete from guest where vm = ? and host = ?", string(vm), string(host))
	return n > 0, err
}

// atWork is a machine that runs, and since when.
type atWork struct {
	spec  []byte
	since int64
}

func (p *prepared) runningOn(host uid.Host) (all []atWork, err error) {
	err = p.each(func(scan func(...any) error) error {
		var r atWork
		err := scan(&r.spec, &r.since)
		all = append(all, r)
		return err
	}, "select machine, since from guest where host = ? and running order by vm", string(host))
	return all, err
}

func (p *prepared) allGuests() (map[uid.VM]Location, error) {
	guests := map[uid.VM]Location{}
	err := p.each(func(scan func(...any) error) error {
		var vm uid.VM
		var at Location
		err := scan(&vm, &at.Host, &at.Running)
		guests[vm] = at
		return err
	}, "select vm, host, running from guest")
	return guests, err
}
