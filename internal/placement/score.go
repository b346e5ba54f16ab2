package placement

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

const (
	firstFit       = "firstfit"       // fills one host after the other
	userDispersing = "userdispersing" // keeps an account's machines apart
)

// scorer says how good a candidate is, from 0 to 1.
type scorer struct {
	name string
	of   func(l *look, h candidate) float64
}

// The scorers.
var (
	// last is for the host that the machine ran on before.
	last = scorer{"last", func(l *look, h candidate) float64 {
		if h.ID == l.Prefer {
			return 1
		}
		return 0
	}}
	// chance is a number that differs from machine to machine: placements that happen at the same time then don't all queue for
	// the row of the same host.
	chance = scorer{"chance", func(l *look, h candidate) float64 {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(l.VM))
		_, _ = sum.Write([]byte(h.ID))
		x := sum.Sum64() // of texts that are much alike; the rest mixes it well
		x ^= x >> 33
		x *= 0xff51afd7ed558ccd
		x ^= x >> 33
		return float64(x>>11) / (1 << 53)
	}}
	// first is higher for older hosts.
	first = scorer{"first", func(_ *look, h candidate) float64 { return 1 / float64(1+h.place) }}
	// free is the part that is left of the host's memory or CPU, whichever is less, once the machine is there.
	free = scorer{"free", func(l *look, h candidate) float64 {
		left := func(used, need, total int64) float64 { return 1 - float64(used+need)/float64(max(total, 1)) }
		return max(0, min(left(h.MemoryUsed, l.Need.Memory, h.MemoryTotal), left(h.CPUUsed, l.Need.CPU, h.CPUTotal)))
	}}
	// spread is lower the more machines the account has there.
	spread = scorer{"spread", func(_ *look, h candidate) float64 { return 1 / float64(1+h.mine) }}
)

type weight struct {
	scorer
	weight float64
}

// algorithms are the values of vm.allocation.algorithm, and how much each scorer counts under them.
var algorithms = map[string][]weight{
	"random":                {{last, 100}, {chance, 1}},
	firstFit:                {{last, 100}, {first, 1}},
	"firstfitleastconsumed": {{last, 100}, {free, 1}},
	userDispersing:          {{last, 100}, {spread, 1}, {chance, 0.01}},
}

// weights are how much each scorer counts. Of machines that are to be kept apart the setting vm.user.dispersion.weight says how much
// that counts against how empty a host is.
func (l *look) weights() []weight {
	apart := setting.DispersionWeight.Of(l.settings)
	if l.algorithm != userDispersing || apart == 1 {
		return algorithms[l.algorithm]
	}
	return []weight{{last, 100}, {spread, apart}, {free, 1 - apart}, {chance, 0.01}}
}

// planners are the algorithms that service offerings may choose for their machines.
var planners = map[string]string{offering.FirstFitPlanner: firstFit, offering.UserDispersingPlanner: userDispersing}

// Part is what one scorer contributed to a score.
type Part struct {
	Name   string
	Value  float64 // from 0 to 1
	Weight float64
}

// score gives a candidate's score and what it is made of.
func (l *look) score(h candidate) (total float64, parts []Part) {
	for _, w := range l.weights() {
		if w.name == last.name && l.Prefer == "" {
			continue
		}
		p := Part{w.name, w.of(l, h), w.weight}
		total += p.Value * p.Weight
		parts = append(parts, p)
	}
	return total, parts
}

// order puts the best candidates first.
func (l *look) order(ctx context.Context, q db.Tx, hosts []candidate) ([]candidate, error) {
	if err := l.countMine(ctx, q, hosts); err != nil {
		return nil, err
	}
	scores := make(map[uid.Host]float64, len(hosts))
	for _, h := range hosts {
		scores[h.ID], _ = l.score(h)
	}
	slices.SortStableFunc(hosts, func(a, b candidate) int { return cmp.Compare(scores[b.ID], scores[a.ID]) })
	return hosts, nil
}

// countMine counts the machines that the account has on the hosts, where that counts.
func (l *look) countMine(ctx context.Context, q db.Tx, hosts []candidate) error {
	counts := slices.ContainsFunc(l.weights(), func(w weight) bool { return w.name == spread.name })
	if !counts || l.Mine == nil || len(hosts) < 2 {
		return nil
	}
	ids := make([]uid.Host, len(hosts))
	for i, h := range hosts {
		ids[i] = h.ID
	}
	mine, err := l.Mine(ctx, q, ids)
	for i := range hosts {
		hosts[i].mine = mine[hosts[i].ID]
	}
	return err
}
