package sim

import (
	"context"
	"strconv"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Trouble is what befalls a host. The zero value is that all is well.
type Trouble struct {
	Silent   bool // it does not answer
	Mute     bool // its signs of life don't reach the storage: leased machines end when their lease is out
	NoAgent  bool // nobody is there to answer, to leave signs or to end machines, which run on
	PowerOff bool // it is silent and mute, and its machines end at once
}

// trouble is that of a host as the world knows it.
type trouble struct {
	silent      bool
	sign, lapse int64
}

func (w *World) now() int64 { return w.options.Now().UnixNano() }

// Befall has something befall a host, or be over. It is fault.Unavailable when there is no such host.
func (w *World) Befall(ctx context.Context, host uid.Host, what Trouble) error {
	return w.store.write(ctx, func(t *tx) error {
		now := w.now()
		if _, err := t.host(host); err != nil {
			return err
		}
		if err := t.lapse(now); err != nil {
			return err
		}
		next := trouble{silent: what.Silent || what.NoAgent || what.PowerOff}
		if what.Mute || what.NoAgent || what.PowerOff {
			next.sign = now
			if was := t.troubles[host].sign; was > 0 {
				next.sign = was
			}
		}
		if what.Mute && !what.NoAgent {
			next.lapse = next.sign + int64(hypervisor.Lease)
		}
		if what.PowerOff {
			if err := t.powerOff(host); err != nil {
				return err
			}
		}
		t.troubles = nil
		return t.setTrouble(host, next)
	})
}

// Doubles is how often this process was asked to start a machine that ran on another host. It was refused each time, as images that
// are locked would have it; it should not have been asked.
func (w *World) Doubles() int64 { return w.doubles.Load() }

// ForgetLocks has storage forget who holds which disk, as some does of hosts that it can't reach: nothing is held any more.
func (w *World) ForgetLocks(yes bool) { w.lockless.Store(yes) }

// Sign implements [hypervisor.Witness]. Hosts that are well leave a sign at every moment.
func (w *World) Sign(ctx context.Context, on uid.Host, _ hypervisor.PoolRef, of uid.Host) (sign string, err error) {
	err = w.do(ctx, on, hypervisor.CommandSign, func(t *tx) error {
		at := t.troubles[of].sign
		if at == 0 {
			at = w.now()
		}
		sign = strconv.FormatInt(at, 10)
		return nil
	})
	return sign, err
}

// Held implements [hypervisor.Witness].
func (w *World) Held(ctx context.Context, on uid.Host, d hypervisor.DiskRef) (held bool, err error) {
	err = w.do(ctx, on, hypervisor.CommandHeld, func(t *tx) error {
		at, err := t.disk(d)
		if err == nil && !at.found {
			err = fault.Conflictf("volume %s is not in pool %s", d.Volume, d.Pool)
		}
		held = at.inUse && !w.lockless.Load()
		return err
	})
	return held, err
}

// reach ends what has had its time, and then tells whether a host answers.
func (t *tx) reach(host uid.Host, now int64) error {
	if err := t.lapse(now); err != nil {
		return err
	}
	if t.troubles[host].silent {
		return fault.Unavailablef("host %s does not answer", host)
	}
	return nil
}

// lapse ends the leased machines of hosts that could not leave a sign of life for so long.
func (t *tx) lapse(now int64) (err error) {
	if t.troubles == nil {
		if t.troubles, err = t.allTroubles(); err != nil {
			return err
		}
	}
	for host, one := range t.troubles {
		if one.lapse == 0 || one.lapse > now {
			continue
		}
		if err := t.endLeased(host); err != nil {
			return err
		}
	}
	return nil
}
