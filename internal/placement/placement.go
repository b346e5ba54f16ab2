package placement

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Want is what a machine needs, and where it may or must be. Empty fields don't restrict.
type Want struct {
	VM         uid.VM
	Zone       uid.Zone
	Hypervisor string
	Need       host.Need
	HostTags   []string      // a host must have all of them
	Disks      []Disk        // those that are still to be made
	Made       []uid.Pool    // where those are that are made: the host must reach them all
	Addresses  []uid.Network // in which it needs an address of its host's pod
	Cluster    uid.Cluster
	Pod        uid.Pod
	Host       uid.Host // the admin's wish: there or nowhere
	Prefer     uid.Host // where it ran before
	Avoid      uid.Host // where it is now, and is to go away from
	UEFI       bool     // it is started by UEFI
	Planner    string   // one of the offering's; "" for what the setting says
	// Mine counts the machines that the owner has on each of some hosts; nil where nobody keeps them apart.
	Mine func(ctx context.Context, q db.Tx, hosts []uid.Host) (map[uid.Host]int, error)
}

// Disk is what a disk needs of its pool.
type Disk struct {
	Bytes int64
	Local bool     // on storage of the host's own, instead of storage that hosts share
	Tags  []string // a pool must have all of them
}

// Place is where a machine goes. The room is taken.
type Place struct {
	Host  uid.Host
	Pools []uid.Pool // one for each disk
}

// Service finds places.
type Service struct {
	settings   *setting.Settings
	rooms      rooms
	remembered remembered
}

// New makes a service; nil settings are the defaults.
func New(s *setting.Settings) *Service { return &Service{settings: s} }

// tries is how many hosts a placement tries before it looks again for others: under many placements at once the first ones
// may have filled up since they were read.
const tries = 16

// Find takes room for a machine, in the caller's transaction. It is fault.Full, with the reason per host as its detail, when
// no host has it. What it takes it asks for last: others wait for these rows until the transaction's end.
func (s *Service) Find(ctx context.Context, tx db.Tx, w Want) (Place, error) {
	for round := range 3 {
		l, err := s.look(ctx, tx, w, false)
		if err != nil {
			return Place{}, err
		}
		found := 0
		for _, only := range l.stages() {
			o, err := s.offers(ctx, tx, l, only, round+tx.Attempt == 0)
			if err == nil {
				o.hosts, err = l.order(ctx, tx, o.hosts)
			}
			if err != nil {
				return Place{}, err
			}
			found += len(o.hosts)
			for _, h := range o.hosts {
				pools := o.pools[h.ID].choose(l.Disks)
				if len(pools) < len(l.Disks) {
					continue
				}
				ok, err := l.take(ctx, tx, h.ID, pools)
				if err != nil || ok {
					return Place{h.ID, pools}, err
				}
			}
		}
		if found == 0 {
			break
		}
	}
	return Place{}, s.refuse(ctx, tx, w)
}

// stages are the hosts that are tried before others: where the machine ran last, its disks' blocks may still be in memory.
func (l *look) stages() []uid.Host {
	if l.Prefer != "" && l.Host == "" {
		return []uid.Host{l.Prefer, ""}
	}
	return []uid.Host{""}
}

// take takes the room on a host and in pools, or nothing.
func (l *look) take(ctx context.Context, tx db.Tx, id uid.Host, pools []uid.Pool) (bool, error) {
	ok, err := host.Reserve(ctx, tx, id, l.Need)
	if err != nil || !ok {
		return false, err
	}
	if ok, err = l.takeDisks(ctx, tx, pools); err != nil || ok {
		return ok, err
	}
	return false, host.Release(ctx, tx, id, l.Need)
}

// takeDisks takes room for each disk in its pool, or nothing.
func (l *look) takeDisks(ctx context.Context, tx db.Tx, pools []uid.Pool) (bool, error) {
	for i, p := range pools {
		ok, err := pool.Reserve(ctx, tx, p, l.Disks[i].Bytes)
		if err != nil {
			return false, err
		}
		if !ok { // others were quicker: give back what was taken for the disks before
			for j, taken := range pools[:i] {
				if err := pool.Release(ctx, tx, taken, l.Disks[j].Bytes); err != nil {
					return false, err
				}
			}
			return false, nil
		}
	}
	return true, nil
}

// Pools takes room for disks in pools that a host reaches, in the caller's transaction: for disks of a machine that has its
// place already. It is fault.Full when there is none.
func (s *Service) Pools(ctx context.Context, tx db.Tx, on host.Host, disks []Disk) ([]uid.Pool, error) {
	l, err := s.look(ctx, tx, Want{Zone: on.Zone, Hypervisor: on.Hypervisor, Disks: disks}, false)
	if err != nil {
		return nil, err
	}
	usable, err := l.poolsOf(ctx, tx, []uid.Host{on.ID})
	if err != nil {
		return nil, err
	}
	if pools := usable[on.ID].choose(disks); len(pools) == len(disks) {
		if ok, err := l.takeDisks(ctx, tx, pools); err != nil || ok {
			return pools, err
		}
	}
	var wanted []string
	for _, k := range kinds(disks) {
		wanted = append(wanted, k.String())
	}
	return nil, fault.Fullf("there is not enough primary storage for the disk where the machine is").
		WithDetail("among the pools that host %s reaches; wanted: %s", on.Name, strings.Join(wanted, "; "))
}

// Tags splits a text of tags with commas between them, as offerings, hosts and pools have them.
func Tags(text string) (tags []string) {
	for tag := range strings.SplitSeq(text, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}
