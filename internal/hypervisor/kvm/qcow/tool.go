package qcow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/virga-cloud/virga/internal/fault"
)

// Sector is what sizes are multiples of.
const Sector = 512

// Tool is qemu-img.
type Tool struct {
	Path string              // of the program
	As   *syscall.Credential // who runs it; nil for whoever runs us
}

// Info is what an image says of itself.
type Info struct {
	Format  string `json:"format"`
	Bytes   int64  `json:"virtual-size"`
	Stored  int64  `json:"actual-size"`
	Backing string `json:"backing-filename"` // as it stands in the image
	Hidden  bool   `json:"encrypted"`

	Snapshots []struct {
		Name  string `json:"name"`
		State int64  `json:"vm-state-size"` // bytes of memory that are kept with it
	} `json:"snapshots"`

	Specific struct {
		Data struct {
			DataFile string `json:"data-file"`
			Extents  []struct {
				Filename string `json:"filename"`
			} `json:"extents"`
		} `json:"data"`
	} `json:"format-specific"`
}

// Info reads an image that is said to be of a format; it may be in use. An image of another format is fault.Conflict.
func (t Tool) Info(ctx context.Context, path, format string) (i Info, err error) {
	out, err := t.run(ctx, "info", "-U", "--output=json", "-f", format, named(path))
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(out, &i)
}

// Check tells whether an image from elsewhere may be used: one that leads to other files would show guests what is in them.
func (i Info) Check() error {
	switch {
	case i.Backing != "":
		return fault.Conflictf("the image is a layer on another file, %q: want one that stands alone", i.Backing)
	case i.Specific.Data.DataFile != "":
		return fault.Conflictf("the image keeps its data in another file, %q: want one that stands alone", i.Specific.Data.DataFile)
	case len(i.Specific.Data.Extents) > 1:
		return fault.Conflictf("the image is made of %d files: want one", len(i.Specific.Data.Extents))
	case i.Hidden:
		return fault.Conflictf("the image is encrypted")
	case i.Bytes <= 0:
		return fault.Conflictf("the image has no size")
	}
	return nil
}

// Create makes an empty image of a size, or, where backing is not "", a layer on that image, named relative to the new one.
func (t Tool) Create(ctx context.Context, path string, bytes int64, backing string) error {
	args := []string{"create", "-q", "-f", "qcow2"}
	if backing != "" {
		args = append(args, "-F", "qcow2", "-b", backing)
	}
	_, err := t.run(ctx, append(args, named(path), strconv.FormatInt(bytes, 10))...)
	return err
}

// Convert writes what is in an image, with all its layers, into a new qcow2 image that stands alone.
func (t Tool) Convert(ctx context.Context, from, format, to string) error {
	_, err := t.run(ctx, "convert", "-q", "-f", format, "-O", "qcow2", named(from), named(to))
	return err
}

// Resize changes the size of an image that nobody uses.
func (t Tool) Resize(ctx context.Context, path string, bytes int64) error {
	_, err := t.run(ctx, "resize", "-q", "-f", "qcow2", named(path), strconv.FormatInt(bytes, 10))
	return err
}

// TakeSnapshot keeps what is in an image that nobody uses inside it, under a name.
func (t Tool) TakeSnapshot(ctx context.Context, path, name string) error {
	return t.snapshot(ctx, "-c", path, name)
}

// Revert makes an image that nobody uses what it was at a snapshot.
func (t Tool) Revert(ctx context.Context, path, name string) error {
	return t.snapshot(ctx, "-a", path, name)
}

// DropSnapshot removes a snapshot from an image that nobody uses.
func (t Tool) DropSnapshot(ctx context.Context, path, name string) error {
	return t.snapshot(ctx, "-d", path, name)
}

func (t Tool) snapshot(ctx context.Context, what, path, name string) error {
	_, err := t.run(ctx, "snapshot", "-q", what, name, named(path))
	return err
}

// Has tells whether the image has a snapshot of a name in it.
func (i Info) Has(name string) bool {
	for _, s := range i.Snapshots {
		if s.Name == name {
			return true
		}
	}
	return false
}

// named keeps qemu-img from taking a path for a protocol ("nbd:…") or an option.
func named(path string) string { return "file:" + path }

func (t Tool) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.Path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: t.As}
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, ended := errors.AsType[*exec.ExitError](err); !ended {
		return nil, fmt.Errorf("qemu-img: %w", err)
	}
	return nil, Classify("qemu-img "+args[0], said.String())
}

// Classify makes an error of what QEMU or qemu-img said before it gave up.
func Classify(what, said string) error {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	last := lines[len(lines)-1]
	switch {
	case strings.Contains(said, "No space left on device"):
		return fault.New(fault.Full, "%s: %s", what, last)
	case strings.Contains(said, "Cannot allocate memory"), strings.Contains(said, "Stale file handle"):
		return fault.Unavailablef("%s: %s", what, last)
	case strings.Contains(said, "Is another process using the image"), strings.Contains(said, `Failed to get "write" lock`):
		return fault.Conflictf("%s: a disk is in use by another machine: %s", what, last)
	}
	return fault.Conflictf("%s: %s", what, last)
}
