package kvm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// driveFile is the drive with what a machine is told.
const driveFile = "run/config.iso"

// burn makes the drive, which every system reads: ISO 9660 with the names as they are.
func (d *Driver) burn(ctx context.Context, g *guest) error {
	if len(g.Machine.Drive) == 0 {
		return nil
	}
	var program string
	for _, name := range []string{"genisoimage", "xorrisofs", "mkisofs"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return fault.Conflictf("machine %s wants a config drive, and this host can't make one (Debian: genisoimage)", g.vm)
	}
	files := g.file("drive")
	defer func() { _ = os.RemoveAll(files) }()
	for name, content := range g.Machine.Drive {
		if !filepath.IsLocal(name) {
			return fault.Conflictf("%q is no path on a config drive", name)
		}
		path := filepath.Join(files, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	drive := g.file(driveFile)
	out, err := exec.CommandContext(ctx, program, "-quiet", "-R", "-J", "-V", "config-2", "-o", drive, files).CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Conflictf("machine %s gets no config drive: %v: %s", g.vm, err, strings.TrimSpace(string(out)))
	}
	return errors.Join(d.give(drive), os.Chmod(drive, 0o400))
}
