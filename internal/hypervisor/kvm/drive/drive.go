// Package drive makes the drive by which a machine is told what it is where no router tells it: an ISO 9660 image that every system
// reads, with the label config-2, which CloudStack's and OpenStack's guests look for.
package drive

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// Burn makes an image of files, by path. work is a folder that is not there, and is gone afterwards.
func Burn(ctx context.Context, image, work string, files map[string][]byte) error {
	var program string
	for _, name := range []string{"genisoimage", "xorrisofs", "mkisofs"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		return fault.Conflictf("the machine wants a config drive, and this host can't make one (Debian: genisoimage)")
	}
	defer func() { _ = os.RemoveAll(work) }()
	for name, content := range files {
		if !filepath.IsLocal(name) {
			return fault.Conflictf("%q is no path on a config drive", name)
		}
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	out, err := exec.CommandContext(ctx, program, "-quiet", "-R", "-J", "-V", "config-2", "-o", image, work).CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Conflictf("the machine gets no config drive: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
