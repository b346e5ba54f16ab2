package sim

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// What every simulated image is, wherever it comes from.
const (
	imageBytes  = 2 << 30
	storedBytes = 200 << 20
)

// storeBytes is how large every store of images is.
const storeBytes = 1 << 40

// FetchImage implements [hypervisor.Imager]. Nothing is downloaded: whatever the URL, the image is there, whole, and just what
// its checksum promised.
func (w *World) FetchImage(ctx context.Context, host uid.Host, i hypervisor.Image) (hypervisor.ImageReport, error) {
	err := w.do(ctx, host, hypervisor.CommandFetchImage, func(t *tx) error {
		if i.MostBytes > 0 && i.MostBytes < imageBytes {
			return fault.Conflictf("a disk made from the image would have %d bytes, and %d are allowed", int64(imageBytes), i.MostBytes)
		}
		if added, err := t.addImage(i); err != nil || added {
			return err
		}
		url, err := t.imageURL(i.ImageRef)
		if err == nil && url != i.URL {
			err = fault.Conflictf("image %s is in store %s already, from %s and not from %s", i.Template, i.Store, url, i.URL)
		}
		return err
	})
	if err != nil {
		return hypervisor.ImageReport{}, err
	}
	return hypervisor.ImageReport{Bytes: imageBytes, StoredBytes: storedBytes}, nil
}

// Coming makes hosts say of an image, while they fetch it, that so much of it has come. Simulated images come all at once.
func (w *World) Coming(id uid.Template, f hypervisor.Fetched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.coming == nil {
		w.coming = map[uid.Template]hypervisor.Fetched{}
	}
	w.coming[id] = f
}

// Fetching implements [hypervisor.Follower].
func (w *World) Fetching(ctx context.Context, host uid.Host, i hypervisor.ImageRef) (hypervisor.Fetched, error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandFetching); err != nil {
		return hypervisor.Fetched{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.coming[i.Template], nil
}

// MeasureStore implements [hypervisor.Imager]. All stores are equally large, and every host reaches them.
func (w *World) MeasureStore(ctx context.Context, host uid.Host, _ hypervisor.StoreRef) (hypervisor.StoreReport, error) {
	_, err := w.ask(ctx, host, hypervisor.CommandMeasure)
	if err != nil {
		return hypervisor.StoreReport{}, err
	}
	return hypervisor.StoreReport{Bytes: storeBytes}, nil
}

// DropImage implements [hypervisor.Imager].
func (w *World) DropImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef) error {
	return w.do(ctx, host, hypervisor.CommandDropImage, func(t *tx) error { return t.dropImage(i) })
}
