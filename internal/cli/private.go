package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// readPrivate reads a file that has secrets in it, and gives what is wrong with it as far as others are concerned: it is nobody
// else's, and others can't do with it what the mode bits forbid. Both are looked up after it is open, so that they are the file's
// that is read, wherever a link to it points meanwhile.
func (e *Env) readPrivate(path string, forbidden fs.FileMode) (text []byte, wrong string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }() // what was read counts
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	switch owner, known := ownerOf(info); {
	case !info.Mode().IsRegular():
		return nil, "it is no file", nil
	case known && owner != e.UID:
		return nil, "it belongs to another user", nil
	case info.Mode().Perm()&forbidden&0o044 != 0:
		return nil, "it can be read by others", nil
	case info.Mode().Perm()&forbidden != 0:
		return nil, "it can be written by others", nil
	}
	text, err = io.ReadAll(f)
	return text, "", err
}

func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// WriteFile writes a file that others can't read, in one step. A link stays one: what it points to is written.
func WriteFile(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*") // with the mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
