package placement

import (
	"context"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
)

// rooms knows how much of each cluster is given away. To add that up takes a look at every host; so that placements stay as
// quick in a big cloud as in a small one, a sum serves for a while that grows with the number of hosts. Thresholds are soft,
// therefore: placements that happen at the same time may overstep one by what they take themselves.
type rooms struct {
	mu       sync.Mutex
	clusters []cluster
	hosts    int
	at       time.Time
	refusals map[string]refusal // of what was wanted in vain
}

// refusal is what was said to who wanted something, and when.
type refusal struct {
	*fault.Error
	at time.Time
}

// mostRefusals bounds what is remembered of them.
const mostRefusals = 100

// serves tells whether what was found at a time is still new enough.
func (r *rooms) serves(at, now time.Time) bool {
	age := now.Sub(at)
	return r.hosts > fewHosts && age < time.Duration(r.hosts)*sumPerHost && age > -tooFar
}

// big tells whether there are so many hosts that what was found a moment ago serves.
func (r *rooms) big() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hosts > fewHosts
}

// said gives what was said a moment ago, nil for nothing.
func (r *rooms) said(key string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.refusals[key]; ok && r.serves(known.at, now) {
		return known.Error
	}
	return nil
}

func (r *rooms) say(key string, e *fault.Error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusals == nil || len(r.refusals) >= mostRefusals {
		r.refusals = map[string]refusal{}
	}
	r.refusals[key] = refusal{e, now}
}

// cluster is how much of a cluster's hosts there is, and is given away.
type cluster struct {
	sum

	mostCPU, mostMemory int64 // that its thresholds let be given away
}

// tooFar is how much younger than a transaction something may be that serves it. What is younger still is from before a clock
// was set back.
const tooFar = time.Minute

const (
	fewHosts   = 100                    // are added up each time
	sumPerHost = 200 * time.Microsecond // some hundred times what it takes
)

// clusters gives what there is of all clusters, added up now or a while ago. The thresholds are those of the same moment.
func (s *Service) clusters(ctx context.Context, q db.Tx, now bool) ([]cluster, error) {
	r := &s.rooms
	r.mu.Lock()
	fresh := r.serves(r.at, q.Now)
	known := r.clusters
	if !fresh && r.hosts > fewHosts {
		r.at = q.Now // the others go on with the old sums meanwhile
	}
	r.mu.Unlock()
	if fresh && !now {
		return known, nil
	}
	sums, err := sumClusters(ctx, q)
	if err != nil {
		return nil, err
	}
	hosts, clusters := 0, make([]cluster, len(sums))
	for i, c := range sums {
		of, in := setting.InCluster(c.ID), setting.InZone(c.Zone)
		hosts += c.Hosts
		clusters[i] = cluster{
			sum:        c,
			mostCPU:    part(c.CPUTotal, setting.CPUDisableThreshold.Of(s.settings, of, in)),
			mostMemory: part(c.MemoryTotal, setting.MemoryDisableThreshold.Of(s.settings, of, in)),
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clusters, r.hosts, r.at = clusters, hosts, q.Now
	return clusters, nil
}

// part is a threshold as an amount. The least bit more is for what decimals like 0.85 are not exactly.
func part(total int64, threshold float64) int64 { return int64(float64(total)*threshold + 1e-6) }

// full gives the zone's clusters that would pass their threshold of CPU, or of memory, if they took the machine.
func (w Want) full(all []cluster) (cpu, memory []cluster) {
	for _, c := range all {
		if c.Zone != w.Zone {
			continue
		}
		if c.CPUUsed+w.Need.CPU > c.mostCPU {
			cpu = append(cpu, c)
		}
		if c.MemoryUsed+w.Need.Memory > c.mostMemory {
			memory = append(memory, c)
		}
	}
	return cpu, memory
}
