package file

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	const keep = 256 << 10
	path := filepath.Join(t.TempDir(), "log")
	line := []byte("0123456789abcdef")
	if err := os.WriteFile(path, append(bytes.Repeat(line, (1<<20)/len(line)), "the end"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Shorten(path, 1<<20, keep); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || len(content) != keep || !bytes.HasSuffix(content, []byte("the end")) {
		t.Errorf("%d bytes are left, ending with %q, %v", len(content), content[max(0, len(content)-10):], err)
	}
}

func TestRemoveOld(t *testing.T) {
	t.Parallel()
	dir, noon := t.TempDir(), time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{"old": 2 * time.Hour, "new": 0} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, noon, noon.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveOld(filepath.Join(dir, "*"), noon.Add(-time.Hour)); err != nil || Exists(filepath.Join(dir, "old")) || !Exists(filepath.Join(dir, "new")) {
		t.Errorf("what is old is there or what is new is not, %v", err)
	}
}
