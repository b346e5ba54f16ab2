package tinyimage

import (
	"bytes"
	"strings"
	"testing"
)

func TestArchive(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &archive{w: &out}
	a.folder("etc")
	a.file("etc/name", []byte("tiny\n"))
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if out.Len()%4 != 0 || !strings.HasPrefix(out.String(), "070701") {
		t.Errorf("%d bytes, beginning with %.6q", out.Len(), out.String())
	}
	if n := strings.Count(out.String(), "070701"); n != 3 {
		t.Errorf("%d entries, want a folder, a file and the end", n)
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"virtio_blk.ko": "virtio_blk", "virtio-rng.ko.xz": "virtio-rng", "virtio_blk.ko.gz": "", "modules.order": "",
	} {
		if got := moduleOf(file); got != want {
			t.Errorf("%s is module %q, want %q", file, got, want)
		}
	}
	dir := t.TempDir()
	if _, err := (Parts{Modules: dir}).load(t.Context()); err == nil || !strings.Contains(err.Error(), "virtio_blk") {
		t.Errorf("a folder without modules gave %v", err)
	}
}
