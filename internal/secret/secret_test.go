package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/secret"
)

const canary = "c4n4ry"

// Nothing prints a secret: no verb, no logger, no encoder, from no depth, not even from fields that fmt may not ask.
func TestStringIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := secret.New(canary)
	type hidden struct {
		s secret.String
		p *secret.String
		m map[string]secret.String
	}
	type open struct {
		S secret.String
		M map[string]secret.String
		L []secret.String
	}
	values := []any{
		s, &s, hidden{s, &s, map[string]secret.String{"k": s}}, &hidden{s: s},
		open{s, map[string]secret.String{"k": s}, []secret.String{s}}, []any{s}, fmt.Errorf("bad: %v", s),
	}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range "vsqxXdTtbcoOUeEfFgGpw" {
			for _, flag := range []string{"", "+", "#", " ", "0", "-20", ".3"} {
				fmt.Fprintf(&out, "%"+flag+string(verb)+"\n", v)
			}
		}
		fmt.Fprintln(&out, v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", v)
		_ = json.NewEncoder(&out).Encode(v)
		_ = xml.NewEncoder(&out).Encode(v)
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("%d", []byte(canary))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret was printed as %q", form)
		}
	}
	if !strings.Contains(out.String(), "***") {
		t.Error("nothing printed ***")
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	var none secret.String
	a, b := secret.New("a"), secret.New("a")
	if a.Reveal() != "a" || none.Reveal() != "" || !none.IsEmpty() || a.IsEmpty() || !secret.New("").IsEmpty() {
		t.Error("a secret is not what it was made of")
	}
	if !a.Equal(b) || a.Equal(none) || a.Equal(secret.New("b")) || !none.Equal(secret.New("")) {
		t.Error("secrets are not compared by their texts")
	}
}

func TestBox(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	box := open(t, path)
	sealed := box.Seal(canary, "table.column/1")
	if strings.Contains(sealed, canary) || sealed == box.Seal(canary, "table.column/1") {
		t.Errorf("sealed as %s, and again the same", sealed)
	}
	if got, err := box.Open(sealed, "table.column/1"); err != nil || got.Reveal() != canary {
		t.Errorf("opened: %q, %v", got.Reveal(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}

	head, body := sealed[:12], sealed[12:]
	flipped := []byte(body)
	flipped[len(flipped)/2] ^= 1
	for what, c := range map[string]struct{ sealed, context string }{
		"another row":  {sealed, "table.column/2"},
		"changed":      {head + string(flipped), "table.column/1"},
		"cut":          {sealed[:len(sealed)-4], "table.column/1"},
		"another key":  {strings.Replace(sealed, sealed[3:11], "00000000", 1), "table.column/1"},
		"no sealed":    {canary, "table.column/1"},
		"empty":        {"", "table.column/1"},
		"empty sealed": {head, "table.column/1"},
	} {
		if got, err := box.Open(c.sealed, c.context); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: opened as %q, %v", what, got.Reveal(), err)
		}
	}
	if _, err := open(t, filepath.Join(t.TempDir(), "keys")).Open(sealed, "table.column/1"); err == nil {
		t.Error("another key file opens it")
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	old := open(t, path)
	sealed := old.Seal(canary, "c")
	if err := secret.Rotate(path); err != nil {
		t.Fatal(err)
	}
	box := open(t, path)
	if got, err := box.Open(sealed, "c"); err != nil || got.Reveal() != canary {
		t.Errorf("after the rotation: %q, %v", got.Reveal(), err)
	}
	if !box.Stale(sealed) || box.Stale(box.Seal(canary, "c")) || old.Stale(sealed) {
		t.Error("stale is not what an old key sealed")
	}
	if _, err := old.Open(box.Seal(canary, "c"), "c"); err == nil {
		t.Error("the new key does not seal")
	}
}

func TestKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	open(t, path)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(content))+"\n", "\n")
	key := lines[len(lines)-2]
	for what, c := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"readable by others": {key, 0o644},
		"empty":              {"", 0o600},
		"comments only":      {"# nothing\n", 0o600},
		"a key twice":        {key + key, 0o600},
		"a short key":        {"k1 c2hvcnQ=\n", 0o600},
		"half a line":        {key[:30], 0o600},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.OpenBox(path); err == nil {
			t.Errorf("%s: taken", what)
		} else if strings.Contains(err.Error(), strings.TrimSpace(key[9:30])) {
			t.Errorf("%s: the error shows the key: %v", what, err)
		}
	}
}

// Servers that start at once on one new key file all end with the same key.
func TestOpenBoxAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	sealed := make([]string, 16)
	var all sync.WaitGroup
	for i := range sealed {
		all.Go(func() {
			if box, err := secret.OpenBox(path); err != nil {
				t.Error(err)
			} else {
				sealed[i] = box.Seal(canary, "c")
			}
		})
	}
	all.Wait()
	box := open(t, path)
	for _, s := range sealed {
		if _, err := box.Open(s, "c"); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func open(t *testing.T, path string) *secret.Box {
	t.Helper()
	box, err := secret.OpenBox(path)
	if err != nil {
		t.Fatal(err)
	}
	return box
}
