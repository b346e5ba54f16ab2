package sim

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Receive implements [hypervisor.Migrator].
func (w *World) Receive(ctx context.Context, host uid.Host, m hypervisor.Machine, _ []uid.Volume) (hypervisor.Arrival, error) {
	spec, err := m.Specification()
	if err != nil {
		return hypervisor.Arrival{}, err
	}
	err = w.do(ctx, host, hypervisor.CommandReceive, func(t *tx) error { return t.receive(host, m, spec) })
	if err != nil {
		return hypervisor.Arrival{}, err
	}
	return hypervisor.Arrival{Address: arrivalAt(host)}, nil
}

func arrivalAt(host uid.Host) string { return "simulator:" + string(host) }

func (t *tx) receive(host uid.Host, m hypervisor.Machine, spec []byte) error {
	g, err := t.guest(m.VM)
	switch {
	case err != nil:
		return err
	case g.running && g.host == host && bytes.Equal(g.spec, spec):
		return nil // it has arrived
	case g.found && g.host == host:
		return fault.Conflictf("machine %s is on host %s already", m.VM, host)
	}
	at, awaited, err := t.arrival(m.VM)
	switch {
	case err != nil:
		return err
	case awaited && at.host == host && bytes.Equal(at.spec, spec):
		return nil
	case awaited:
		return fault.Conflictf("machine %s is awaited on host %s already, or with another specification", m.VM, at.host)
	}
	for _, a := range m.Disks {
		if d, err := t.disk(a.DiskRef); err != nil {
			return err
		} else if !d.found {
			return fault.Conflictf("machine %s needs volume %s, which is not in pool %s", m.VM, a.Volume, a.Pool)
		}
	}
	_, err = t.exec("insert into arrival (vm, host, machine) values (?, ?, ?)", string(m.VM), string(host), spec)
	return err
}

// Send implements [hypervisor.Migrator].
func (w *World) Send(ctx context.Context, host uid.Host, vm uid.VM, to hypervisor.Arrival) error {
	return w.do(ctx, host, hypervisor.CommandSend, func(t *tx) error {
		if _, err := t.runs(host, vm); err != nil {
			return err
		}
		at, awaited, err := t.arrival(vm)
		if err != nil {
			return err
		}
		if !awaited || arrivalAt(at.host) != to.Address {
			return fault.Conflictf("machine %s is not awaited at %s", vm, to.Address)
		}
		var m hypervisor.Machine
		if err := json.Unmarshal(at.spec, &m); err != nil {
			return err
		}
		if err := t.detachDisks(vm); err != nil {
			return err
		}
		if err := t.attach(m); err != nil {
			return err
		}
		if err := t.dropArrival(at.host, vm); err != nil {
			return err
		}
		return t.putGuest(at.host, vm, at.spec, w.now())
	})
}

func (p *prepared) arrival(vm uid.VM) (g guestState, found bool, err error) {
	found, err = p.one([]any{&g.host, &g.spec}, "select host, machine from arrival where vm = ?", string(vm))
	return g, found, err
}

func (t *tx) dropArrival(host uid.Host, vm uid.VM) error {
	_, err := t.exec("delete from arrival where vm = ? and host = ?", string(vm), string(host))
	return err
}
