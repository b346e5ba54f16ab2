// Package drive makes the drives by which a machine is told what it is where no router tells it: ISO 9660 images that every system
// reads, each with the label by which guests look for it.
package drive

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// label is a drive that guests look for.
type label struct {
	name string
	slot string // of the machine's bus
	// within is the folder whose files are on it, "" for all that are on no other drive.
	within string
}

// labels are all of them. What reads the one wants nothing of the other, and a file system has one label.
var labels = []label{
	{"config-2", "0x5", ""},       // CloudStack's and OpenStack's guests
	{"cidata", "0x6", "nocloud/"}, // cloud-init's data source NoCloud
}

// of gives the files of a drive, by their paths on it.
func (l label) of(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for path, content := range files {
		on := labels[0]
		for _, other := range labels[1:] {
			if strings.HasPrefix(path, other.within) {
				on = other
			}
		}
		if on == l {
			out[strings.TrimPrefix(path, l.within)] = content
		}
	}
	return out
}

func (l label) image(dir string) string { return filepath.Join(dir, l.name+".iso") }

// Burn makes the images of files, by path, in a folder, and gives the images' paths. Those below nocloud/ are on a drive of their own.
// work is a folder that is not there, and is gone afterwards.
func Burn(ctx context.Context, dir, work string, files map[string][]byte) (images []string, err error) {
	for _, l := range labels {
		if on := l.of(files); len(on) > 0 {
			if err := l.burn(ctx, l.image(dir), work, on); err != nil {
				return nil, err
			}
			images = append(images, l.image(dir))
		}
	}
	return images, nil
}

// Args are QEMU's arguments for a machine with the images of files in a folder.
func Args(dir string, files map[string][]byte) (args []string, err error) {
	for _, l := range labels {
		if len(l.of(files)) == 0 {
			continue
		}
		node, err := json.Marshal(map[string]any{
			"driver": "raw", "node-name": l.name, "read-only": true,
			"file": map[string]any{"driver": "file", "filename": l.image(dir), "read-only": true},
		})
		if err != nil {
			return nil, err
		}
		args = append(args, "-blockdev", string(node), "-device", "virtio-blk-pci,drive="+l.name+",serial="+l.name+",addr="+l.slot)
	}
	return args, nil
}

func (l label) burn(ctx context.Context, image, work string, files map[string][]byte) error {
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
	out, err := exec.CommandContext(ctx, program, "-quiet", "-R", "-J", "-V", l.name, "-o", image, work).CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Conflictf("the machine gets no config drive: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
