package kvm

import (
	"context"
	"encoding/json"
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

// In a store a template is images/TEMPLATE.qcow2 or .iso, with what is known of it beside it: it is there when that is.
const imagesDir = "images"

// Fetcher brings files from elsewhere.
type Fetcher interface {
	// Fetch brings what is at a URL into a file, of this many bytes at most, and goes on where an earlier try ended. It is a fault: of
	// kind Unavailable where trying again may help.
	Fetch(ctx context.Context, url, path string, most int64, progress func(done, total int64)) error
}

// stored is what is known of an image in a store.
type stored struct {
	URL string
	hypervisor.ImageReport
}

// imagePath is where an image is.
func (d *Driver) imagePath(ref hypervisor.ImageRef, extension string) (string, error) {
	dir, err := d.place(ref.StoreURL)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, imagesDir, string(ref.Template)+"."+extension), checkID(ref.Template)
}

// known is what a store knows of an image; fs.ErrNotExist where it is not there.
func (d *Driver) known(ref hypervisor.ImageRef) (s stored, path string, err error) {
	if path, err = d.imagePath(ref, "json"); err != nil {
		return s, path, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return s, path, err
	}
	return s, path, json.Unmarshal(content, &s)
}

// FetchImage implements [hypervisor.Imager].
func (d *Driver) FetchImage(ctx context.Context, host uid.Host, i hypervisor.Image) (r hypervisor.ImageReport, err error) {
	done, err := d.turn(ctx, host, string(i.Template))
	if err != nil {
		return r, err
	}
	defer done()
	s, record, err := d.known(i.ImageRef)
	switch {
	case err == nil && s.URL == i.URL:
		return s.ImageReport, nil
	case err == nil:
		return r, fault.Conflictf("image %s is in its store already, from %s and not from %s", i.Template, s.URL, i.URL)
	case !errors.Is(err, fs.ErrNotExist):
		return r, err
	case d.Fetcher == nil:
		return r, fault.Conflictf("host %s fetches no images", host)
	}
	if err := d.folder(filepath.Dir(record)); err != nil {
		return r, err
	}
	part := strings.TrimSuffix(record, ".json") + ".part"
	defer d.coming.Delete(i.Template)
	come := func(done, total int64) { d.coming.Store(i.Template, hypervisor.Fetched{Bytes: done, Of: total}) }
	if err := d.Fetcher.Fetch(ctx, i.URL, part, i.MostBytes, come); err != nil {
		return r, err
	}
	s = stored{URL: i.URL}
	as := hypervisor.Sent{Format: i.Format, Checksum: i.Checksum, MostBytes: i.MostBytes}
	if s.ImageReport, err = d.take(ctx, as, part, func(ending string) (string, error) { return d.imagePath(i.ImageRef, ending) }); err != nil {
		return r, err
	}
	return s.ImageReport, d.record(record, s)
}

// Fetching implements [hypervisor.Follower].
func (d *Driver) Fetching(ctx context.Context, host uid.Host, i hypervisor.ImageRef) (hypervisor.Fetched, error) {
	if err := d.here(ctx, host); err != nil {
		return hypervisor.Fetched{}, err
	}
	come, _ := d.coming.Load(i.Template)
	fetched, _ := come.(hypervisor.Fetched)
	return fetched, nil
}

// record makes an image be there.
func (d *Driver) record(path string, s stored) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return errors.Join(file.Write(path, content), file.Sync(filepath.Dir(path)))
}

// formats are what images may come as, with qemu-img's names.
var formats = map[string]string{"QCOW2": "qcow2", "RAW": "raw", "VMDK": "vmdk", "VHD": "vpc", "VHDX": "vhdx"}

// take makes what has come what it is to be: a disk as qcow2, an ISO as it is, in a place by its ending. What is not what it should be is
// removed: it would be the same again.
func (d *Driver) take(
	ctx context.Context, is hypervisor.Sent, part string, place func(ending string) (string, error),
) (r hypervisor.ImageReport, err error) {
	if err = file.Verify(ctx, part, is.Checksum); err == nil {
		r, err = d.convert(ctx, is, part, place)
	}
	if fault.Is(err, fault.Conflict) {
		err = errors.Join(err, file.Remove(part))
	}
	return r, err
}

func (d *Driver) convert(
	ctx context.Context, is hypervisor.Sent, part string, place func(ending string) (string, error),
) (r hypervisor.ImageReport, err error) {
	format := strings.ToUpper(is.Format)
	if format == "ISO" {
		to, err := place("iso")
		if err != nil {
			return r, err
		}
		return d.settle(ctx, part, to, "raw")
	}
	as, ok := formats[format]
	if !ok {
		return r, fault.Conflictf("images of format %s can't be used on KVM hosts: want QCOW2, RAW, VMDK, VHD or ISO", is.Format)
	}
	if as == "vmdk" { // one that is only a list of other files must not even be opened
		if described, err := file.Begins(part, "# Disk DescriptorFile"); err != nil || described {
			return r, errors.Join(err, fault.Conflictf("the image is a list of other files: want a VMDK in one file"))
		}
	}
	info, err := d.image.Info(ctx, part, as)
	if err != nil {
		return r, err
	}
	if err := info.Check(); err != nil {
		return r, err
	}
	if is.MostBytes > 0 && info.Bytes > is.MostBytes {
		return r, fault.Conflictf("a disk made from the image would have %d bytes, and %d are allowed", info.Bytes, is.MostBytes)
	}
	to, err := place("qcow2")
	if err != nil {
		return r, err
	}
	if as == "qcow2" {
		return d.settle(ctx, part, to, as)
	}
	temp := part + ".qcow2"
	defer func() { _ = os.Remove(temp) }()
	if err := d.image.Convert(ctx, part, as, temp); err != nil {
		return r, err
	}
	if r, err = d.settle(ctx, temp, to, "qcow2"); err != nil {
		return r, err
	}
	return r, file.Remove(part)
}

// settle gives a file its place among the images.
func (d *Driver) settle(ctx context.Context, from, to, format string) (r hypervisor.ImageReport, err error) {
	if err := errors.Join(d.show(from), file.Sync(from)); err != nil {
		return r, err
	}
	info, err := d.image.Info(ctx, from, format)
	if err != nil {
		return r, err
	}
	return hypervisor.ImageReport{Bytes: info.Bytes, StoredBytes: max(info.Stored, 1)}, os.Rename(from, to)
}

// DropImage implements [hypervisor.Imager].
func (d *Driver) DropImage(ctx context.Context, host uid.Host, ref hypervisor.ImageRef) error {
	done, err := d.turn(ctx, host, string(ref.Template))
	if err != nil {
		return err
	}
	defer done()
	var all error
	for _, extension := range []string{"json", "qcow2", "iso", "part", "part.from"} {
		path, err := d.imagePath(ref, extension)
		if err != nil {
			return err
		}
		all = errors.Join(all, file.Remove(path))
	}
	return all
}

// MeasureStore implements [hypervisor.Imager].
func (d *Driver) MeasureStore(ctx context.Context, host uid.Host, s hypervisor.StoreRef) (hypervisor.StoreReport, error) {
	if err := d.here(ctx, host); err != nil {
		return hypervisor.StoreReport{}, err
	}
	all, _, err := d.space(s.URL)
	return hypervisor.StoreReport{Bytes: all}, err
}

// SaveImage implements [hypervisor.Snapshotter].
func (d *Driver) SaveImage(
	ctx context.Context, host uid.Host, i hypervisor.ImageRef, s hypervisor.SnapshotRef,
) (r hypervisor.ImageReport, err error) {
	done, err := d.turn(ctx, host, string(i.Template))
	if err != nil {
		return r, err
	}
	defer done()
	is, record, err := d.known(i)
	if !errors.Is(err, fs.ErrNotExist) {
		return is.ImageReport, err
	}
	from, err := d.snapshotThere(s)
	if err != nil {
		return r, err
	}
	to, err := d.imagePath(i, "qcow2")
	if err != nil {
		return r, err
	}
	if err := d.folder(filepath.Dir(to)); err != nil {
		return r, err
	}
	temp := to + ".new"
	defer func() { _ = os.Remove(temp) }()
	if err := file.Copy(ctx, from, temp); err != nil {
		return r, err
	}
	is = stored{URL: "snapshot:" + string(s.Snapshot)}
	if is.ImageReport, err = d.settle(ctx, temp, to, "qcow2"); err != nil {
		return r, err
	}
	return is.ImageReport, d.record(record, is)
}
