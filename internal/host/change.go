package host

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Change is what to change of a host; nil fields stay.
type Change struct {
	Name       *string
	URL        *string
	Tags       []string
	OSCategory *uid.OSCategory
	Enable     *bool // whether new machines are placed there
}

// Update changes a host.
func (s *Service) Update(ctx context.Context, id uid.Host, c Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		h, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		was := h.Name
		if err := c.apply(&h); err != nil {
			return err
		}
		if h.Name != was {
			if err := names.Forget(ctx, tx); err != nil {
				return err
			}
		}
		if err := saveHost(ctx, tx, h); db.IsUnique(err) {
			return fault.Conflictf("there is a host called %q in the zone already", h.Name)
		} else if err != nil {
			return err
		}
		return written(ctx, tx, event.HostEdit, "changed", h, "")
	})
}

func (c Change) apply(h *Host) error {
	if c.Name != nil {
		if h.Name = strings.TrimSpace(*c.Name); h.Name == "" {
			return fault.Invalidf("a host needs a name")
		}
	}
	if c.URL != nil {
		if _, _, err := fromURL(*c.URL); err != nil {
			return err
		}
		h.URL = *c.URL
	}
	if c.Tags != nil {
		h.Tags = Tags(c.Tags)
	}
	if c.OSCategory != nil {
		h.OSCategory = *c.OSCategory
	}
	if c.Enable == nil {
		return nil
	}
	if h.ResourceState != Enabled && h.ResourceState != Disabled {
		return fault.Conflictf("host %q is %s; only one that is %s or %s can be switched", h.Name, h.ResourceState, Enabled, Disabled)
	}
	if h.ResourceState = Disabled; *c.Enable {
		h.ResourceState = Enabled
	}
	return nil
}

// UpdateCluster changes a cluster and what follows from it for its hosts: overcommit ratios change how much of them may be given
// out, which is refused where more is in use already; hosts that are not managed any more are left alone.
func (s *Service) UpdateCluster(ctx context.Context, id uid.Cluster, c zone.ClusterChange) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before, now, err := zone.UpdateCluster(ctx, tx, id, c)
		if err != nil {
			return err
		}
		if before.Hypervisor != now.Hypervisor {
			if n, err := countIn(ctx, tx, zone.Place{Cluster: id}); err != nil || n > 0 {
				return errOr(err, fault.Conflictf("cluster %q has %d %s hosts; it can't become one of %s", now.Name, n, before.Hypervisor,
					now.Hypervisor))
			}
		}
		if before.CPUOvercommit != now.CPUOvercommit || before.MemoryOvercommit != now.MemoryOvercommit {
			if err := recount(ctx, tx, now); err != nil {
				return err
			}
		}
		if before.Managed == now.Managed {
			return nil
		}
		state := Connecting // the next health round tells more
		if now.Managed == zone.Unmanaged {
			state = Disconnected
		}
		return setStates(ctx, tx, id, state)
	})
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// recount gives the hosts of a cluster the totals that follow from its ratios.
func recount(ctx context.Context, tx db.Tx, c zone.Cluster) error {
	cpu, memory := millionths(c.CPUOvercommit), millionths(c.MemoryOvercommit)
	tooFull, err := setTotals(ctx, tx, c.ID, cpu, memory)
	if err != nil || len(tooFull) == 0 {
		return err
	}
	h := tooFull[0]
	newCPU, newMemory := int64(h.CPUCores)*int64(h.CPUSpeed)*cpu/whole, h.MemoryMB*memory/whole
	if h.CPUUsed > newCPU {
		return fault.Conflictf("host %q has %d MHz of CPU in use, more than the %d MHz that a ratio of %v would leave", h.Name, h.CPUUsed,
			newCPU, c.CPUOvercommit)
	}
	return fault.Conflictf("host %q has %d MB of memory in use, more than the %d MB that a ratio of %v would leave", h.Name, h.MemoryUsed,
		newMemory, c.MemoryOvercommit)
}
