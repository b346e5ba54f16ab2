package kvm

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
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
	p = hypervisor.Piece{Ending: strings.TrimPrefix(filepath.Ext(path), ".")}
	p.Data, p.Size, err = file.Piece(path, offset, min(most, hypervisor.MostPiece))
	if errors.Is(err, fs.ErrNotExist) {
		err = fault.Conflictf("store %s has no %s%s", s.Store, s.Template, s.Snapshot)
	}
	return p, err
}

// storedPath is where something in a store is, or would be.
func (d *Driver) storedPath(s hypervisor.Stored) (string, error) {
	if s.Snapshot != "" {
		return d.snapshotPath(hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: s.Store, StoreURL: s.StoreURL})
	}
	ref := hypervisor.ImageRef{Template: s.Template, Store: s.Store, StoreURL: s.StoreURL}
	if path, err := d.imagePath(ref, "iso"); err != nil || file.Exists(path) {
		return path, err
	}
	return d.imagePath(ref, "qcow2")
}
