package pool

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Create adds a pool of a cluster or a zone; its id, type, totals and times are filled in. How large it is, where BytesPhysical
// does not say it, a host is asked that reaches it.
func (s *Service) Create(ctx context.Context, p Pool) (Pool, error) {
	if err := s.check(ctx, &p); err != nil {
		return Pool{}, err
	}
	p.ID = uid.New[uid.Pool]()
	if p.BytesPhysical == 0 {
		size, err := s.measure(ctx, p)
		if err != nil {
			return Pool{}, err
		}
		p.BytesPhysical = size
	}
	p.BytesTotal = s.total(p)
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := zone.Kept(ctx, tx, p.Zone); err != nil { // it was there before the storage was measured
			return err
		}
		if p.Scope == ClusterWide { // nobody deletes the cluster meanwhile
			if _, err := zone.LockCluster(ctx, tx, p.Cluster); err != nil {
				return err
			}
		}
		p.Created = tx.Now
		if err := insert(ctx, tx, p); db.IsUnique(err) {
			return fault.Conflictf("there is a storage pool called %q, or one at %s, already", p.Name, p.URL)
		} else if err != nil {
			return err
		}
		if err := written(ctx, tx, event.PoolCreate, "added", p); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(p.ID), "")
	})
	return p, err
}

// check fills in what follows from what was said of a pool, and refuses what does not fit together.
func (s *Service) check(ctx context.Context, p *Pool) error {
	q := s.db.Read()
	if p.Scope = strings.ToUpper(p.Scope); p.Scope == "" {
		p.Scope = ClusterWide
	}
	if p.State == "" {
		p.State = Up
	}
	if p.Provider == "" {
		p.Provider = DefaultPrimary
	}
	p.Tags = host.Tags([]string{p.Tags})
	switch {
	case strings.TrimSpace(p.Name) == "":
		return fault.Invalidf("a storage pool needs a name")
	case p.Provider != DefaultPrimary:
		return fault.Invalidf("provider is %q; the only one there is, is %s", p.Provider, DefaultPrimary)
	case p.BytesPhysical < 0:
		return fault.Invalidf("capacitybytes is %d; want how many bytes there are", p.BytesPhysical)
	}
	if err := p.locate(); err != nil {
		return err
	}
	z, err := zone.Find(ctx, q, p.Zone)
	if err != nil {
		return err
	}
	switch p.Scope {
	case ClusterWide:
		return p.checkCluster(ctx, q)
	case ZoneWide:
		return p.checkZone(z)
	case HostOnly:
		return fault.Invalidf("scope HOST is local storage, which hosts bring along when they join a zone that has it enabled; want CLUSTER or ZONE")
	}
	return fault.Invalidf("scope is %q; want CLUSTER or ZONE", p.Scope)
}

func (p *Pool) checkCluster(ctx context.Context, q db.Tx) error {
	if p.Cluster == "" || p.Pod == "" {
		return fault.Invalidf("a pool of the scope CLUSTER needs podid and clusterid")
	}
	c, err := zone.FindCluster(ctx, q, p.Cluster)
	switch {
	case err != nil:
		return err
	case c.Zone != p.Zone || c.Pod != p.Pod:
		return fault.Invalidf("cluster %q is not in that zone and pod", c.Name)
	case p.Hypervisor != "" && !strings.EqualFold(p.Hypervisor, c.Hypervisor):
		return fault.Invalidf("hypervisor is %q; cluster %q is of %s hosts", p.Hypervisor, c.Name, c.Hypervisor)
	}
	p.Hypervisor = c.Hypervisor
	return nil
}

func (p *Pool) checkZone(z zone.Zone) (err error) {
	switch {
	case p.Cluster != "" || p.Pod != "":
		return fault.Invalidf("a pool of the scope ZONE is of no pod and no cluster: leave out podid and clusterid")
	case p.Hypervisor == "":
		return fault.Invalidf("a pool of the scope ZONE needs a hypervisor: whose hosts in zone %q reach it", z.Name)
	}
	p.Hypervisor, err = zone.Hypervisor(p.Hypervisor)
	return err
}

// measure asks hosts that reach a pool, one after the other until one answers, how large it is.
func (s *Service) measure(ctx context.Context, p Pool) (int64, error) {
	const atMost = 3
	driver, err := s.drivers.Find(p.Hypervisor)
	if err != nil {
		return 0, err
	}
	storer, ok := driver.(hypervisor.Storer)
	if !ok {
		return 0, fault.Invalidf("%s hosts don't say how large storage is: say capacitybytes", p.Hypervisor)
	}
	hosts, err := host.Reaching(ctx, s.db.Read(), p.Zone, p.Cluster, p.Hypervisor, atMost)
	if err != nil {
		return 0, err
	}
	err = fault.Conflictf("no host is up that could be asked how large the storage is: add one first, or say capacitybytes")
	for _, id := range hosts {
		var r hypervisor.PoolReport
		if r, err = storer.Pool(ctx, id, hypervisor.PoolRef{Pool: p.ID, URL: p.URL}); err == nil {
			return r.Bytes, nil
		}
	}
	return 0, err
}

// total is how much of a pool may be given out.
func (s *Service) total(p Pool) int64 {
	factor := setting.StorageOvercommit.Of(s.settings, setting.InPool(p.ID), setting.InZone(p.Zone))
	return max(int64(float64(p.BytesPhysical)*factor), p.BytesUsed)
}

// Factor is how many times over the space of a pool is given out.
func (s *Service) Factor(p Pool) float64 {
	return setting.StorageOvercommit.Of(s.settings, setting.InPool(p.ID), setting.InZone(p.Zone))
}

// Reckon gives all pools the totals that follow from the settings, which may have changed. It is a keeper's work. Where more is
// in use than a smaller factor leaves, all stays as it is in use, and nothing new is placed there.
func (s *Service) Reckon(ctx context.Context) error {
	pools, _, err := s.List(ctx, Filter{})
	if err != nil {
		return err
	}
	pools = slices.DeleteFunc(pools, func(p Pool) bool { return s.total(p) == p.BytesTotal })
	if len(pools) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, p := range pools {
			now, err := lock(ctx, tx, p.ID)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := setTotal(ctx, tx, p.ID, s.total(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddLocal makes the pool of a host's own storage, unless it is there.
func (s *Service) AddLocal(ctx context.Context, tx db.Tx, h host.Host, url string, bytes int64) error {
	have, err := ofHost(ctx, tx, h.ID)
	if err != nil || len(have) > 0 {
		return err
	}
	p := Pool{
		ID: uid.New[uid.Pool](), Zone: h.Zone, Pod: h.Pod, Cluster: h.Cluster, Host: h.ID, Name: h.Name + " local storage", Hypervisor: h.Hypervisor,
		URL: url, Scope: HostOnly, State: Up, BytesPhysical: bytes, Provider: DefaultPrimary, Created: tx.Now,
	}
	if err := p.locate(); err != nil {
		return err
	}
	p.BytesTotal = s.total(p)
	if err := insert(ctx, tx, p); err != nil {
		return err
	}
	return written(ctx, tx, event.PoolCreate, "added", p)
}

func written(ctx context.Context, tx db.Tx, kind event.Kind, did string, p Pool) error {
	e := event.Event{Type: kind, Description: fmt.Sprintf("%s storage pool %s (%s)", did, p.Name, p.ID), ResourceID: string(p.ID)}
	if auth.From(ctx).IsNobody() {
		e.User = auth.System().User // a host's operation brought it along
	}
	_, err := event.Write(ctx, tx, e)
	return err
}
