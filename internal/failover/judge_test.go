package failover

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// absent is a witness that finds no disk, or one that is held.
type absent struct{ held bool }

func (absent) Sign(context.Context, uid.Host, hypervisor.PoolRef, uid.Host) (string, error) {
	return "", nil
}

func (a absent) Held(context.Context, uid.Host, hypervisor.DiskRef) (bool, error) {
	if a.held {
		return true, nil
	}
	return false, fault.Conflictf("it is not there")
}

// What an operation had in hand may never have come about: a host that has left no sign, and a disk that is not there, tell of that, and tell
// nothing of a machine that ran. A disk that is held, or in the host's own storage, is proof of nothing for either.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		state  volume.State
		scope  pool.Scope
		blank  bool // the host has never left a sign of life
		quiet  bool // it has not left one for long enough, or for as long not any
		held   bool
		inHand bool
		want   bool
	}{
		{"being made, and in hand", volume.Creating, pool.ClusterWide, false, true, false, true, true},
		{"being attached, and in hand", volume.Attaching, pool.ClusterWide, false, true, false, true, true},
		{"never a sign, in hand", volume.Creating, pool.ClusterWide, true, true, false, true, true},
		{"never a sign, but held", volume.Creating, pool.ClusterWide, true, true, true, true, false},
		{"never a sign, too early", volume.Creating, pool.ClusterWide, true, false, false, true, false},
		{"a disk that was there is gone", volume.Ready, pool.ClusterWide, false, true, false, true, false},
		{"it ran", volume.Creating, pool.ClusterWide, false, true, false, false, false},
		{"it ran, without a sign", volume.Creating, pool.ClusterWide, true, true, false, false, false},
		{"in the host's own storage", volume.Creating, pool.HostOnly, false, true, false, true, false},
	} {
		p := &proof{
			witness: absent{c.held}, out: map[uid.Pool]uid.Host{}, blank: map[uid.Pool]uid.Host{}, why: map[uid.Pool]string{"p": "why"},
			volumes: map[uid.VM][]volume.Volume{"m": {{ID: "v", Pool: "p", State: c.state}}}, pools: map[uid.Pool]pool.Pool{"p": {ID: "p", Scope: c.scope}},
		}
		switch {
		case c.blank && c.quiet:
			p.blank["p"] = "other"
		case c.quiet:
			p.out["p"] = "other"
		}
		if got := p.judge(t.Context(), compute.VM{ID: "m"}, c.inHand); got.ended != c.want || got.why == "" {
			t.Errorf("%s: %+v, want ended %v", c.name, got, c.want)
		}
	}
}
