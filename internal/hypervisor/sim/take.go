package sim

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// WriteStored implements [hypervisor.Taker]. Simulated stores count the bytes that are sent to them, and keep none.
func (w *World) WriteStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, data []byte) error {
	return w.do(ctx, host, hypervisor.CommandWriteStored, func(t *tx) error {
		if offset == 0 {
			_, err := t.exec("insert or replace into sent (id, store, bytes) values (?, ?, ?)", sentID(s), string(s.Store), int64(len(data)))
			return err
		}
		bytes, err := t.sent(s)
		if err == nil && (offset < 0 || bytes < offset) {
			err = fault.Conflictf("store %s has %d bytes of it, and not the %d before this piece", s.Store, bytes, offset)
		}
		if err != nil {
			return err
		}
		_, err = t.exec("update sent set bytes = ? where id = ? and store = ?", max(bytes, offset+int64(len(data))), sentID(s), string(s.Store))
		return err
	})
}

// TakeStored implements [hypervisor.Taker]. Whatever was sent, it is what all simulated images are, and just what its checksum promised.
func (w *World) TakeStored(ctx context.Context, host uid.Host, s hypervisor.Stored, as hypervisor.Sent) (r hypervisor.ImageReport, err error) {
	err = w.do(ctx, host, hypervisor.CommandTakeStored, func(t *tx) error {
		if there, err := t.taken(s); err != nil || there {
			r = hypervisor.ImageReport{Bytes: imageBytes, StoredBytes: storedBytes}
			return err
		}
		bytes, err := t.sent(s)
		switch {
		case err != nil:
			return err
		case bytes == 0:
			return fault.Conflictf("nothing was sent to store %s", s.Store)
		case bytes != as.Bytes:
			return fault.Conflictf("store %s has %d bytes of it, and %d were sent: some were lost there", s.Store, bytes, as.Bytes)
		case as.MostBytes > 0 && as.MostBytes < imageBytes:
			return fault.Conflictf("a disk made from the image would have %d bytes, and %d are allowed", int64(imageBytes), as.MostBytes)
		}
		if s.Snapshot != "" {
			_, err = t.exec("insert into snapshot (snapshot, store, bytes) values (?, ?, ?)", string(s.Snapshot), string(s.Store), imageBytes)
		} else {
			_, err = t.addImage(hypervisor.Image{
				ImageRef: hypervisor.ImageRef{Template: s.Template, Store: s.Store}, URL: "upload:" + string(s.Template),
			})
		}
		r = hypervisor.ImageReport{Bytes: imageBytes, StoredBytes: storedBytes}
		if err != nil {
			return err
		}
		return t.forgetSent(sentID(s), s.Store)
	})
	return r, err
}

// sentID is the id of what is sent.
func sentID(s hypervisor.Stored) string { return string(s.Template) + string(s.Snapshot) }

// sent tells how much of something has come.
func (t *tx) sent(s hypervisor.Stored) (bytes int64, err error) {
	_, err = t.one([]any{&bytes}, "select bytes from sent where id = ? and store = ?", sentID(s), string(s.Store))
	return bytes, err
}

// taken tells whether it is in its place already.
func (t *tx) taken(s hypervisor.Stored) (bool, error) {
	if s.Snapshot != "" {
		_, found, err := t.snapshot(hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: s.Store})
		return found, err
	}
	url, err := t.imageURL(hypervisor.ImageRef{Template: s.Template, Store: s.Store})
	return url != "", err
}

func (t *tx) forgetSent(id string, store uid.ImageStore) error {
	_, err := t.exec("delete from sent where id = ? and store = ?", id, string(store))
	return err
}
