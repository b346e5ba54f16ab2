package kvm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ports are a bridge in a network namespace of the test's own.
type ports struct {
	t     testing.TB
	space string // "" where there are none: it takes root
	mu    sync.Mutex
	taps  map[uid.NIC]string
	made  int
}

func newPorts(t testing.TB) *ports {
	t.Helper()
	p := &ports{t: t, taps: map[uid.NIC]string{}}
	if _, err := exec.LookPath("ip"); os.Getuid() != 0 || err != nil {
		return p
	}
	space := "vk-" + string(uid.New[uid.Network]())[24:]
	p.run("netns", "add", space)
	p.space = space
	t.Cleanup(func() { p.run("netns", "del", space) })
	p.run("-n", space, "link", "add", "br0", "type", "bridge")
	p.run("-n", space, "addr", "add", "10.9.0.1/24", "dev", "br0")
	p.run("-n", space, "link", "set", "br0", "up")
	return p
}

func (p *ports) run(args ...string) {
	p.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		p.t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (p *ports) Plug(_ context.Context, n hypervisor.NIC) (Tap, error) {
	if p.space == "" {
		return Tap{}, fault.Conflictf("no port for card %s here", n.ID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taps[n.ID] == "" {
		name := fmt.Sprintf("tap%d", p.made)
		p.made++
		p.run("-n", p.space, "tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr")
		p.run("-n", p.space, "link", "set", name, "master", "br0", "up")
		p.taps[n.ID] = name
	}
	return Tap{Name: p.taps[n.ID], MTU: 1450, Namespace: "/run/netns/" + p.space}, nil
}

func (p *ports) Unplug(_ context.Context, id uid.NIC) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := p.taps[id]; name != "" {
		p.run("-n", p.space, "link", "del", name)
		delete(p.taps, id)
	}
	return nil
}
