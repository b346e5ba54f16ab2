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
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

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

// Shorten leaves the end of a log that has more than most bytes. Who writes it appends, and goes on at its new end.
func Shorten(path string, most, keep int64) error {
	i, err := os.Lstat(path)
	if err != nil || i.Size() <= most || !i.Mode().IsRegular() {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	end := make([]byte, keep)
	n, err := f.ReadAt(end, i.Size()-keep)
	if n > 0 {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt(end[:n], 0)
		}
	}
	return errors.Join(err, f.Close())
}

// Space is how large the file system is that a folder is on, and how much of it is free.
func Space(dir string) (all, free int64, err error) {
	var system syscall.Statfs_t
	err = syscall.Statfs(dir, &system)
	return int64(system.Blocks) * system.Bsize, int64(system.Bavail) * system.Bsize, err
}

// Sync has what was written survive the power's failing.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Remove removes a file; an absent one is nil.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Exists tells whether a path is there.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Write writes a file that is there whole or not at all.
func Write(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// RemoveOld removes the files of a pattern that nobody has written to since a time. Who has one open keeps it.
func RemoveOld(pattern string, before time.Time) error {
	all, err := filepath.Glob(pattern)
	for _, path := range all {
		if i, unknown := os.Lstat(path); unknown == nil && i.ModTime().Before(before) {
			err = errors.Join(err, Remove(path))
		}
	}
	return err
}

// Piece reads some bytes of a file, or fewer at its end, and tells how many there are in all.
func Piece(path string, offset int64, most int) (data []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	n := min(int64(most), info.Size()-offset)
	if offset < 0 || n <= 0 {
		return nil, info.Size(), nil
	}
	data = make([]byte, n)
	got, err := f.ReadAt(data, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data[:got], info.Size(), err
}
