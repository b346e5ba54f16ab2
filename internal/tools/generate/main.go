// Command generate writes docs/reference from the declarations of the API, and beside it the page of the settings from theirs. It is run
// in the root of the repository, or with the folder of the reference as its argument; files there that are no longer generated are
// removed.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

func main() {
	folder := filepath.Join("docs", "reference")
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	files := api.NewReference(cs.Version, cs.All...).Files()
	err := write(folder, files)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "..", page), settings(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range old {
		if _, wanted := files[entry.Name()]; wanted {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(folder, name), body, 0o644); err != nil {
			return err
		}
	}
	return nil
}
