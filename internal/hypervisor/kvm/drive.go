package kvm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm/drive"
)

const (
	// driveFile is the drive with what a machine is told.
	driveFile = "run/config.iso"
	// passwordFile is where its guest finds the password that it is to take.
	passwordFile = "cloudstack/password/vm_password.txt"
)

// burn makes the drive of a machine that is to have one. The password is in no document that is kept, so it comes to the files here.
func (d *Driver) burn(ctx context.Context, g *guest) error {
	if len(g.Machine.Drive) == 0 {
		return nil
	}
	files := maps.Clone(g.Machine.Drive)
	if !g.Machine.Password.IsEmpty() {
		files[passwordFile] = []byte(g.Machine.Password.Reveal())
	}
	if err := drive.Burn(ctx, g.file(driveFile), g.file("drive"), files); err != nil {
		return fmt.Errorf("machine %s: %w", g.vm, err)
	}
	return errors.Join(d.give(g.file(driveFile)), os.Chmod(g.file(driveFile), 0o400))
}
