package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/minio/minio-go/v7"
)

// Part is a part of an object that is sent, and the link by which.
type Part struct {
	Link  string
	Bytes int64
}

// The sizes of parts: of small ones less is sent again when a connection breaks, and there can't be any number.
const (
	leastPart = 64 << 20
	mostParts = 500
)

// Link is what an object is got by, for a while, by whoever has it.
func (b *Bucket) Link(ctx context.Context, key string) (string, error) {
	u, err := b.core.Presign(ctx, http.MethodGet, b.place.Bucket, key, linkLives, nil)
	if err != nil {
		return "", b.failed("make a link to "+key, err)
	}
	return u.String(), nil
}

// Send has somebody else send an object: send is given links for its parts, and gives the tags with which they were taken. An earlier
// try for the same object is over then, wherever it is at work. Of one that fails nothing stays.
func (b *Bucket) Send(ctx context.Context, key string, size int64, send func([]Part) ([]string, error)) error {
	return b.inParts(ctx, key, func(id string) ([]string, error) {
		parts, err := b.parts(ctx, key, id, size)
		if err != nil {
			return nil, err
		}
		return send(parts)
	})
}

// inParts makes an object of parts, of which send gives the tags.
func (b *Bucket) inParts(ctx context.Context, key string, send func(id string) ([]string, error)) (err error) {
	if err := b.abort(ctx, key); err != nil {
		return err
	}
	id, err := b.core.NewMultipartUpload(ctx, b.place.Bucket, key, minio.PutObjectOptions{})
	if err != nil {
		return b.failed("begin "+key, err)
	}
	defer func() {
		if err != nil {
			_ = b.core.AbortMultipartUpload(context.WithoutCancel(ctx), b.place.Bucket, key, id) // else the next try or Drop does it
		}
	}()
	tags, err := send(id)
	if err != nil {
		return err
	}
	var whole []minio.CompletePart
	for i, tag := range tags {
		whole = append(whole, minio.CompletePart{PartNumber: i + 1, ETag: tag})
	}
	_, err = b.core.CompleteMultipartUpload(ctx, b.place.Bucket, key, id, whole, minio.PutObjectOptions{})
	return b.failed("end "+key, err)
}

func (b *Bucket) parts(ctx context.Context, key, id string, size int64) (all []Part, err error) {
	each := max(leastPart, (size+mostParts-1)/mostParts)
	for left := size; left > 0 || len(all) == 0; left -= each {
		u, err := b.core.Presign(ctx, http.MethodPut, b.place.Bucket, key, linkLives,
			url.Values{"uploadId": {id}, "partNumber": {strconv.Itoa(len(all) + 1)}})
		if err != nil {
			return nil, b.failed("make links to "+key, err)
		}
		all = append(all, Part{u.String(), min(each, left)})
	}
	return all, nil
}

// The sizes of parts of what is streamed, which are in memory: the later ones are larger, as there can't be any number.
const (
	partSize = 16 << 20
	larger   = 4000 // parts, after which they are
)

// Write keeps what is read, of whatever size. Of what breaks off nothing stays.
func (b *Bucket) Write(ctx context.Context, key string, from io.Reader) error {
	return b.inParts(ctx, key, func(id string) (tags []string, err error) {
		buffer := make([]byte, partSize)
		for ended := false; !ended; {
			if len(tags) == larger {
				buffer = make([]byte, 8*partSize)
			}
			n := 0
			for n < len(buffer) && err == nil { // io.ReadFull would not tell an end from what has broken off
				var got int
				got, err = from.Read(buffer[n:])
				n += got
			}
			if ended = err == io.EOF; err != nil && !ended { // no other is the end
				return nil, err
			}
			err = nil
			if n == 0 && len(tags) > 0 {
				break
			}
			sum := sha256.Sum256(buffer[:n])
			p, failed := b.core.PutObjectPart(ctx, b.place.Bucket, key, id, len(tags)+1, bytes.NewReader(buffer[:n]), int64(n),
				minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true})
			if failed != nil {
				return nil, b.failed("put "+key, failed)
			}
			tags = append(tags, p.ETag)
		}
		return tags, nil
	})
}
