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
	taps  map[end]string
	made  int
}

// end is a card's end on a host: a machine that moves has two for a while.
type end struct {
	host uid.Host
	nic  uid.NIC
}

// hostPorts are one host's.
type hostPorts struct {
	*ports
	host uid.Host
}

func newPorts(t testing.TB) *ports {
	t.Helper()
	p := &ports{t: t, taps: map[end]string{}}
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

func (p hostPorts) Plug(_ context.Context, n hypervisor.NIC) (Tap, error) {
	if p.space == "" {
		return Tap{}, fault.Conflictf("no port for card %s here", n.ID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taps[end{p.host, n.ID}] == "" {
		name := fmt.Sprintf("tap%d", p.made)
		p.made++
		p.run("-n", p.space, "tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr")
		p.run("-n", p.space, "link", "set", name, "master", "br0", "up")
		p.taps[end{p.host, n.ID}] = name
	}
	return Tap{Name: p.taps[end{p.host, n.ID}], MTU: 1450, Namespace: "/run/netns/" + p.space}, nil
}

func (p hostPorts) Unplug(_ context.Context, id uid.NIC) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name := p.taps[end{p.host, id}]; name != "" {
		p.run("-n", p.space, "link", "del", name)
		delete(p.taps, end{p.host, id})
	}
	return nil
}

// serve runs a program in the namespace until the test ends.
func (p *ports) serve(args ...string) {
	p.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", p.space}, args...)...)
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// get asks a guest by HTTP.
func (p *ports) get(url string) string {
	p.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", p.space, "curl", "-sS", "--max-time", "60", "--retry", "10", "--retry-connrefused", url)
	var errs strings.Builder // that it tries again is no part of the answer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		p.t.Errorf("GET %s: %v: %s", url, err, &errs)
	}
	return string(out)
}
