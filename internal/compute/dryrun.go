package compute

import (
	"context"
	"errors"
	"hash/fnv"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// DryRun is what a deployment would do.
type DryRun struct {
	placement.Ranking
	Disks []volume.Type // of the disks that would be made, in the order of each host's pools
}

// Feasible tells whether there is a place for the machine.
func (d DryRun) Feasible() bool { return len(d.Hosts) > 0 }

// errDryRun ends the transaction of a dry run: nothing of it is to remain.
var errDryRun = errors.New("a dry run")

// TryDeploy tells where a deployment would put its machine. It is refused as the deployment would be, and takes the same way up
// to where that commits; nothing of it remains, and no serial number and no address is used up. The places are looked at
// afterwards, so that nobody waits for it.
func (s *Service) TryDeploy(ctx context.Context, in DeployIn) (DryRun, error) {
	if err := in.check(s.settings); err != nil {
		return DryRun{}, err
	}
	var want placement.Want
	var out DryRun
	for attempt := 1; ; attempt++ {
		id := uid.New[uid.VM]()
		in.serial, in.macs = outOfSeries(id)
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			q, j := Request(ctx, id, "deployVirtualMachine"), job{VM: id, Was: Stopped, in: &in, Wish: in.wish()}
			if err := s.allocate(ctx, tx, &q, &j); err != nil {
				return err
			}
			if err := network.Implement(ctx, tx, id); err != nil {
				return err
			}
			vm, err := know(ctx, tx, id) // this comes last: it is answered after all that was written before
			if err != nil {
				return err
			}
			want, _ = vm.want(j.Wish)
			out.Disks = nil
			for _, d := range vm.disks {
				out.Disks = append(out.Disks, d.Type)
			}
			return errDryRun
		})
		if errors.Is(err, errDryRun) {
			break
		}
		if !db.IsUnique(err) || attempt == clashes {
			return DryRun{}, err
		}
	}
	var err error
	out.Ranking, err = s.placement.Rank(ctx, s.db.Read(), want)
	return out, err
}

// outOfSeries gives a serial number and one for MAC addresses that no counter ever reaches.
func outOfSeries(id uid.VM) (serial, macs int64) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	n := int64(h.Sum32())
	return -1 - n, 1<<39 + n*64
}
