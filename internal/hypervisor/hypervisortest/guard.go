package hypervisortest

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// guards describes rules of a card that may come, of all kinds.
func (b *bench) guards() hypervisor.Guards {
	group := uid.New[uid.SecurityGroup]()
	return hypervisor.Guards{
		Version: 3,
		Groups:  []hypervisor.GuardGroup{{Group: group, Addresses: []string{"10.211.0.7", "2001:db8::7"}}},
		Ports: []hypervisor.Guard{{
			NIC: uid.New[uid.NIC](),
			Ingress: []hypervisor.GuardRule{
				{Match: hypervisor.Match{Protocol: "tcp", From: 22, To: 22, Sources: []string{"198.51.100.0/24", "2001:db8:1::/48"}}},
				{Match: hypervisor.Match{Protocol: "icmp", ICMPType: 8, ICMPCode: -1}, Groups: []uid.SecurityGroup{group}},
			},
			Egress: []hypervisor.GuardRule{{Match: hypervisor.Match{Protocol: "47", Targets: []string{"0.0.0.0/0"}}}},
		}},
	}
}

func testGuards(t *testing.T, b *bench) {
	d := able[hypervisor.Guarder](b)
	g := b.guards()
	b.ok(d.ApplyGuards(b.ctx(), b.host, g))
	b.ok(d.ApplyGuards(b.ctx(), b.host, g))
	older := g
	older.Version, older.Ports = 2, nil
	b.ok(d.ApplyGuards(b.ctx(), b.host, older))
	if w, ok := b.Driver.(interface {
		Guards(ctx context.Context, host uid.Host) (hypervisor.Guards, error)
	}); ok {
		has, err := w.Guards(b.ctx(), b.host)
		if b.ok(err); has.Version != g.Version || len(has.Ports) != 1 {
			t.Errorf("the host has %+v, want version %d", has, g.Version)
		}
	}
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	b.cancelled(d.ApplyGuards(ctx, b.host, g))
	b.fails(d.ApplyGuards(b.ctx(), uid.New[uid.Host](), g), fault.Unavailable)
	again := b.Reopen(t)
	b.ok(again.Recover(b.ctx()))
	b.ok(again.(hypervisor.Guarder).ApplyGuards(b.ctx(), b.host, older))
	g.Version, g.Ports, g.Groups = 4, nil, nil
	b.ok(again.(hypervisor.Guarder).ApplyGuards(b.ctx(), b.host, g))
}
