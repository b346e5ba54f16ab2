// Package file copies files and finds out what they are.
package file

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // what publishers of images publish; it finds what broke on the way
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// Copy copies a file, sharing its blocks where the file system can.
func Copy(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = out.Close() })
	_, err = io.Copy(out, in)
	if !stop() {
		return ctx.Err()
	}
	return errors.Join(err, out.Close())
}

// Begins tells whether a file begins with a text.
func Begins(path, with string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(with))
	_, err = io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return bytes.Equal(head, []byte(with)), err
}

// Verify tells whether a file is what its checksum promised.
func Verify(ctx context.Context, path, checksum string) error {
	if checksum == "" {
		return nil
	}
	name, sum, named := strings.Cut(strings.TrimPrefix(checksum, "{"), "}")
	if !named {
		name, sum = "", checksum
	}
	algorithms := map[string]func() hash.Hash{
		"MD5": md5.New, "SHA-1": sha1.New, "SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
	}
	algorithm := algorithms[strings.ToUpper(name)]
	if !named {
		for _, a := range algorithms {
			if a().Size()*2 == len(sum) {
				algorithm = a
			}
		}
	}
	if algorithm == nil {
		return fault.Conflictf("the checksum %q is of no known kind: want {MD5}, {SHA-1}, {SHA-256}, {SHA-512} and hex digits", checksum)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h := algorithm()
	if _, err := io.Copy(h, reading{ctx, f}); err != nil {
		return err
	}
	if is := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(is, sum) {
		return fault.Conflictf("the checksum is %s and not %s: it is another file, or was changed on its way", is, sum)
	}
	return nil
}

// reading ends with its context.
type reading struct {
	ctx context.Context
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
