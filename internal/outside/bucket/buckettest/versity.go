package buckettest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/porttest"
)

// Versity starts versitygw, an S3 server that people use, over a folder, and gives its endpoint, host:port. It has the same keys and the same
// bucket. The test is skipped where the program is not there, unless VIRGA_REQUIRE asks for it.
func Versity(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("versitygw")
	if err != nil {
		path, err = exec.LookPath(filepath.Join("..", "..", "..", ".bin", "versitygw")) // seen from the package that has these tests
	}
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "versitygw") {
			t.Fatal("VIRGA_REQUIRE asks for versitygw, but there is none on the path and in .bin: make .bin/versitygw")
		}
		t.Skip("needs versitygw")
	}
	at := porttest.Free(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, Bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), path, "--access", AccessKey, "--secret", SecretKey, "--region", region, "--port", at, "posix", dir)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		said, _ := os.ReadFile(log.Name())
		if t.Failed() {
			t.Logf("versitygw has said:\n%s", said)
		}
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 1200 {
		conn, err := net.DialTimeout("tcp", at, time.Second)
		if err == nil {
			_ = conn.Close()
			return at
		}
		<-tick.C
	}
	t.Fatal("versitygw does not listen")
	return ""
}
