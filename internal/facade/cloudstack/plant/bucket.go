package plant

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// signer is CloudStack's name for how requests to buckets are signed.
const signer = "AWSS3V4SignerType"

func (t Translator) registerBuckets(m *api.Mux) {
	api.HandleCreate(m, cs.AddImageStoreS3, t.addImageStoreS3, look.Show(t.DB.Read, image.StoresByID, t.imageStoresOut))
	api.HandleCreate(m, cs.AddS3, t.addS3, look.Show(t.DB.Read, image.StoresByID, t.bucketsOut))
	api.HandleList(m, cs.ListS3s, t.listS3s)
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func (t Translator) addImageStoreS3(ctx context.Context, in cs.AddImageStoreS3In) (uid.ImageStore, error) {
	if err := checkSigner(in.Signer); err != nil {
		return "", err
	}
	s, err := t.Images.AddBucket(ctx, image.Store{}, image.Bucket{
		Endpoint: in.Endpoint, Name: in.Bucket, HTTPS: in.HTTPS == nil || *in.HTTPS,
		AccessKey: secret.New(in.AccessKey), SecretKey: secret.New(in.SecretKey),
		Connecting: milliseconds(in.ConnectionTimeout), Answering: milliseconds(in.SocketTimeout), Keeping: milliseconds(in.ConnectionTTL),
		Tries: in.MaxErrorRetry, NoProbes: in.TCPKeepAlive != nil && !*in.TCPKeepAlive,
	})
	return s.ID, err
}

func checkSigner(name string) error {
	if name != "" && name != signer {
		return fault.Invalidf("s3signer %q is not known here: want %s", name, signer)
	}
	return nil
}

func (t Translator) addS3(ctx context.Context, in cs.AddS3In) (uid.ImageStore, error) {
	s, err := t.Images.AddBucket(ctx, image.Store{}, image.Bucket{
		Endpoint: cmp.Or(in.Endpoint, "s3.amazonaws.com"), Name: in.Bucket, HTTPS: in.HTTPS == nil || *in.HTTPS,
		AccessKey: secret.New(in.AccessKey), SecretKey: secret.New(in.SecretKey),
		Connecting: milliseconds(in.ConnectionTimeout), Answering: milliseconds(in.SocketTimeout), Tries: in.MaxErrorRetry,
	})
	return s.ID, err
}

// addBucket is addImageStore for provider S3, whose details say all.
func (t Translator) addBucket(ctx context.Context, in cs.AddImageStoreIn) (uid.ImageStore, error) {
	if in.URL != "" {
		return "", fault.Invalidf("a bucket has no url: say where it is in details[0].endpoint and details[0].bucket")
	}
	b, err := bucketIn(in.Details)
	if err != nil {
		return "", err
	}
	s, err := t.Images.AddBucket(ctx, image.Store{Name: in.Name, Zone: in.ZoneID}, b)
	return s.ID, err
}

// bucketIn reads the details of a bucket. What they say is not repeated, but for what can't be secret.
func bucketIn(details []cs.KeyValue) (image.Bucket, error) {
	b := image.Bucket{HTTPS: true}
	var key string
	flag := func(to *bool, is bool) func(string) error {
		return func(v string) error {
			yes, err := strconv.ParseBool(v)
			if *to = yes == is; err != nil {
				err = fault.Invalidf("details: %s wants true or false", key)
			}
			return err
		}
	}
	text := func(to *string) func(string) error { return func(v string) error { *to = v; return nil } }
	hidden := func(to *secret.String) func(string) error {
		return func(v string) error { *to = secret.New(v); return nil }
	}
	number := func(take func(n int)) func(string) error {
		return func(v string) error {
			n, err := strconv.Atoi(v)
			if take(n); err != nil {
				err = fault.Invalidf("details: %s wants a number", key)
			}
			return err
		}
	}
	known := map[string]func(string) error{
		"accesskey": hidden(&b.AccessKey), "secretkey": hidden(&b.SecretKey), "endpoint": text(&b.Endpoint), "bucket": text(&b.Name),
		"region": text(&b.Region), "usehttps": flag(&b.HTTPS, true), "usetcpkeepalive": flag(&b.NoProbes, false), "s3signer": checkSigner,
		"connectiontimeout": number(func(n int) { b.Connecting = milliseconds(n) }),
		"sockettimeout":     number(func(n int) { b.Answering = milliseconds(n) }),
		"connectionttl":     number(func(n int) { b.Keeping = milliseconds(n) }),
		"maxerrorretry":     number(func(n int) { b.Tries = n }),
	}
	seen := map[string]bool{}
	for _, d := range details {
		key = strings.ToLower(d.Key)
		take := known[key]
		switch {
		case take == nil:
			names := []string{}
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			return b, fault.Invalidf("details: %q is nothing that a bucket is told by: want %s", d.Key, strings.Join(names, ", "))
		case seen[key]:
			return b, fault.Invalidf("details: %s is there twice", key)
		}
		seen[key] = true
		if err := take(d.Value); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (t Translator) listS3s(ctx context.Context, in cs.ListS3sIn) (none api.Page[cs.S3], err error) {
	filter := image.StoreFilter{Provider: image.S3Provider, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	stores, total, err := t.Images.Stores(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.bucketsOut(ctx, stores)
	return api.Page[cs.S3]{Count: total, Items: items}, err
}

func (t Translator) bucketsOut(ctx context.Context, stores []image.Store) ([]cs.S3, error) {
	l := look.In(t.DB.Read())
	buckets := look.Related(ctx, l, len(stores), func(i int) uid.ImageStore { return stores[i].ID }, image.BucketsByStore)
	return look.Page(stores, 0, func(s image.Store) cs.S3 {
		b := buckets[s.ID]
		out := cs.S3{
			ID: s.ID, Endpoint: b.Endpoint, Bucket: b.Name, ConnectionTimeout: b.Connecting.Milliseconds(),
			SocketTimeout: b.Answering.Milliseconds(), MaxErrorRetry: b.Tries,
		}
		if b.HTTPS {
			out.HTTPS = 1
		}
		return out
	}).Items, l.Err
}
