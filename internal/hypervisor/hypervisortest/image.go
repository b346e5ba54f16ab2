package hypervisortest

import (
	"cmp"
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func testImage(t *testing.T, b *bench) {
	imager, ok := b.Driver.(hypervisor.Imager)
	if !ok {
		t.Skip("needs a driver that fetches images")
	}
	ref := hypervisor.ImageRef{Template: uid.New[uid.Template](), Store: uid.New[uid.ImageStore](), StoreURL: cmp.Or(b.StoreURL, b.PoolURL)}
	image := hypervisor.Image{ImageRef: ref, URL: cmp.Or(b.ImageURL, "http://example.org/tiny.qcow2"), Format: "QCOW2"}
	b.ok(imager.DropImage(b.ctx(), b.host, ref)) // absent
	for range 2 {
		first, err := imager.FetchImage(b.ctx(), b.host, image)
		b.ok(err)
		again, err := imager.FetchImage(b.ctx(), b.host, image)
		b.ok(err)
		if first != again || first.Bytes <= 0 || first.StoredBytes <= 0 {
			t.Errorf("the image is %+v, and then %+v", first, again)
		}
		other := image
		other.URL += "?another"
		_, err = imager.FetchImage(b.ctx(), b.host, other)
		b.fails(err, fault.Conflict)
		b.ok(imager.DropImage(b.ctx(), b.host, ref))
		b.ok(imager.DropImage(b.ctx(), b.host, ref))
	}
	if follower, can := imager.(hypervisor.Follower); can { // one that is there comes no more
		come, err := follower.Fetching(b.ctx(), b.host, ref)
		if b.ok(err); come != (hypervisor.Fetched{}) {
			t.Errorf("of an image that nobody fetches %+v has come", come)
		}
		_, err = follower.Fetching(b.ctx(), uid.New[uid.Host](), ref)
		b.fails(err, fault.Unavailable)
	}
	store := hypervisor.StoreRef{Store: ref.Store, URL: ref.StoreURL}
	r, err := imager.MeasureStore(b.ctx(), b.host, store)
	if b.ok(err); (r.Bytes <= 0) != b.Endless {
		t.Errorf("the store is %+v", r)
	}
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	_, err = imager.FetchImage(ctx, b.host, image)
	b.cancelled(err)
	b.cancelled(imager.DropImage(ctx, b.host, ref))
	_, err = imager.MeasureStore(ctx, b.host, store)
	b.cancelled(err)
	_, err = imager.MeasureStore(b.ctx(), uid.New[uid.Host](), store)
	b.fails(err, fault.Unavailable)
	_, err = imager.FetchImage(b.ctx(), uid.New[uid.Host](), image)
	b.fails(err, fault.Unavailable)
}
