package offering

import (
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// IOLimits are how fast disks made from an offering may be read and written.
type IOLimits = hypervisor.IOLimits

// IOLimit is one of them.
type IOLimit = hypervisor.IOLimit

// IOChange says what to change of limits. Nil fields stay as they are.
type IOChange struct{ ReadBytes, WriteBytes, ReadOps, WriteOps IOLimitChange }

// IOLimitChange says what to change of one. Without a burst none is left of its length, either.
type IOLimitChange struct{ Rate, Burst, Seconds *int64 }

func (c IOChange) apply(l *IOLimits) {
	c.ReadBytes.apply(&l.ReadBytes)
	c.WriteBytes.apply(&l.WriteBytes)
	c.ReadOps.apply(&l.ReadOps)
	c.WriteOps.apply(&l.WriteOps)
}

func (c IOLimitChange) apply(l *IOLimit) {
	if c.Burst != nil && *c.Burst == 0 {
		l.Seconds = 0
	}
	set(&l.Rate, c.Rate)
	set(&l.Burst, c.Burst)
	set(&l.Seconds, c.Seconds)
}

// burstSeconds is how long a burst lasts where nobody says it.
const burstSeconds = 1

// completeLimits fills in what limits leave out and checks them.
func completeLimits(l *IOLimits) error {
	for _, one := range []struct {
		name string
		*IOLimit
	}{{"bytesreadrate", &l.ReadBytes}, {"byteswriterate", &l.WriteBytes}, {"iopsreadrate", &l.ReadOps}, {"iopswriterate", &l.WriteOps}} {
		for _, n := range []struct {
			suffix string
			value  int64
		}{{"", one.Rate}, {"max", one.Burst}, {"maxlength", one.Seconds}} {
			if n.value < 0 {
				return fault.Invalidf("%s%s %d is less than nothing: want 1 or more, or 0 for no limit", one.name, n.suffix, n.value)
			}
		}
		switch {
		case one.Burst != 0 && one.Rate == 0:
			return fault.Invalidf("%smax %d is what may be had for a while, instead of %s: give that, too", one.name, one.Burst, one.name)
		case one.Burst != 0 && one.Burst < one.Rate:
			return fault.Invalidf("%smax %d is less than %s %d, which may be had all the time", one.name, one.Burst, one.name, one.Rate)
		case one.Seconds != 0 && one.Burst == 0:
			return fault.Invalidf("%smaxlength %d is for how long %smax may be had: give that, too", one.name, one.Seconds, one.name)
		case one.Burst != 0 && one.Seconds == 0:
			one.Seconds = burstSeconds
		}
	}
	return nil
}
