package sim

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ReadStored implements [hypervisor.Giver]. Simulated images and snapshots have a line that says what they are, and then zeros.
func (w *World) ReadStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, most int) (p hypervisor.Piece, err error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandReadStored); err != nil {
		return p, err
	}
	var head string
	var found bool
	read := w.store.read
	if s.Snapshot != "" {
		head = "simulated snapshot " + string(s.Snapshot) + "\n"
		p.Size, found, err = read.snapshot(hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: s.Store})
	} else {
		head = "simulated image " + string(s.Template) + "\n"
		var url string
		url, err = read.imageURL(hypervisor.ImageRef{Template: s.Template, Store: s.Store})
		p.Size, found = storedBytes, url != ""
	}
	switch {
	case err != nil:
		return p, err
	case !found:
		return p, fault.Conflictf("store %s has no %s%s", s.Store, s.Template, s.Snapshot)
	}
	p.Ending = "qcow2"
	n := min(int64(min(most, hypervisor.MostPiece)), p.Size-offset)
	if offset < 0 || n <= 0 {
		return p, nil
	}
	p.Data = make([]byte, n)
	if offset < int64(len(head)) {
		copy(p.Data, head[offset:])
	}
	return p, nil
}
