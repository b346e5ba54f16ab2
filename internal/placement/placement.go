package placement

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// Want is what a machine needs, and where it may or must be. Empty fields don't restrict.
type Want struct {
	VM         uid.VM
	Zone       uid.Zone
	Hypervisor string
	Need       host.Need
	Disks      []int64     // bytes of each disk that is still to be made
	Cluster    uid.Cluster // where its made disks are, or where an admin wants it
	Pod        uid.Pod
	Host       uid.Host // the admin's wish: there or nowhere
	Prefer     uid.Host // where it ran before
}

// Place is where a machine goes. The room is taken.
type Place struct {
	Host  uid.Host
	Pools []uid.Pool // one for each disk
}

// tries is how many hosts a placement tries before it looks again for others: under many placements at once the first ones
// may have filled up since they were read.
const tries = 16

// Find takes room for a machine, in the caller's transaction. It is fault.Full, with the reason per host as its detail, when
// no host has it.
func Find(ctx context.Context, tx db.Tx, w Want) (Place, error) {
	for range 3 {
		hosts, err := candidates(ctx, tx, w, tries)
		if err != nil {
			return Place{}, err
		}
		if len(hosts) == 0 {
			break
		}
		for _, h := range w.order(hosts) {
			p, ok, err := take(ctx, tx, w, h)
			if err != nil || ok {
				return p, err
			}
		}
	}
	return Place{}, w.refuse(ctx, tx)
}

// order puts the preferred host first and turns the others by the machine's id: placements that happen at the same time
// then don't all queue for the row of the same, emptiest host.
func (w Want) order(hosts []host.Host) []host.Host {
	h := fnv.New32a()
	_, _ = h.Write([]byte(w.VM))
	turn := int(h.Sum32() % uint32(len(hosts)))
	out := append(append([]host.Host{}, hosts[turn:]...), hosts[:turn]...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].ID == w.Prefer && out[j].ID != w.Prefer })
	return out
}

// take takes the room on one host and in its cluster's pools, or nothing.
func take(ctx context.Context, tx db.Tx, w Want, h host.Host) (Place, bool, error) {
	ok, err := host.Reserve(ctx, tx, h.ID, w.Need)
	if err != nil || !ok {
		return Place{}, false, err
	}
	p := Place{Host: h.ID}
	for _, bytes := range w.Disks {
		id, err := takeDisk(ctx, tx, h.Cluster, bytes)
		if err != nil {
			return Place{}, false, err
		}
		if id == "" { // no room for this disk: give back what was taken for the ones before
			for j, taken := range p.Pools {
				if err := pool.Release(ctx, tx, taken, w.Disks[j]); err != nil {
					return Place{}, false, err
				}
			}
			return Place{}, false, host.Release(ctx, tx, h.ID, w.Need)
		}
		p.Pools = append(p.Pools, id)
	}
	return p, true, nil
}

func takeDisk(ctx context.Context, tx db.Tx, cluster uid.Cluster, bytes int64) (uid.Pool, error) {
	pools, err := pool.OfCluster(ctx, tx, cluster)
	if err != nil {
		return "", err
	}
	for _, p := range pools {
		ok, err := pool.Reserve(ctx, tx, p.ID, bytes)
		if err != nil {
			return "", err
		}
		if ok {
			return p.ID, nil
		}
	}
	return "", nil
}

// refuse says why no host would do.
func (w Want) refuse(ctx context.Context, tx db.Tx) error {
	hosts, err := looked(ctx, tx, w)
	if err != nil {
		return err
	}
	sums := map[string]int{}
	var each []string // for admins only: how many hosts there are is not the users' to know
	for _, h := range hosts {
		sum, detail := w.reason(h)
		sums[sum]++
		if len(each) < 100 { // enough to see what is wrong; a big zone's whole list would be no help
			each = append(each, fmt.Sprintf("%s: %s", h.Name, detail))
		}
	}
	kinds := slices.Sorted(maps.Keys(sums))
	var counts []string
	for _, sum := range kinds {
		counts = append(counts, fmt.Sprintf("%d %s", sums[sum], sum))
	}
	text := fmt.Sprintf("no host has room for this machine (%d MHz, %d MB)", w.Need.CPU, w.Need.Memory)
	if len(hosts) == 0 {
		return fault.Fullf("%s: there is no host for %s machines where it may go", text, w.Hypervisor)
	}
	return fault.Fullf("%s: hosts are %s", text, strings.Join(kinds, " or ")).
		WithDetail("of %d hosts %s; %s", len(hosts), strings.Join(counts, ", "), strings.Join(each, "; "))
}

// reason is why a host would not do: for users, and for admins with figures.
func (w Want) reason(h seen) (sum, detail string) {
	freeMemory, freeCPU := h.MemoryTotal-h.MemoryUsed, h.CPUTotal-h.CPUUsed
	switch {
	case h.Disabled != "":
		return "not in use", "its " + h.Disabled + " is disabled"
	case h.ResourceState != host.Enabled:
		return "not in use", fmt.Sprintf("in resource state %s", h.ResourceState)
	case h.State != host.Up:
		return "not answering", fmt.Sprintf("in state %s", h.State)
	case freeMemory < w.Need.Memory:
		return "without enough memory", fmt.Sprintf("not enough memory (need %d MB, %d free)", w.Need.Memory, freeMemory)
	case freeCPU < w.Need.CPU:
		return "without enough CPU", fmt.Sprintf("not enough CPU (need %d MHz, %d free)", w.Need.CPU, freeCPU)
	default:
		return "without enough primary storage", "not enough room in its cluster's primary storage"
	}
}
