package tinyimagetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestPath(t *testing.T) {
	t.Parallel()
	path := Path(t)
	again := Path(t)
	if path != again {
		t.Errorf("the image is %s and then %s", path, again)
	}
	out, err := exec.Command("qemu-img", "info", path).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("32 MiB")) || bytes.Contains(out, []byte("backing file")) {
		t.Errorf("the image is %s, %v", out, err)
	}
	i, err := os.Stat(path)
	if err != nil || i.Size() > 20<<20 {
		t.Errorf("it has %d bytes, %v", i.Size(), err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/new-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
