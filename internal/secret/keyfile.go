package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const header = "# Virga's keys for secrets in its database, the newest last. Without this file they are lost: keep a copy,\n" +
	"# but not together with copies of the database.\n"

// OpenBox opens the box whose keys are in a file. A file that is not there is made, with one key and for its owner's eyes
// only; its folder must exist. A file that others can read is refused.
func OpenBox(path string) (*Box, error) {
	content, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := write(path, header+newKey(), os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make the key file: %w", err)
		}
		content, err = read(path) // perhaps another process's
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	b, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", path, err)
	}
	return b, nil
}

// Rotate adds a key to the file, with which boxes opened from now on encrypt. What was sealed before still opens; see
// [Box.Stale].
func Rotate(path string) error {
	content, err := read(path)
	if err == nil {
		err = write(path, content+newKey(), os.Rename)
	}
	if err != nil {
		return fmt.Errorf("add a key to the key file: %w", err)
	}
	return nil
}

func read(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and think about who may have read it",
			path, info.Mode().Perm())
	}
	content, err := os.ReadFile(path)
	return string(content), err
}

// write makes the file whole and durable before it gets its name, so that nobody ever reads half of it and no crash leaves
// one that has sealed something already.
func write(path, content string, name func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // made 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := name(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
