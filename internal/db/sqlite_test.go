package db_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Nobody but the owner reads the data, whatever the folder allows and whatever an earlier version left.
func TestSQLiteFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLite(t)
	must(t, os.Chmod(filepath.Dir(path), 0o755))
	must(t, os.Chmod(path, 0o644))
	dbtest.Open(t, path)
	fresh := filepath.Join(filepath.Dir(path), "fresh.db")
	d, err := db.Open(t.Context(), fresh, db.Options{Clock: time.Now, NoSync: true})
	must(t, err)
	t.Cleanup(d.Close)
	for _, file := range []string{path, path + "-wal", path + "-shm", path + ".lock", fresh, fresh + "-wal", fresh + "-shm"} {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", file, info.Mode())
		}
	}
}

func TestADamagedFileIsExplained(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"text": strings.Repeat("this is no database ", 500), "page": "SQLite format 3\x00" + strings.Repeat("x", 8192)} {
		path := filepath.Join(t.TempDir(), "virga.db")
		must(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := db.Open(t.Context(), path, db.Options{Clock: time.Now})
		if err == nil || !strings.Contains(err.Error(), "give another --data, or put a kept copy in its place") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
