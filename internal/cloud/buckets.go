package cloud

import (
	"context"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor/buckets"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/outside/bucket"
	"github.com/virga-cloud/virga/uid"
)

// place is a bucket as its client knows it.
func place(b image.Bucket) bucket.Place {
	return bucket.Place{
		Endpoint: b.Endpoint, Bucket: b.Name, Region: b.Region, HTTPS: b.HTTPS, AccessKey: b.AccessKey, SecretKey: b.SecretKey,
		Connecting: b.Connecting, Answering: b.Answering, Keeping: b.Keeping, Tries: b.Tries, NoProbes: b.NoProbes,
	}
}

// probing is how long somebody waits to hear that a bucket can't be used.
const probing = 30 * time.Second

func probe(ctx context.Context, b image.Bucket) error {
	p := place(b)
	p.Tries = 1 // whoever asks may ask again
	client, err := bucket.Open(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	return client.Probe(ctx)
}

// openBucket opens the buckets of stores, each once: a store's bucket and keys stay the same.
func (cl *Cloud) openBucket() buckets.Open {
	var open sync.Map
	return func(ctx context.Context, id uid.ImageStore) (*bucket.Bucket, error) {
		if known, ok := open.Load(id); ok {
			return known.(*bucket.Bucket), nil //nolint:forcetypeassert // nothing else is put there
		}
		b, err := cl.Images.Bucket(ctx, id)
		if err != nil {
			return nil, err
		}
		client, err := bucket.Open(place(b))
		if err == nil {
			open.Store(id, client)
		}
		return client, err
	}
}
