package file

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
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
