package kvm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm/drive"
)

// passwordFile is where a guest finds the password that it is to take, on its drive.
const passwordFile = "cloudstack/password/vm_password.txt"

// burn makes the drives of a machine that is to have some. The password is in no document that is kept, so it comes to the files here.
func (d *Driver) burn(ctx context.Context, g *guest) error {
	if len(g.Machine.Drive) == 0 {
		return nil
	}
	files := maps.Clone(g.Machine.Drive)
	if !g.Machine.Password.IsEmpty() {
		files[passwordFile] = []byte(g.Machine.Password.Reveal())
	}
	images, err := drive.Burn(ctx, g.file(runDir), g.file("drive"), files)
	if err != nil {
		return fmt.Errorf("machine %s: %w", g.vm, err)
	}
	for _, image := range images {
		if err := errors.Join(d.give(image), os.Chmod(image, 0o400)); err != nil {
			return err
		}
	}
	return nil
}
