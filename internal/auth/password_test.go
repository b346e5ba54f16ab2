package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

func TestHasher(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cheap, dear := auth.NewHasher(auth.TestCost()), auth.NewHasher(auth.Cost{MemoryKiB: 16, Passes: 2})
	hash, err := cheap.Hash(ctx, secret.New("right"))
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	if again, _ := cheap.Hash(ctx, secret.New("right")); again == hash {
		t.Error("two hashes of a password are the same: no salt")
	}
	for _, c := range []struct {
		name, encoded, password string
		hasher                  *auth.Hasher
		ok, stale               bool
	}{
		{"right", hash, "right", cheap, true, false},
		{"right, of another cost", hash, "right", dear, true, true},
		{"wrong", hash, "wrong", cheap, false, false},
		{"wrong, of another cost", hash, "wrong", dear, false, false},
		{"empty", hash, "", cheap, false, false},
		{"huge", hash, strings.Repeat("x", 1<<20), cheap, false, false},
		{"no such user", "", "right", cheap, false, false},
		{"no such user, empty", "", "", cheap, false, false},
		{"cut off", hash[:len(hash)-2], "right", cheap, false, false},
		{"greedy", strings.Replace(hash, "m=8", "m=4000000000", 1), "right", cheap, false, false},
	} {
		ok, stale, err := c.hasher.Verify(ctx, c.encoded, secret.New(c.password))
		if ok != c.ok || stale != c.stale || err != nil {
			t.Errorf("%s: got %v, stale %v, %v; want %v, %v", c.name, ok, stale, err, c.ok, c.stale)
		}
	}
	for _, password := range []string{"", strings.Repeat("x", 1025)} {
		if _, err := cheap.Hash(ctx, secret.New(password)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a password of %d bytes: %v", len(password), err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for range 100 { // whoever comes after the end may still find a free core, but never hangs
		_, _, _ = cheap.Verify(ended, hash, secret.New("right"))
	}
}

func BenchmarkHash(b *testing.B) {
	h := auth.NewHasher(auth.StrongCost())
	for b.Loop() {
		if _, err := h.Hash(context.Background(), secret.New("right")); err != nil {
			b.Fatal(err)
		}
	}
}
