package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A difference here is one that operators see: look at it, then run make generate.
func TestSettingsAreUpToDate(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", page))
	if err != nil || !bytes.Equal(got, settings()) {
		t.Errorf("docs/%s is not what the declarations say (%v)", page, err)
	}
}
