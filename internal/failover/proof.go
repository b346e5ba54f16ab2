package failover

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

const (
	// quiet is for how long there must be no new sign of life: a lease, and what a host may take to end a machine.
	quiet = hypervisor.Lease + 15*time.Second
	// stride is the most that one look counts for, however long ago the one before was: our own clock may leap.
	stride = 10 * time.Second
	// askedAtMost is how many hosts are asked about another one's signs before it is given up for this round.
	askedAtMost = 3
)

// place is a host's in a pool.
type place struct {
	host uid.Host
	pool uid.Pool
}

// sighting is what was last seen of a host in a pool.
type sighting struct {
	sign   string
	at     time.Time
	quiet  time.Duration // for how long it has been the same
	lively bool          // there were others before
}

// proof is what can be said of the machines of a silent host.
type proof struct {
	host    host.Host
	witness hypervisor.Witness // nil: its driver knows none
	volumes map[uid.VM][]volume.Volume
	pools   map[uid.Pool]pool.Pool
	out     map[uid.Pool]uid.Host // pools where the lease is out, with a host that reaches it
	blank   map[uid.Pool]uid.Host // pools where there has not been any sign of life for as long, likewise
	why     map[uid.Pool]string   // why it is not, where that is worth telling
}

// verdict is what became of a machine. Without a reason it is too early to tell.
type verdict struct {
	ended bool
	why   string
}

// look looks for signs of life of a host in the pools that its machines have disks in.
func (s *Service) look(ctx context.Context, h host.Host, machines []compute.VM) (*proof, error) {
	p := &proof{host: h, out: map[uid.Pool]uid.Host{}, blank: map[uid.Pool]uid.Host{}, why: map[uid.Pool]string{}}
	driver, err := s.hosts.Driver(h.Hypervisor)
	if err != nil {
		return nil, err
	}
	p.witness, _ = driver.(hypervisor.Witness)
	ids := make([]uid.VM, len(machines))
	for i, vm := range machines {
		ids[i] = vm.ID
	}
	if p.volumes, err = volume.Of(ctx, s.db.Read(), ids); err != nil {
		return nil, err
	}
	var in []uid.Pool
	known := map[uid.Pool]bool{}
	for _, all := range p.volumes {
		for _, v := range all {
			if v.Pool != "" && !known[v.Pool] {
				known[v.Pool], in = true, append(in, v.Pool)
			}
		}
	}
	if p.pools, err = pool.ByID(ctx, s.db.Read(), in); err != nil || p.witness == nil {
		return p, err
	}
	for _, one := range p.pools {
		if one.Scope == pool.HostOnly {
			continue
		}
		if err := s.sight(ctx, p, one); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// sight asks another host what it finds of the silent one in a pool, and reckons for how long that has been the same. A look counts from the
// answer of the one before to its own beginning, since in between nobody looked.
func (s *Service) sight(ctx context.Context, p *proof, in pool.Pool) error {
	others, _, err := s.hosts.List(ctx, host.Filter{
		Zone: in.Zone, Cluster: in.Cluster, Hypervisor: p.host.Hypervisor, State: host.Up, Limit: askedAtMost,
	})
	if err != nil {
		return err
	}
	p.why[in.ID] = "no host that is Up can look into pool " + in.Name
	at := place{p.host.ID, in.ID}
	for _, other := range others {
		began := s.db.Now()
		sign, err := p.signSeen(ctx, other.ID, in)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			p.why[in.ID] = fmt.Sprintf("host %s can't look into pool %s: %v", other.Name, in.Name, err)
			continue
		}
		was, known := s.seen[at]
		now := sighting{sign: sign, at: s.db.Now(), lively: known && (was.lively || was.sign != sign)}
		if was.sign == sign {
			now.quiet = was.quiet + min(max(began.Sub(was.at), 0), stride)
		}
		s.seen[at] = now
		switch {
		case sign == "":
			p.why[in.ID] = "the host has never left a sign of life in pool " + in.Name
			if now.quiet >= quiet {
				p.blank[in.ID] = other.ID
			}
		case now.quiet >= quiet:
			p.out[in.ID] = other.ID
			delete(p.why, in.ID)
		case now.lively:
			p.why[in.ID] = fmt.Sprintf("it shows signs of life in pool %s: it is cut off from us alone", in.Name)
		default:
			p.why[in.ID] = ""
		}
		return nil
	}
	return nil
}

// Who is asked may be about to fall silent, too.
const answerWithin = 15 * time.Second

func (p *proof) signSeen(ctx context.Context, by uid.Host, in pool.Pool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return p.witness.Sign(ctx, by, hypervisor.PoolRef{Pool: in.ID, URL: in.URL}, p.host.ID)
}

func (p *proof) held(ctx context.Context, v volume.Volume) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return p.witness.Held(ctx, cmp.Or(p.out[v.Pool], p.blank[v.Pool]), hypervisor.DiskRef{Volume: v.ID, Pool: v.Pool, PoolURL: p.pools[v.Pool].URL})
}

// judge tells whether a machine has ended. One that an operation has in hand may never have been started: then the host has left no sign of life
// in its pools, and disks that were being made need not be there.
func (p *proof) judge(ctx context.Context, vm compute.VM, inHand bool) verdict {
	if p.witness == nil {
		return verdict{why: fmt.Sprintf("hosts of hypervisor %s can't tell of each other", p.host.Hypervisor)}
	}
	disks := 0
	for _, v := range p.volumes[vm.ID] {
		if v.Pool == "" {
			continue
		}
		disks++
		in := p.pools[v.Pool]
		if in.Scope == pool.HostOnly {
			return verdict{why: fmt.Sprintf("volume %s is in the host's own storage", v.Name)}
		}
		if p.out[v.Pool] == "" && (!inHand || p.blank[v.Pool] == "") {
			return verdict{why: p.why[v.Pool]}
		}
	}
	if disks == 0 {
		return verdict{why: "it has no disk that could tell"}
	}
	for _, v := range p.volumes[vm.ID] { // only now: a lease that is not out says more than a lock
		if v.Pool == "" {
			continue
		}
		held, err := p.held(ctx, v)
		switch {
		case inHand && (v.State == volume.Creating || v.State == volume.Attaching) && fault.Is(err, fault.Conflict):
			// who saw the signs has the storage, and not the disk
		case err != nil:
			return verdict{why: fmt.Sprintf("nobody can tell whether volume %s is in use: %v", v.Name, err)}
		case held:
			return verdict{why: fmt.Sprintf("volume %s is in use: it runs on", v.Name)}
		}
	}
	return verdict{ended: true, why: "has shown no sign of life for so long that the machine has ended; nobody holds its disks"}
}
