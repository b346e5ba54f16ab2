package tinyimagetest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/tinyimage"
)

// Path is the image, a qcow2 file that nobody may change.
func Path(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = filepath.Join(os.TempDir(), "virga-cache")
	}
	path, err := tinyimage.Cached(t.Context(), filepath.Join(dir, "virga-tiny"))
	switch {
	case err == nil:
		return path
	case slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "qemu"):
		t.Fatalf("VIRGA_REQUIRE asks for qemu, but there is no tiny guest: %v", err)
	default:
		t.Skipf("needs the tiny guest: %v", err)
	}
	return ""
}
