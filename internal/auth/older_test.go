package auth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/secret"
)

// olderHashes are of the password "pässword", made with Python's hashlib, and one of "password" from CloudStack's own tests.
var olderHashes = map[string]string{
	"MD5":              "8e1843033a0f6ee52e2f618aa8ebbef4",
	"SHA256SALT":       "AAECAwQFBgcICQoLDA0ODxAREhM=:ELeG8d6Dr/UR4Yf3ZfezkW5fS/Hx5A08g7NFqNUKfwM=",
	"PBKDF2":           "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==:wfN+0igdC39RDFQWhZuMOlfK22hUoj+4xPmobHwzkypn1eLk0wEctEHAqxWkaNbIttuddxHTokuIs2xrASX55A==:1000",
	"PBKDF2 of theirs": "FMDMdx/2QjrZniqNRAgOAC1ai/CY/C+2kmKhp3vo+98pkqhO+AR6hCyUl0bOXtkq3XWqNiSQTwbi7KTiwuWhyw==:+u8T5LzCtikCPvKnUDn6JDezf1Hg2bood/ke5Oo93pz9s1eD9k/JLsa497Z3h9QWfOQfq0zvCRmkzfXMF913vQ==:4096",
}

func TestHashesOfOlderClouds(t *testing.T) {
	t.Parallel()
	ctx, h := context.Background(), auth.NewHasher(auth.TestCost())
	for name, encoded := range olderHashes {
		right := "pässword"
		if strings.HasSuffix(name, "theirs") {
			right = "password"
		}
		for password, want := range map[string]bool{right: true, "wrong": false, "": false, right + " ": false, encoded: false, strings.Repeat("x", 1<<20): false} {
			ok, stale, err := h.Verify(ctx, encoded, secret.New(password))
			if ok != want || stale != want || err != nil {
				t.Errorf("%s with %.20q: %v, stale %v, %v", name, password, ok, stale, err)
			}
		}
		if upper := strings.ToUpper(encoded); name == "MD5" {
			if ok, _, _ := h.Verify(ctx, upper, secret.New(right)); !ok {
				t.Error("hex digits may be of either case")
			}
		}
		for _, broken := range []string{encoded[1:], encoded + "0", encoded + ":", ":" + encoded, "$" + encoded} {
			if ok, _, err := h.Verify(ctx, broken, secret.New(right)); ok || err != nil {
				t.Errorf("%s as %q: %v, %v", name, broken, ok, err)
			}
		}
	}
	greedy := strings.TrimSuffix(olderHashes["PBKDF2"], "1000") + "2000000000"
	if ok, _, err := h.Verify(ctx, greedy, secret.New("pässword")); ok || err != nil {
		t.Errorf("greedy: %v, %v", ok, err)
	}
}

// FuzzVerify wants no text to be taken for a hash that every password fits, and none to cost more than hashes do.
func FuzzVerify(f *testing.F) {
	for _, encoded := range olderHashes {
		f.Add(encoded, "password")
	}
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "x")
	h := auth.NewHasher(auth.TestCost())
	f.Fuzz(func(t *testing.T, encoded, password string) {
		one, _, err := h.Verify(context.Background(), encoded, secret.New(password))
		if err != nil {
			t.Fatal(err)
		}
		if two, _, _ := h.Verify(context.Background(), encoded, secret.New(password+"a")); one && two {
			t.Errorf("%q fits two passwords", encoded)
		}
	})
}
