package failover

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// question is what an operation asks about a host.
type question struct {
	job  op.ID
	host uid.Host
}

// inHand gives what operations ask about a silent host, and the machines that it is about.
func (s *Service) inHand(ctx context.Context, on uid.Host) ([]inquest.Inquest, []compute.VM, error) {
	asked, err := inquest.Open(ctx, s.db.Read(), on)
	if err != nil || len(asked) == 0 {
		return nil, nil, err
	}
	ids := make([]uid.VM, len(asked))
	for i, one := range asked {
		ids[i] = one.VM
	}
	known, err := compute.ByID(ctx, s.db.Read(), ids)
	machines := make([]compute.VM, len(asked))
	for i, one := range asked {
		machines[i] = known[one.VM]
	}
	return asked, machines, err
}

// answer tells operations which machines have ended that they had in hand when a host died, by what was seen since they asked. It names those of
// which it is not known.
func (s *Service) answer(ctx context.Context, p *proof, asked []inquest.Inquest, machines []compute.VM) (open []string, err error) {
	for q := range s.asked {
		if q.host == p.host.ID && !slices.ContainsFunc(asked, func(i inquest.Inquest) bool { return i.Operation == q.job }) {
			delete(s.asked, q)
		}
	}
	for i, one := range asked {
		vm := machines[i]
		if !s.quietSince(question{one.Operation, one.Host}, p, vm) {
			continue
		}
		verdict := p.judge(ctx, vm, true)
		switch {
		case verdict.ended:
			err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return inquest.Prove(ctx, tx, one) })
			if err != nil {
				return nil, err
			}
		case verdict.why != "":
			open = append(open, fmt.Sprintf("%s, which job %s has in hand (%s)", vm.InstanceName, one.Operation, verdict.why))
		}
	}
	return open, nil
}

// quietSince tells whether all pools of a machine have been quiet for long enough since a question was first seen. What was seen before it was
// asked does not count.
func (s *Service) quietSince(q question, p *proof, vm compute.VM) bool {
	base, known := s.asked[q]
	if !known {
		base = map[uid.Pool]time.Duration{}
		s.asked[q] = base
	}
	for _, v := range p.volumes[vm.ID] {
		now := s.seen[place{q.host, v.Pool}].quiet
		if was, counted := base[v.Pool]; !counted {
			base[v.Pool] = now
		} else if now < was { // there was a sign of life in between
			base[v.Pool] = 0
		}
		if v.Pool != "" && p.pools[v.Pool].Host == "" && now-base[v.Pool] < quiet {
			return false
		}
	}
	return known
}

// resume has operations tried again that gave up while they waited for an answer, or for the host, and forgets what nobody asks any more.
func (s *Service) resume(ctx context.Context) error {
	jobs, err := inquest.Stuck(ctx, s.db.Read())
	if err != nil {
		return err
	}
	for _, id := range jobs {
		if err := s.engine.Cancel(ctx, auth.Scope{All: true}, id); err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return inquest.Sweep(ctx, s.db)
}
