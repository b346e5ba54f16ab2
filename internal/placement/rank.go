package placement

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Ranking is where a machine could go, best first, and why not elsewhere.
type Ranking struct {
	Algorithm  string
	Considered int      // hosts that came into question
	Suitable   int      // hosts that all filters keep
	Hosts      []Ranked // the first of those
	Groups     []Group  // the others, by reason
	Dropped    []Dropped
	Text       string // why there is no place, in words for anyone; "" where there is one
	Detail     string // for admins: the reasons with figures
}

// Ranked is a host that would do. Those after the first 16 come into play when these have filled up.
type Ranked struct {
	ID      uid.Host
	Name    string
	Pod     uid.Pod
	Cluster uid.Cluster
	Score   float64
	Parts   []Part
	Pools   []uid.Pool // one for each disk that is still to be made
}

// Dropped is a host that would not do.
type Dropped struct {
	ID      uid.Host
	Name    string
	Pod     uid.Pod
	Cluster uid.Cluster
	Filter  string
	Reason  string
}

// most is how many hosts a ranking has of each sort.
const most = 100

// Rank tells where the machine would go if it were placed now. It changes nothing.
func (s *Service) Rank(ctx context.Context, q db.Tx, w Want) (Ranking, error) {
	l, err := s.look(ctx, q, w, true)
	if err != nil {
		return Ranking{}, err
	}
	e, err := l.explain(ctx, q)
	if err != nil {
		return Ranking{}, err
	}
	hosts, err := l.ranked(ctx, q)
	if err != nil {
		return Ranking{}, err
	}
	r := Ranking{Algorithm: l.algorithm, Considered: e.considered, Suitable: e.fit}
	var without []candidate // of pools that hold all the disks together
	if r.Hosts, without, err = l.withPools(ctx, q, hosts); err != nil {
		return Ranking{}, err
	}
	r.Suitable -= len(without)
	e.taken(len(without))
	r.Groups = e.groups
	dropped, err := l.each(ctx, q, most)
	if err != nil {
		return Ranking{}, err
	}
	for _, h := range dropped {
		f := l.filters[h.Dropped]
		r.Dropped = append(r.Dropped, Dropped{h.ID, h.Name, h.Pod, h.Cluster, f.name, f.why(h)})
	}
	for _, h := range without {
		r.Dropped = append(r.Dropped, Dropped{h.ID, h.Name, h.Pod, h.Cluster, "storage", "not enough primary storage for all disks together"})
	}
	if len(e.groups) > 0 {
		r.Detail = e.counts()
	}
	if len(r.Hosts) == 0 {
		r.Text = e.text()
	}
	return r, nil
}

// ranked gives the candidates as a placement would try them, and those that come after them.
func (l *look) ranked(ctx context.Context, q db.Tx) (all []candidate, err error) {
	seen := map[uid.Host]bool{}
	for _, only := range l.stages() {
		hosts, err := l.candidates(ctx, q, only, most)
		if err != nil {
			return nil, err
		}
		next := min(tries, len(hosts))
		if _, err := l.order(ctx, q, hosts[:next]); err != nil {
			return nil, err
		}
		if err := l.countMine(ctx, q, hosts[next:]); err != nil {
			return nil, err
		}
		for _, h := range hosts {
			if !seen[h.ID] {
				seen[h.ID] = true
				all = append(all, h)
			}
		}
	}
	return all, nil
}

// withPools gives those hosts whose pools hold the disks, with these pools, and the others.
func (l *look) withPools(ctx context.Context, q db.Tx, hosts []candidate) (ranked []Ranked, without []candidate, err error) {
	ids := make([]uid.Host, len(hosts))
	for i, h := range hosts {
		ids[i] = h.ID
	}
	usable := reached{}
	if len(ids) > 0 {
		if usable, err = l.poolsOf(ctx, q, ids); err != nil {
			return nil, nil, err
		}
	}
	for _, h := range hosts {
		pools := usable[h.ID].choose(l.Disks)
		if len(pools) < len(l.Disks) {
			without = append(without, h)
			continue
		}
		score, parts := l.score(h)
		ranked = append(ranked, Ranked{h.ID, h.Name, h.Pod, h.Cluster, score, parts, pools})
	}
	return ranked, without, nil
}
