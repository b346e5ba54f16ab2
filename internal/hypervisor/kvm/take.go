package kvm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/uid"
)

// partOf is where something is on its way to its place.
func partOf(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".part" }

// sentPath is where something is to be in a store once it has been taken.
func (d *Driver) sentPath(s hypervisor.Stored, ending string) (string, error) {
	if s.Snapshot == "" {
		return d.imagePath(hypervisor.ImageRef{Template: s.Template, Store: s.Store, StoreURL: s.StoreURL}, ending)
	}
	if ending != "qcow2" {
		return "", fault.Conflictf("a volume is made from an image of a disk, and this is one of a CD")
	}
	return d.snapshotPath(hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: s.Store, StoreURL: s.StoreURL})
}

// WriteStored implements [hypervisor.Taker].
func (d *Driver) WriteStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, data []byte) (err error) {
	done, err := d.turn(ctx, host, string(s.Template)+string(s.Snapshot))
	if err != nil {
		return err
	}
	defer done()
	path, err := d.sentPath(s, "qcow2")
	if err != nil {
		return err
	}
	flags := os.O_WRONLY
	if offset == 0 {
		if err := d.folder(filepath.Dir(path)); err != nil {
			return err
		}
		flags |= os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(partOf(path), flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Conflictf("what was sent before is not in store %s any more", s.Store)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if offset < 0 || info.Size() < offset {
		return fault.Conflictf("store %s has %d bytes of it, and not the %d before this piece", s.Store, info.Size(), offset)
	}
	_, err = f.WriteAt(data, offset)
	return err
}

// TakeStored implements [hypervisor.Taker].
func (d *Driver) TakeStored(ctx context.Context, host uid.Host, s hypervisor.Stored, as hypervisor.Sent) (r hypervisor.ImageReport, err error) {
	done, err := d.turn(ctx, host, string(s.Template)+string(s.Snapshot))
	if err != nil {
		return r, err
	}
	defer done()
	path, err := d.sentPath(s, "qcow2")
	if err != nil {
		return r, err
	}
	if s.Snapshot != "" {
		return d.takeSent(ctx, s, as, path)
	}
	is, record, err := d.known(hypervisor.ImageRef{Template: s.Template, Store: s.Store, StoreURL: s.StoreURL})
	if !errors.Is(err, fs.ErrNotExist) {
		return is.ImageReport, err
	}
	is.URL = "upload:" + string(s.Template)
	if is.ImageReport, err = d.takeSent(ctx, s, as, path); err != nil {
		return r, err
	}
	return is.ImageReport, d.record(record, is)
}

// takeSent is take for what was sent. What an earlier try has taken is there without its part.
func (d *Driver) takeSent(ctx context.Context, s hypervisor.Stored, as hypervisor.Sent, path string) (hypervisor.ImageReport, error) {
	part, format := partOf(path), "qcow2"
	place := func(ending string) (string, error) { return d.sentPath(s, ending) }
	if strings.EqualFold(as.Format, "ISO") {
		var err error
		if path, err = place("iso"); err != nil {
			return hypervisor.ImageReport{}, errors.Join(err, file.Remove(part))
		}
		format = "raw"
	}
	if file.Exists(path) {
		i, err := d.image.Info(ctx, path, format)
		return hypervisor.ImageReport{Bytes: i.Bytes, StoredBytes: max(i.Stored, 1)}, errors.Join(err, file.Remove(part))
	}
	if as.Link != "" {
		if err := errors.Join(d.folder(filepath.Dir(part)), d.bring(ctx, "", as.Link, part, "what was sent")); err != nil {
			return hypervisor.ImageReport{}, err
		}
	}
	info, err := os.Stat(part)
	if errors.Is(err, fs.ErrNotExist) {
		return hypervisor.ImageReport{}, fault.Conflictf("nothing was sent to store %s", s.Store)
	}
	if err == nil && info.Size() != as.Bytes {
		err = errors.Join(fault.Conflictf("store %s has %d bytes of it, and %d were sent: some were lost there",
			s.Store, info.Size(), as.Bytes), file.Remove(part))
	}
	if err != nil {
		return hypervisor.ImageReport{}, err
	}
	return d.take(ctx, as, part, place)
}
