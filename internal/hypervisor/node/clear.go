package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

// Clear ends all that runs on this host for the cloud: machines, whose power is cut, virtual routers, networks. Disks stay. It tells how
// many machines there were. dir is the agent's folder, and no agent may run on it.
func Clear(ctx context.Context, dir string, log *slog.Logger) (machines int, err error) {
	if _, err := os.Stat(dir); err != nil {
		return 0, fmt.Errorf("the agent's folder: %w", err)
	}
	f, err := open(dir)
	if err != nil {
		return 0, err
	}
	defer f.close()
	s, err := f.load()
	if err != nil || s.Host == "" { // it was never a host
		return 0, err
	}
	h := &host{options: HostOptions{Dir: dir, Log: log}}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.openMachines(s.Host); err != nil {
		return 0, err
	}
	if err := h.openNetworks(ctx, s.Host); err != nil {
		return 0, err
	}
	if err := h.Driver.Recover(ctx); err != nil {
		return 0, err
	}
	guests, err := h.Guests(ctx, s.Host)
	if err != nil {
		return 0, err
	}
	for _, g := range guests {
		if err := h.Stop(ctx, s.Host, g.VM, true); err != nil {
			return 0, fmt.Errorf("stop machine %s: %w", g.VM, err)
		}
	}
	err = errors.Join(h.routers.Sweep(ctx, nil), h.fabric.DropOutside(ctx), h.fabric.Sweep(ctx, nil, nil), vnet.DropSpace(h.fabric.Space))
	return len(guests), err
}
