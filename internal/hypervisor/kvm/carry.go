package kvm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/uid"
)

// What is on its way from or to stores that are buckets is in a folder for each, as it would be in a store that is a folder.
const (
	stagesDir = "stages"
	stageLife = 24 * time.Hour // of what nobody has fetched or removed
)

// Carrier carries files by links. What it returns is a fault.
type Carrier interface {
	// Get brings what a link opens into a file.
	Get(ctx context.Context, link, path string) error
	// Put sends a part of a file, and gives its tag.
	Put(ctx context.Context, path string, offset, bytes int64, link string) (string, error)
}

// bring makes a file of what is at a path or, where there is one, behind a link. What it is called is for who reads the error.
func (d *Driver) bring(ctx context.Context, path, link, to, called string) error {
	switch {
	case link != "" && d.Carrier == nil:
		return fault.Conflictf("host %s gets nothing from buckets", d.Host)
	case link != "":
		return d.Carrier.Get(ctx, link, to)
	}
	err := file.Copy(ctx, path, to)
	if errors.Is(err, fs.ErrNotExist) && !file.Exists(path) {
		err = fault.Conflictf("%s is not in its store: there is no %s", called, path)
	}
	return err
}

// BringStored implements [hypervisor.Carrier].
func (d *Driver) BringStored(ctx context.Context, host uid.Host, s hypervisor.Stored, link string) error {
	done, err := d.turn(ctx, host, string(s.Template))
	if err != nil {
		return err
	}
	defer done()
	path, err := d.imagePath(hypervisor.ImageRef{Template: s.Template, Store: s.Store, StoreURL: s.StoreURL}, "iso")
	if err != nil {
		return err
	}
	if file.Exists(path) {
		return unix.Utimes(path, nil) // it is wanted now
	}
	if err := d.folder(filepath.Dir(path)); err != nil {
		return err
	}
	temp := path + ".new"
	defer func() { _ = os.Remove(temp) }()
	if err := d.bring(ctx, "", link, temp, "ISO "+string(s.Template)); err != nil {
		return err
	}
	if err := d.show(temp); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// SendStored implements [hypervisor.Carrier].
func (d *Driver) SendStored(ctx context.Context, host uid.Host, s hypervisor.Stored, parts []hypervisor.Part) (tags []string, err error) {
	done, err := d.turn(ctx, host, string(s.Template)+string(s.Snapshot))
	if err != nil {
		return nil, err
	}
	defer done()
	path, err := d.storedPath(s)
	if err != nil {
		return nil, err
	}
	if d.Carrier == nil {
		return nil, fault.Conflictf("host %s sends nothing to buckets", host)
	}
	var size, at int64
	for _, p := range parts {
		size += p.Bytes
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		return nil, fault.Conflictf("host %s does not have the %d bytes of %s%s that it is to send", host, size, s.Template, s.Snapshot)
	}
	for _, p := range parts {
		tag, err := d.Carrier.Put(ctx, path, at, p.Bytes, p.Link)
		if err != nil {
			return nil, err
		}
		tags, at = append(tags, tag), at+p.Bytes
	}
	return tags, nil
}

// clearStages removes what has been left on its way, or was for machines that may be gone.
func (d *Driver) clearStages(before time.Time) error {
	return file.RemoveOld(filepath.Join(d.Dir, stagesDir, "*", "*", "*"), before)
}
