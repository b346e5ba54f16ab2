package remote_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/bus/bustest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/internal/hypervisor/remote"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

var (
	_ hypervisor.Driver    = (*remote.Driver)(nil)
	_ hypervisor.Storer    = (*remote.Driver)(nil)
	_ hypervisor.Imager    = (*remote.Driver)(nil)
	_ hypervisor.Plugger   = (*remote.Driver)(nil)
	_ hypervisor.Migrator  = (*remote.Driver)(nil)
	_ hypervisor.Networker = (*remote.Driver)(nil)
	_ hypervisor.Guarder   = (*remote.Driver)(nil)

	_ hypervisor.RouterCounter = (*remote.Driver)(nil)
	_ hypervisor.Mesher        = (*remote.Driver)(nil)

	_ hypervisor.CardPlugger  = (*remote.Driver)(nil)
	_ hypervisor.Ejector      = (*remote.Driver)(nil)
	_ hypervisor.Resizer      = (*remote.Driver)(nil)
	_ hypervisor.Snapshotter  = (*remote.Driver)(nil)
	_ hypervisor.Checkpointer = (*remote.Driver)(nil)
	_ hypervisor.Meter        = (*remote.Driver)(nil)
	_ hypervisor.Carrier      = (*remote.Driver)(nil)
	_ hypervisor.Gauge        = (*remote.Driver)(nil)
)

var quiet = slog.New(slog.DiscardHandler)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// park is a bus with hosts that dial in to it.
type park struct {
	*bus.Server
	client *tls.Config
	keys   map[uid.Host]bus.Key
}

func open(t *testing.T, hosts ...uid.Host) *park {
	t.Helper()
	p := &park{keys: map[uid.Host]bus.Key{}}
	known := map[string]uid.Host{}
	for _, h := range hosts {
		k, err := bus.NewKey()
		ok(t, err)
		public, err := k.Public()
		ok(t, err)
		p.keys[h], known[public] = k, h
	}
	server, client := bustest.TLS(t)
	p.client = client
	var err error
	p.Server, err = bus.Open(bus.Options{Listen: "127.0.0.1:0", TLS: server, Log: quiet, Admit: func(d bus.Dialed) (string, error) {
		if h, ok := known[d.Key]; ok {
			return string(h), nil
		}
		return "", errors.New("unknown")
	}})
	ok(t, err)
	t.Cleanup(p.Close)
	return p
}

// agent dials in for a host and answers with a driver.
func (p *park) agent(t *testing.T, host uid.Host, d hypervisor.Driver, log *slog.Logger) *bus.Conn {
	t.Helper()
	c, err := bus.Dial(bus.DialOptions{Server: p.Address().String(), TLS: p.client, Name: string(host), Key: p.keys[host], Log: quiet})
	ok(t, err)
	t.Cleanup(c.Close)
	ok(t, remote.Serve(c, host, d, log))
	return c
}

// A driver over the bus is as good as the driver at the other end.
func TestDriver(t *testing.T) {
	t.Parallel()
	hypervisortest.Run(t, func(t *testing.T) hypervisortest.Env {
		path := filepath.Join(t.TempDir(), "world.db")
		hosts := []uid.Host{uid.New[uid.Host](), uid.New[uid.Host]()}
		p := open(t, hosts...)
		world, agents := (*sim.World)(nil), []*bus.Conn(nil)
		begin := func(t *testing.T) hypervisor.Driver {
			for _, a := range agents {
				a.Close()
			}
			if world != nil {
				ok(t, world.Close())
			}
			var err error
			world, err = sim.Open(path, sim.Options{})
			ok(t, err)
			agents = nil
			for _, h := range hosts {
				ok(t, world.Enroll(t.Context(), h, hypervisor.Capacity{}))
				agents = append(agents, p.agent(t, h, world, quiet))
			}
			return remote.New(p.Conn())
		}
		t.Cleanup(func() { _ = world.Close() })
		return hypervisortest.Env{
			Driver: begin(t), Hosts: hosts, Pool: uid.New[uid.Pool](), Template: uid.New[uid.Template](), TemplateBytes: 1 << 30, Reopen: begin,
		}
	})
}

// What a driver refuses arrives as the refusal that it was, and one that can do less says so.
func TestRefusals(t *testing.T) {
	t.Parallel()
	host, log := uid.New[uid.Host](), bytes.Buffer{}
	p := open(t, host)
	p.agent(t, host, &sulky{}, slog.New(slog.NewTextHandler(&log, nil)))
	d := remote.New(p.Conn())
	err := d.Start(t.Context(), host, hypervisor.Machine{Password: secret.New("hush")})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Full || f.Text != `no room for "hush"` || f.Detail != "in detail" {
		t.Errorf("got %#v", err)
	}
	if _, err := d.Probe(t.Context(), host); !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "an accident") {
		t.Errorf("an accident there is %v here", err)
	}
	if !strings.Contains(log.String(), "an accident") || strings.Contains(log.String(), "hush") {
		t.Errorf("the agent's log says %q", log.String())
	}
	if err := d.Plug(t.Context(), host, "", hypervisor.Attachment{}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a driver that can't plug gives %v", err)
	}
}
