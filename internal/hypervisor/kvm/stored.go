package kvm

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ReadStored implements [hypervisor.Giver].
func (d *Driver) ReadStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, most int) (p hypervisor.Piece, err error) {
	if err := d.here(ctx, host); err != nil {
		return p, err
	}
	path, err := d.storedPath(s)
	if err != nil {
		return p, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, fault.Conflictf("store %s has no %s%s", s.Store, s.Template, s.Snapshot)
	} else if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return p, err
	}
	p = hypervisor.Piece{Size: info.Size(), Ending: strings.TrimPrefix(filepath.Ext(path), ".")}
	n := min(int64(min(most, hypervisor.MostPiece)), p.Size-offset)
	if offset < 0 || n <= 0 {
		return p, nil
	}
	p.Data = make([]byte, n)
	got, err := f.ReadAt(p.Data, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	p.Data = p.Data[:got]
	return p, err
}

// storedPath is where something in a store is, or would be.
func (d *Driver) storedPath(s hypervisor.Stored) (string, error) {
	if s.Snapshot != "" {
		return d.snapshotPath(hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: s.Store, StoreURL: s.StoreURL})
	}
	ref := hypervisor.ImageRef{Template: s.Template, Store: s.Store, StoreURL: s.StoreURL}
	if path, err := d.imagePath(ref, "iso"); err != nil || exists(path) {
		return path, err
	}
	return d.imagePath(ref, "qcow2")
}
