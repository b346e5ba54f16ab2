package kvm

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Receive implements [hypervisor.Migrator].
func (d *Driver) Receive(ctx context.Context, host uid.Host, m hypervisor.Machine, copied []uid.Volume) (hypervisor.Arrival, error) {
	none := hypervisor.Arrival{}
	done, err := d.turn(ctx, host, string(m.VM))
	if err != nil {
		return none, err
	}
	defer done()
	if err := errors.Join(checkID(m.VM), fits(m)); err != nil {
		return none, err
	}
	if d.Listen == "" {
		return none, fault.Conflictf("host %s has no address at which machines could arrive", host)
	}
	if g := d.found(ctx, m.VM); g != nil {
		same, err := g.is(m)
		switch {
		case err != nil:
			return none, err
		case g.runs() && same:
			return g.Arrival, nil
		case g.runs():
			return none, fault.Conflictf("machine %s is on host %s already, with another specification", m.VM, host)
		}
		if err := d.forget(g); err != nil {
			return none, err
		}
	}
	if err := d.lease(ctx, m); err != nil {
		return none, err
	}
	g := d.fresh(m)
	g.Arriving = true
	if err := d.await(ctx, g, copied); err != nil {
		return none, errors.Join(err, d.abandon(g))
	}
	d.follow(g)
	return g.Arrival, nil
}

// await starts QEMU for a machine that is to come, and opens its doors.
func (d *Driver) await(ctx context.Context, g *guest, copied []uid.Volume) error {
	layers := map[uid.Volume]string{}
	for _, a := range g.Machine.Disks {
		path, err := d.diskThere(g.vm, a.DiskRef)
		if err != nil {
			return err
		}
		if slices.Contains(copied, a.Volume) {
			i, err := d.image.Info(ctx, path, "qcow2")
			if err != nil {
				return err
			}
			layers[a.Volume] = i.Backing
		}
	}
	if err := d.launch(ctx, g); err != nil {
		return err
	}
	if err := d.setLimits(ctx, g); err != nil {
		return err
	}
	if err := g.capable(ctx, "return-path", "pause-before-switchover"); err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "migrate-incoming", map[string]string{"uri": "tcp:" + net.JoinHostPort(d.Listen, "0")}, nil); err != nil {
		return g.failed(err)
	}
	var state struct {
		At []struct {
			Host string `json:"host"`
			Port string `json:"port"`
		} `json:"socket-address"`
	}
	if err := g.mon.Do(ctx, "query-migrate", nil, &state); err != nil {
		return g.failed(err)
	}
	if len(state.At) == 0 {
		return fault.Conflictf("machine %s does not say where it is awaited", g.vm)
	}
	g.Arrival = hypervisor.Arrival{Address: net.JoinHostPort(d.Listen, state.At[0].Port)}
	if len(layers) > 0 {
		if err := g.export(ctx, d.Listen, layers); err != nil {
			return err
		}
	}
	return g.save()
}

// export has the machine's disks written to from outside.
func (g *guest) export(ctx context.Context, address string, layers map[uid.Volume]string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	if err := g.mon.Give(ctx, "copies", socket); err != nil {
		return g.failed(err)
	}
	if err := g.mon.Do(ctx, "nbd-server-start", map[string]any{
		"addr": map[string]any{"type": "fd", "data": map[string]string{"str": "copies"}},
	}, nil); err != nil {
		return g.failed(err)
	}
	for v := range layers {
		if err := g.mon.Do(ctx, "block-export-add", map[string]any{
			"type": "nbd", "id": "copy-" + string(v), "node-name": nodeOf(v), "name": string(v), "writable": true,
		}, nil); err != nil {
			return g.failed(err)
		}
	}
	g.Arrival.Disks, g.Arrival.Layers = listener.Addr().String(), layers
	return nil
}

// capable says how a machine moves.
func (g *guest) capable(ctx context.Context, names ...string) error {
	var all []map[string]any
	for _, name := range names {
		all = append(all, map[string]any{"capability": name, "state": true})
	}
	if err := g.mon.Do(ctx, "migrate-set-capabilities", map[string]any{"capabilities": all}, nil); err != nil {
		return g.failed(err)
	}
	return nil
}

// arrives tells whether a machine is still awaited. One that runs meanwhile has arrived, which is written down.
func (d *Driver) arrives(ctx context.Context, g *guest) bool {
	d.mu.Lock()
	arriving := g.Arriving
	d.mu.Unlock()
	if !arriving || !g.runs() || g.mon == nil {
		return arriving
	}
	wait, cancel := context.WithTimeout(ctx, replies)
	defer cancel()
	if status, err := g.status(wait); err != nil || status != "running" {
		return true
	}
	if len(g.Arrival.Layers) > 0 {
		_ = g.mon.Do(wait, "nbd-server-stop", nil, nil) // nobody is left who would write
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	g.Arriving = false
	if err := g.save(); err != nil {
		d.Log.Warn("that a machine has arrived is not written down", "machine", g.vm, "error", err)
	}
	return false
}

// moved is how far a machine has got.
type moved struct {
	Status string `json:"status"`
	Error  string `json:"error-desc"`
}

// Send implements [hypervisor.Migrator].
func (d *Driver) Send(ctx context.Context, host uid.Host, vm uid.VM, to hypervisor.Arrival) error {
	g, done, err := d.at(ctx, host, vm)
	if err != nil {
		return err
	}
	defer done()
	if to.Address == "" {
		return fault.Conflictf("machine %s is awaited nowhere", vm)
	}
	if err := d.send(ctx, g, to); err != nil {
		return errors.Join(err, g.endCopies(context.WithoutCancel(ctx), to))
	}
	// It runs there; what is here is a body without a soul.
	if err := d.cut(context.WithoutCancel(ctx), g); err != nil {
		return err
	}
	return d.forget(g)
}

func (d *Driver) send(ctx context.Context, g *guest, to hypervisor.Arrival) error {
	if err := d.copyDisks(ctx, g, to); err != nil {
		return err
	}
	if err := g.capable(ctx, "return-path", "pause-before-switchover", "auto-converge"); err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "migrate-set-parameters", map[string]any{"downtime-limit": 300, "max-bandwidth": 1 << 40}, nil); err != nil {
		return g.failed(err)
	}
	if err := g.mon.Do(ctx, "migrate", map[string]string{"uri": "tcp:" + to.Address}, nil); err != nil {
		return g.failed(err)
	}
	tick := time.NewTicker(again)
	defer tick.Stop()
	over, said := ctx.Done(), false
	ask := context.WithoutCancel(ctx) // whatever happens, we want to know on which side it runs
	for {
		var m moved
		if err := g.mon.Do(ask, "query-migrate", nil, &m); err != nil {
			return g.failed(err)
		}
		switch m.Status {
		case "completed":
			return nil
		case "failed", "cancelled":
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.Unavailablef("machine %s does not get to %s: %s", g.vm, to.Address, m.Error)
		case "pre-switchover":
			if said {
				break
			}
			said = true
			err := g.endCopies(ask, to)
			if err == nil {
				err = g.mon.Do(ask, "migrate-continue", map[string]string{"state": "pre-switchover"}, nil)
			}
			if err != nil {
				_ = g.mon.Do(ask, "migrate_cancel", nil, nil)
				return g.failed(err)
			}
		}
		select {
		case <-tick.C:
		case <-over:
			over = nil
			_ = g.mon.Do(ask, "migrate_cancel", nil, nil) // it may be too late for that
		}
	}
}

func copyNode(v uid.Volume) string { return "t" + nodeOf(v)[1:] }
func copyJob(v uid.Volume) string  { return "copy-" + string(v) }

// copyDisks copies disks to where a machine is awaited, and returns when they are the same; from then on all that is written is
// written to both.
func (d *Driver) copyDisks(ctx context.Context, g *guest, to hypervisor.Arrival) error {
	if len(to.Layers) == 0 {
		return nil
	}
	host, port, err := net.SplitHostPort(to.Disks)
	if _, e := strconv.Atoi(port); err != nil || e != nil {
		return fault.Conflictf("%q is no place to copy disks to", to.Disks)
	}
	if err := g.endCopies(ctx, to); err != nil {
		return err
	}
	for v, layer := range to.Layers {
		at := slices.IndexFunc(g.Machine.Disks, func(a hypervisor.Attachment) bool { return a.Volume == v })
		if at < 0 {
			return fault.Conflictf("machine %s has no volume %s to be copied", g.vm, v)
		}
		path, err := d.path(g.Machine.Disks[at].DiskRef)
		if err != nil {
			return err
		}
		i, err := d.image.Info(ctx, path, "qcow2")
		if err != nil {
			return err
		}
		how := "full"
		if layer != "" && layer == i.Backing {
			how = "top"
		}
		if err := g.mon.Do(ctx, "blockdev-add", map[string]any{
			"driver": "nbd", "node-name": copyNode(v), "export": string(v),
			"server": map[string]string{"type": "inet", "host": host, "port": port},
		}, nil); err != nil {
			return g.failed(err)
		}
		if err := g.launchJob(ctx, copyJob(v), "blockdev-mirror", map[string]any{
			"device": nodeOf(v), "target": copyNode(v), "sync": how, "auto-dismiss": false, "copy-mode": "write-blocking",
		}); err != nil {
			return err
		}
	}
	for v := range to.Layers {
		j, err := g.until(ctx, copyJob(v), "ready")
		if err != nil {
			return err
		}
		if j.Status != "ready" {
			return fault.Unavailablef("volume %s was not copied: %s", v, j.Error)
		}
	}
	return nil
}

// endCopies ends the copying. What was copied by then is whole where the machine stands still.
func (g *guest) endCopies(ctx context.Context, to hypervisor.Arrival) (err error) {
	for v := range to.Layers {
		err = errors.Join(err, g.endCopy(ctx, v), g.dropNode(ctx, copyNode(v)))
	}
	return err
}

func (g *guest) endCopy(ctx context.Context, v uid.Volume) error {
	before, found, err := g.job(ctx, copyJob(v))
	if err != nil || !found {
		return err
	}
	_ = g.mon.Do(ctx, "block-job-cancel", map[string]any{"device": copyJob(v), "force": false}, nil) // it may have ended by itself
	j, err := g.until(ctx, copyJob(v))
	if err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "job-dismiss", map[string]string{"id": copyJob(v)}, nil); err != nil {
		return g.failed(err)
	}
	if before.Status == "ready" && j.Error != "" {
		return fault.Unavailablef("volume %s was not copied: %s", v, j.Error)
	}
	return nil
}
