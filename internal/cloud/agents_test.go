package cloud_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wire "github.com/virga-cloud/virga/api/agent"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/node"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// quick waits out a silence, of an agent that ends over a question, before its host is Down for having been gone for so long.
var quick = bus.Timing{Beat: 20 * time.Millisecond, Silence: 5 * time.Second}

// farm is two servers over one database, that agents can dial in to.
type farm struct {
	*testing.T
	a, b    *cloud.Cloud
	forward *atomic.Int64
	cluster uid.Cluster
	peers   *sync.Map // what hosts were told of others, by host
}

// meshed is a host that carries guest networks to others.
type meshed struct {
	*sim.World
	peers *sync.Map
}

// ApplyPeers implements [hypervisor.Mesher].
func (m meshed) ApplyPeers(_ context.Context, host uid.Host, p hypervisor.Peers) error {
	if was, ok := m.peers.Load(host); !ok || was.(hypervisor.Peers).Version < p.Version {
		m.peers.Store(host, p)
	}
	return nil
}

// knows tells whether a host was told that others are at these addresses.
func (f *farm) knows(id uid.Host, addresses ...string) bool {
	p, ok := f.peers.Load(id)
	return ok && slices.Equal(p.(hypervisor.Peers).Addresses, addresses)
}

func newFarm(t *testing.T) *farm {
	t.Helper()
	f := &farm{T: t, forward: &atomic.Int64{}, peers: &sync.Map{}}
	url, dir := dbtest.Postgres(t), t.TempDir()
	clock := func() time.Time { return time.Now().Add(time.Duration(f.forward.Load())) }
	server := func(name string) *cloud.Cloud {
		c, err := cloud.Open(t.Context(), cloud.Config{
			Dir: dir, Database: url, Name: name, World: filepath.Join(dir, "world.db"), PasswordCost: auth.TestCost(),
			Agents:    cloud.Agents{Listen: "127.0.0.1:0", Timing: quick, Look: 50 * time.Millisecond},
			DBOptions: db.Options{Clock: clock, NoSync: true}, Engine: op.Options{Poll: 20 * time.Millisecond, Pause: 5 * time.Millisecond},
		})
		must(t, err)
		t.Cleanup(c.Close)
		return c
	}
	f.a, f.b = server("a"), server("b")
	_, err := f.a.Accounts.Bootstrap(t.Context(), account.BootstrapIn{Password: secret.New("password")})
	must(t, err)
	must(t, f.a.Seed(t.Context(), cloud.SeedIn{Hosts: 1}))
	must(t, f.a.Start(t.Context()))
	must(t, f.b.Start(t.Context()))
	ctx := f.root()
	pods, _, err := f.a.Zones.Pods(ctx, zone.Filter{})
	must(t, err)
	must(t, f.a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := f.a.Zones.AddCluster(ctx, tx, zone.Cluster{Zone: pods[0].Zone, Pod: pods[0].ID, Name: "real", Hypervisor: "KVM"})
		f.cluster = c.ID
		return err
	}))
	return f
}

func (f *farm) root() context.Context { return auth.With(f.Context(), auth.System()) }

// token invites an agent, to the cluster or to nowhere yet.
func (f *farm) token(cluster uid.Cluster) string {
	f.Helper()
	made, secret, err := f.a.Agents.Invite(f.root(), agent.InviteIn{Place: agent.Place{Cluster: cluster}})
	must(f.T, err)
	authority, err := f.a.Agents.Authority(f.Context())
	must(f.T, err)
	return wire.Token{ID: made.ID, Secret: secret.Reveal(), CA: wire.Fingerprint(authority.DER())}.Text()
}

// agent runs one until the test ends, or it is stopped. Its log is what it said.
func (f *farm) agent(name, dir, token string) (log *said, stop func()) {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	log = &said{}
	var done sync.WaitGroup
	done.Go(func() {
		err := node.Run(ctx, node.Options{
			Servers: []string{f.a.AgentsAt().String(), f.b.AgentsAt().String()}, Token: token, Dir: dir, Name: name, Address: "192.0.2." + name[1:],
			Open: func(ctx context.Context, h uid.Host, _ string) (m node.Machine, err error) {
				world, err := sim.Open(filepath.Join(dir, "world.db"), sim.Options{})
				if err == nil {
					err = world.Enroll(ctx, h, hypervisor.Capacity{})
				}
				return node.Machine{Driver: meshed{world, f.peers}, Close: world.Close}, err
			},
			Timing: quick, Again: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		if err != nil {
			_, _ = log.Write([]byte(err.Error()))
		}
	})
	stop = func() { cancel(); done.Wait() }
	f.Cleanup(stop)
	return log, stop
}

// until polls for something that others do.
func (f *farm) until(what string, happened func() bool) {
	f.Helper()
	limit, tick := time.NewTimer(time.Minute), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-limit.C:
			f.Fatalf("no %s after a minute", what)
		}
	}
}

// host is the one of a name, the zero one where there is none.
func (f *farm) host(name string) host.Host {
	f.Helper()
	hosts, _, err := f.a.Hosts.List(f.root(), host.Filter{Name: name})
	must(f.T, err)
	if len(hosts) == 0 {
		return host.Host{}
	}
	return hosts[0]
}

func (f *farm) becomes(name string, s host.State) host.Host {
	f.Helper()
	f.until(name+" "+string(s), func() bool { return f.host(name).State == s })
	return f.host(name)
}

// reaches tells whether a server reaches a host.
func reaches(c *cloud.Cloud, id uid.Host) error {
	d, err := c.Hosts.Driver("KVM")
	if err == nil {
		_, err = d.Probe(context.Background(), id)
	}
	return err
}

// An agent serves both servers. When it falls silent its host becomes Alert and then Down, when it is there again Up; when the host
// is deleted, no server hears it any more.
func TestAgentOfTwoServers(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	ctx, dir := f.root(), t.TempDir()
	_, stop := f.agent("h1", dir, f.token(f.cluster))
	h := f.becomes("h1", host.Up)
	if h.Cluster != f.cluster || h.IPAddress != "192.0.2.1" {
		t.Errorf("the host is %+v", h)
	}
	for _, c := range []*cloud.Cloud{f.a, f.b} {
		f.until("connection to both servers", func() bool { return reaches(c, h.ID) == nil })
	}

	stop()
	f.until("silence", func() bool {
		return fault.Is(reaches(f.a, h.ID), fault.Unavailable) && fault.Is(reaches(f.b, h.ID), fault.Unavailable)
	})
	must(t, f.a.Hosts.CheckHealth(ctx))
	f.becomes("h1", host.Alert)
	f.forward.Add(int64(time.Hour))
	must(t, f.a.Hosts.CheckHealth(ctx))
	f.becomes("h1", host.Down)
	if n := f.alerts(h.ID); n != 1 {
		t.Errorf("%d alerts for a host that is Down", n)
	}
	log, stop := f.agent("h1", dir, "")
	f.becomes("h1", host.Up)
	f.until("the end of the alert", func() bool { return f.alerts(h.ID) == 0 })
	for _, c := range []*cloud.Cloud{f.a, f.b} {
		f.until("connection to both servers", func() bool { return reaches(c, h.ID) == nil })
	}

	must(t, f.b.Hosts.Delete(ctx, h.ID, host.DeleteIn{Forced: true}))
	f.until("it to be cut off", func() bool { return reaches(f.a, h.ID) != nil && reaches(f.b, h.ID) != nil })
	f.until("words for that", func() bool { return strings.Contains(log.String(), "does not let the agent") })
	stop()
}

// alerts counts those of a host that last.
func (f *farm) alerts(id uid.Host) (n int) {
	f.Helper()
	all, _, err := alert.List(f.Context(), f.a.DB.Read(), alert.Filter{})
	must(f.T, err)
	for _, a := range all {
		if a.Type == alert.Host && a.Subject == string(id) && a.Resolved.IsZero() {
			n++
		}
	}
	return n
}

// A host whose token says no place waits for addHost. One agent can't speak for another's host.
func TestAgentThatWaits(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	c, err := zone.FindCluster(f.Context(), f.a.DB.Read(), f.cluster)
	must(t, err)
	in := host.JoinIn{Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Hypervisor: "KVM", URL: "http://h7", Tags: []string{"slow"}}
	if _, err := f.a.Agents.AddHost(f.root(), in); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "createAgentToken") {
		t.Errorf("without an agent: %v", err)
	}
	log, _ := f.agent("h7", t.TempDir(), f.token(""))
	f.until("waiting", func() bool { return strings.Contains(log.String(), "waits for a place") })
	f.until("a connection that is served", func() bool { _, err = f.a.Agents.AddHost(f.root(), in); return err == nil })
	if h := f.becomes("h7", host.Up); h.Tags != "slow" || h.IPAddress != "192.0.2.7" {
		t.Errorf("the host is %+v", h)
	}
	used := f.token(f.cluster)
	first, _ := f.agent("h8", t.TempDir(), used)
	h7, h8 := f.host("h7"), f.becomes("h8", host.Up)
	must(t, f.a.Peers.Round(f.root())) // a keeper's, every few seconds
	f.until("hosts that know each other", func() bool { return f.knows(h7.ID, "192.0.2.8") && f.knows(h8.ID, "192.0.2.7") })
	second, _ := f.agent("h9", t.TempDir(), used)
	f.until("the refusal of a token that was used", func() bool { return strings.Contains(second.String(), "has been used") })
	if text := first.String(); strings.Contains(text, "used") {
		t.Errorf("the first agent with that token: %s", text)
	}
	guessed, _ := f.agent("h9", t.TempDir(), used[:40]+"1"+used[41:])
	f.until("the refusal of a guess", func() bool { return strings.Contains(guessed.String(), "does not take the token") })
	must(t, f.b.Hosts.Delete(f.root(), h8.ID, host.DeleteIn{Forced: true}))
	must(t, f.b.Peers.Round(f.root()))
	f.until("a host that is alone", func() bool { return f.knows(h7.ID) })
	stranger, _ := f.agent("h9", t.TempDir(), used[:len(used)-43]+wire.Fingerprint(nil))
	f.until("an agent to notice that it is not its cloud", func() bool { return strings.Contains(stranger.String(), "no server of the cloud") })
}

// said is a log.
type said struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write adds to it.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String is what it says.
func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
