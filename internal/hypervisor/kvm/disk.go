package kvm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/uid"
)

// In a pool a disk is VOLUME.qcow2, and the templates that disks are layers on are in a folder beside them.
const templatesDir = "templates"

var idPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// checkID keeps what is no id from becoming part of a path.
func checkID(id fmt.Stringer) error {
	if !idPattern.MatchString(id.String()) {
		return fault.Conflictf("%q is no id", id)
	}
	return nil
}

// place is the folder that a pool's or a store's URL names on this host.
func (d *Driver) place(of string) (string, error) {
	if id, staged := strings.CutPrefix(of, hypervisor.StagedScheme); staged {
		return filepath.Join(d.Dir, stagesDir, id), checkID(uid.ImageStore(id))
	}
	u, err := url.Parse(of)
	if err != nil || u.Scheme != "file" && u.Scheme != "sharedmountpoint" || !filepath.IsAbs(u.Path) {
		return "", fault.Conflictf("this host can't use storage at %q: it knows file:///DIRECTORY and sharedmountpoint://HOST/DIRECTORY", of)
	}
	dir := filepath.Clean(u.Path)
	if len(d.Roots) == 0 {
		return dir, nil
	}
	for _, root := range d.Roots {
		if in, err := filepath.Rel(root, dir); err == nil && in != ".." && !strings.HasPrefix(in, "../") {
			return dir, nil
		}
	}
	return "", fault.Conflictf("this host has no storage at %s: its folders for it are %s", dir, strings.Join(d.Roots, ", "))
}

// path is where a disk is.
func (d *Driver) path(ref hypervisor.DiskRef) (string, error) {
	dir, err := d.place(ref.PoolURL)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, string(ref.Volume)+".qcow2"), checkID(ref.Volume)
}

// diskThere is path for a disk that must be there.
func (d *Driver) diskThere(vm uid.VM, ref hypervisor.DiskRef) (string, error) {
	path, err := d.path(ref)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fault.Conflictf("machine %s needs volume %s, which is not in pool %s", vm, ref.Volume, ref.Pool)
	} else if err != nil {
		return "", err
	}
	return path, nil
}

// MakeDisk implements [hypervisor.Driver].
func (d *Driver) MakeDisk(ctx context.Context, host uid.Host, disk hypervisor.Disk) error {
	done, err := d.turn(ctx, host, string(disk.Volume)+string(disk.Pool))
	if err != nil {
		return err
	}
	defer done()
	path, err := d.path(disk.DiskRef)
	if err != nil {
		return err
	}
	there, err := d.sameDisk(ctx, path, disk)
	if there || err != nil {
		return err
	}
	if disk.Template != "" {
		if err := d.fillTemplate(ctx, disk); err != nil {
			return err
		}
	}
	return d.appear(path, func(temp string) error {
		if disk.Snapshot != "" {
			return d.fromSnapshot(ctx, disk, temp)
		}
		return d.image.Create(ctx, temp, rounded(disk.Bytes), backingOf(disk.Template))
	}, func() error {
		_, err := d.sameDisk(ctx, path, disk)
		return err
	})
}

// sameDisk tells whether a disk is there; another one in its place is fault.Conflict.
func (d *Driver) sameDisk(ctx context.Context, path string, disk hypervisor.Disk) (bool, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	i, err := d.image.Info(ctx, path, "qcow2")
	if err == nil && (i.Bytes != rounded(disk.Bytes) || i.Backing != backingOf(disk.Template)) {
		err = fault.Conflictf("volume %s is in pool %s already, with %d bytes on %q and not %d bytes on template %q",
			disk.Volume, disk.Pool, i.Bytes, i.Backing, disk.Bytes, disk.Template)
	}
	return err == nil, err
}

// appear makes a file that is there whole or not at all. Where another host makes it at the same time, one of the two stays, and met
// is asked about it.
func (d *Driver) appear(path string, write func(temp string) error, met func() error) error {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"-"+string(d.Host)) // what an earlier try left is written over
	defer func() { _ = os.Remove(temp) }()
	_ = os.Remove(temp)
	if err := write(temp); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(temp, 0o600), d.give(temp), file.Sync(temp)); err != nil {
		return err
	}
	if err := os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return met()
	} else if err != nil {
		return err
	}
	return file.Sync(filepath.Dir(path))
}

// DropDisk implements [hypervisor.Driver].
func (d *Driver) DropDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef) error {
	done, err := d.turn(ctx, host, string(ref.Volume)+string(ref.Pool))
	if err != nil {
		return err
	}
	defer done()
	held, path, err := d.holdFree(ctx, ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer held.Release()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// holdFree has a turn at a disk that no machine uses. One that is in use is fault.Conflict; one that is not there fs.ErrNotExist.
func (d *Driver) holdFree(ctx context.Context, ref hypervisor.DiskRef) (qcow.Held, string, error) {
	path, err := d.path(ref)
	if err != nil {
		return nil, "", err
	}
	held, err := qcow.Hold(ctx, path)
	if err != nil {
		return nil, path, err
	}
	used, err := qcow.InUse(path)
	if err == nil && used {
		err = fault.Conflictf("volume %s is in use by a machine, which runs", ref.Volume)
	}
	if err != nil {
		held.Release()
		return nil, path, err
	}
	return held, path, nil
}

// fillTemplate brings a template into a pool, once.
func (d *Driver) fillTemplate(ctx context.Context, disk hypervisor.Disk) error {
	pool, err := d.place(disk.PoolURL)
	if err != nil {
		return err
	}
	if err := checkID(disk.Template); err != nil {
		return err
	}
	dir := filepath.Join(pool, templatesDir)
	if err := d.folder(dir); err != nil {
		return err
	}
	path := filepath.Join(pool, backingOf(disk.Template))
	if _, err := os.Stat(path); err == nil {
		return d.largeEnough(ctx, path, disk)
	}
	// Who comes second waits for the first, on whatever host: the lock is on a file that stays.
	lock := filepath.Join(dir, ".lock")
	if f, err := os.OpenFile(lock, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	} else if err := f.Close(); err != nil {
		return err
	}
	held, err := qcow.Hold(ctx, lock)
	if err != nil {
		return err
	}
	defer held.Release()
	if _, err := os.Stat(path); err == nil {
		return d.largeEnough(ctx, path, disk)
	}
	from, err := d.imagePath(hypervisor.ImageRef{Template: disk.Template, Store: disk.Store, StoreURL: disk.StoreURL}, "qcow2")
	if err != nil {
		return err
	}
	temp := path + ".new"
	defer func() { _ = os.Remove(temp) }()
	if err := d.bring(ctx, from, disk.Link, temp, "template "+string(disk.Template)); err != nil {
		return err
	}
	i, err := d.image.Info(ctx, temp, "qcow2")
	if err != nil {
		return err
	}
	if err := errors.Join(i.Check(), d.show(temp), file.Sync(temp)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return errors.Join(file.Sync(dir), d.largeEnough(ctx, path, disk))
}

func (d *Driver) largeEnough(ctx context.Context, path string, disk hypervisor.Disk) error {
	i, err := d.image.Info(ctx, path, "qcow2")
	if err == nil && i.Bytes > rounded(disk.Bytes) {
		err = fault.Conflictf("volume %s would have %d bytes, and its template %s has %d", disk.Volume, disk.Bytes, disk.Template, i.Bytes)
	}
	return err
}

// backingOf is what a disk made from a template is a layer on, relative to the disk.
func backingOf(t uid.Template) string {
	if t == "" {
		return ""
	}
	return templatesDir + "/" + string(t) + ".qcow2"
}

func rounded(bytes int64) int64 { return (bytes + qcow.Sector - 1) / qcow.Sector * qcow.Sector }

// Pool implements [hypervisor.Storer].
func (d *Driver) Pool(ctx context.Context, host uid.Host, p hypervisor.PoolRef) (hypervisor.PoolReport, error) {
	if err := d.here(ctx, host); err != nil {
		return hypervisor.PoolReport{}, err
	}
	all, free, err := d.space(p.URL)
	return hypervisor.PoolReport{Bytes: all, Used: all - free}, err
}

// space is how large the file system is that a pool or a store is on, and how much of it is free.
func (d *Driver) space(of string) (all, free int64, err error) {
	dir, err := d.place(of)
	if err != nil {
		return 0, 0, err
	}
	if all, free, err = file.Space(dir); err != nil {
		err = fault.Conflictf("this host can't use %s: %v", dir, err)
	}
	return all, free, err
}
