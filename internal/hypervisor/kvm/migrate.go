package kvm

import "context"

// arrived has a machine that was awaited count as one that runs here.
func (d *Driver) arrived(_ context.Context, g *guest) error {
	g.Arriving = false
	return g.save()
}
