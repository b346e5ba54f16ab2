package bucket

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// Place says where a bucket is, and by what keys it opens.
type Place struct {
	Endpoint  string // "s3.example.org" or "10.1.2.3:9000"
	Bucket    string
	Region    string // "" finds out
	HTTPS     bool
	AccessKey secret.String
	SecretKey secret.String

	Connecting time.Duration // how long a connection may take to come about; 0 for 20 s
	Answering  time.Duration // how long an answer may take to begin; 0 for a minute
	Keeping    time.Duration // how long a connection that nobody uses is kept; 0 for 90 s
	Tries      int           // how often a request is made that came to nothing; 0 for 5
	NoProbes   bool          // connections are not asked whether the other end is there still (TCP keep-alive)
}

// Bucket is a bucket as servers have it. Its methods may be called by many goroutines at once. What they return is a fault: Unavailable
// where the endpoint does not answer, Conflict where it refuses, and NotFound for an object that is not there.
type Bucket struct {
	place Place
	core  minio.Core
}

// linkLives is how long hosts have for what they do with a link.
const linkLives = 12 * time.Hour

// Open makes a bucket ready to be spoken with; it asks nobody yet.
func Open(p Place) (*Bucket, error) {
	dialer := &net.Dialer{Timeout: cmp.Or(p.Connecting, 20*time.Second)}
	if p.NoProbes {
		dialer.KeepAlive = -1
	}
	c, err := minio.NewCore(p.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(p.AccessKey.Reveal(), p.SecretKey.Reveal(), ""),
		Secure: p.HTTPS, Region: p.Region, MaxRetries: cmp.Or(p.Tries, 5),
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialer.Timeout, ResponseHeaderTimeout: cmp.Or(p.Answering, time.Minute),
			IdleConnTimeout: cmp.Or(p.Keeping, 90*time.Second), MaxIdleConnsPerHost: 16, DisableCompression: true,
		},
	})
	if err != nil {
		return nil, fault.Invalidf("endpoint %q can't be one of S3: %v", p.Endpoint, err)
	}
	return &Bucket{p, *c}, nil
}

// failed says what became of a request, without what was signed.
func (b *Bucket) failed(doing string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err // the rest is the address, which may open something
	}
	text := fmt.Sprintf("bucket %s at %s: can't %s", b.place.Bucket, b.place.Endpoint, doing)
	answer, answered := errors.AsType[minio.ErrorResponse](err)
	switch {
	case !answered, answer.StatusCode >= 500, answer.StatusCode == http.StatusTooManyRequests:
		return fault.Unavailablef("%s: it does not answer as it should: %v", text, err)
	case answer.Code == minio.NoSuchKey, answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket:
		return fault.NotFoundf("%s: it is not there", text)
	default:
		return fault.Conflictf("%s: it refuses (%s): %s", text, answer.Code, answer.Message)
	}
}

// Probe finds out whether the bucket can be used, by using it.
func (b *Bucket) Probe(ctx context.Context) error {
	key, content := "virga-probe-"+rand.Text(), []byte(rand.Text())
	if err := b.Put(ctx, key, content); err != nil {
		return err
	}
	got, err := b.Get(ctx, key)
	if err == nil && !bytes.Equal(got, content) {
		err = fault.Conflictf("bucket %s at %s gives back something else than it was given", b.place.Bucket, b.place.Endpoint)
	}
	return errors.Join(err, b.Drop(context.WithoutCancel(ctx), key))
}

// Put keeps something small.
func (b *Bucket) Put(ctx context.Context, key string, content []byte) error {
	_, err := b.core.Client.PutObject(ctx, b.place.Bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return b.failed("put "+key, err)
}

// Get gives something small.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	return b.get(ctx, key, minio.GetObjectOptions{})
}

// Read gives a piece of an object that has these bytes at least.
func (b *Bucket) Read(ctx context.Context, key string, offset, bytes int64) ([]byte, error) {
	o := minio.GetObjectOptions{}
	if err := o.SetRange(offset, offset+bytes-1); err != nil {
		return nil, err
	}
	return b.get(ctx, key, o)
}

// Stream gives an object, from an offset on.
func (b *Bucket) Stream(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	o := minio.GetObjectOptions{}
	if offset > 0 {
		if err := o.SetRange(offset, 0); err != nil {
			return nil, err
		}
	}
	in, _, _, err := b.core.GetObject(ctx, b.place.Bucket, key, o)
	if err != nil {
		return nil, b.failed("get "+key, err)
	}
	return in, nil
}

func (b *Bucket) get(ctx context.Context, key string, o minio.GetObjectOptions) ([]byte, error) {
	in, _, _, err := b.core.GetObject(ctx, b.place.Bucket, key, o)
	if err != nil {
		return nil, b.failed("get "+key, err)
	}
	defer func() { _ = in.Close() }()
	content, err := io.ReadAll(in)
	return content, b.failed("get "+key, err)
}

// Size is how many bytes an object has.
func (b *Bucket) Size(ctx context.Context, key string) (int64, error) {
	i, err := b.core.StatObject(ctx, b.place.Bucket, key, minio.StatObjectOptions{})
	return i.Size, b.failed("look at "+key, err)
}

// mostCopied is how much a bucket copies in one request.
const mostCopied = 5 << 30

// Copy makes an object of another one, which the bucket does by itself.
func (b *Bucket) Copy(ctx context.Context, from, to string) error {
	size, err := b.Size(ctx, from)
	if err != nil {
		return err
	}
	target, source := minio.CopyDestOptions{Bucket: b.place.Bucket, Object: to}, minio.CopySrcOptions{Bucket: b.place.Bucket, Object: from}
	if size <= mostCopied {
		_, err = b.core.Client.CopyObject(ctx, target, source)
	} else {
		_, err = b.core.ComposeObject(ctx, target, source)
	}
	return b.failed("copy "+from, err)
}

// Drop removes objects, and what is on its way to them. One that is not there is nil.
func (b *Bucket) Drop(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := b.abort(ctx, key); err != nil {
			return err
		}
		err := b.failed("remove "+key, b.core.RemoveObject(ctx, b.place.Bucket, key, minio.RemoveObjectOptions{}))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// abort ends what is on its way to an object: parts of it would be paid for.
func (b *Bucket) abort(ctx context.Context, key string) error {
	all, err := b.core.ListMultipartUploads(ctx, b.place.Bucket, key, "", "", "", 1000)
	if err = b.failed("list what is on its way to "+key, err); fault.Is(err, fault.NotFound) { // so some say that there is nothing
		return nil
	} else if err != nil {
		return err
	}
	for _, u := range all.Uploads {
		if u.Key != key {
			continue
		}
		err := b.failed("abort what is on its way to "+key, b.core.AbortMultipartUpload(ctx, b.place.Bucket, key, u.UploadID))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}
