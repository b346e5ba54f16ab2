package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// Cost is what hashing one password costs, whoever does it.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// StrongCost is what servers use: 19 MiB and two passes, OWASP's recommendation for argon2id with one lane.
func StrongCost() Cost { return Cost{MemoryKiB: 19 * 1024, Passes: 2} }

// TestCost is next to nothing.
func TestCost() Cost { return Cost{MemoryKiB: 8, Passes: 1} }

const (
	saltSize    = 16
	keySize     = 32
	maxPassword = 1024      // bytes
	maxMemory   = 256 << 10 // KiB, and
	maxPasses   = 16        // the most that a stored hash may ask for
)

var encoding = base64.RawStdEncoding.Strict()

// Hasher hashes passwords with argon2id. One hash per core at a time is made; others wait, so that a wave of logins costs
// neither the memory of all of them nor the time of everything else.
type Hasher struct {
	cost  Cost
	slots chan struct{}
}

// NewHasher gives a hasher whose new hashes have this cost. It verifies hashes of any.
func NewHasher(cost Cost) *Hasher {
	return &Hasher{cost: cost, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Hash gives what to store for a password, in PHC form ("$argon2id$v=19$m=…"). An empty password and one of more than 1024
// bytes is fault.Invalid.
func (h *Hasher) Hash(ctx context.Context, password secret.String) (string, error) {
	switch n := len(password.Reveal()); {
	case n == 0:
		return "", fault.Invalidf("the password is empty")
	case n > maxPassword:
		return "", fault.Invalidf("the password is longer than %d bytes", maxPassword)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	key, err := h.derive(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, h.cost.MemoryKiB, h.cost.Passes,
		encoding.EncodeToString(salt), encoding.EncodeToString(key)), nil
}

// Verify tells whether password is the one that encoded was made from, and if so, whether it should be hashed again: because
// hashes cost something else by now, or because another cloud has made it (see older). An encoded that is no hash ("", for a
// user that is not there) never matches and costs what a new hash costs: nobody can tell by the clock that there is no such
// user. The only error is ctx's end.
func (h *Hasher) Verify(ctx context.Context, encoded string, password secret.String) (ok, stale bool, err error) {
	cost, salt, want, parseErr := decode(encoded)
	if parseErr != nil {
		if old, known := readOlder(encoded); known {
			ok, err = h.verifyOlder(ctx, old, password)
			return ok, ok, err
		}
		cost, salt = h.cost, make([]byte, saltSize)
	}
	fits := len(password.Reveal()) <= maxPassword
	if !fits {
		password = secret.String{}
	}
	got, err := h.derive(ctx, password, salt, cost)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1 && parseErr == nil && fits && !password.IsEmpty()
	return ok, ok && cost != h.cost, nil
}

// verifyOlder costs what a new hash costs besides, so that the clock doesn't tell whose hash is still an old one.
func (h *Hasher) verifyOlder(ctx context.Context, old older, password secret.String) (bool, error) {
	if password.IsEmpty() || len(password.Reveal()) > maxPassword {
		password = secret.String{}
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	got, err := old.derive(password.Reveal())
	leave()
	if err != nil {
		return false, fmt.Errorf("verify another cloud's password hash: %w", err)
	}
	ok := subtle.ConstantTimeCompare(got, old.want) == 1 && !password.IsEmpty()
	if ok {
		return true, nil // its new hash is made next
	}
	_, err = h.derive(ctx, password, make([]byte, saltSize), h.cost)
	return false, err
}

func (h *Hasher) derive(ctx context.Context, password secret.String, salt []byte, cost Cost) ([]byte, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return argon2.IDKey([]byte(password.Reveal()), salt, cost.Passes, cost.MemoryKiB, 1, keySize), nil
}

// enter waits for a core.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a core to hash a password: %w", ctx.Err())
	}
}

var errNoHash = errors.New("this is no argon2id hash")

func decode(encoded string) (Cost, []byte, []byte, error) {
	var c Cost
	var version, lanes int
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, nil, nil, errNoHash
	}
	_, errVersion := fmt.Sscanf(parts[2], "v=%d", &version)
	_, errCost := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &lanes)
	salt, errSalt := encoding.DecodeString(parts[4])
	key, errKey := encoding.DecodeString(parts[5])
	if errors.Join(errVersion, errCost, errSalt, errKey) != nil || version != argon2.Version || lanes != 1 || len(key) != keySize ||
		c.Passes < 1 || c.Passes > maxPasses || c.MemoryKiB > maxMemory {
		return c, nil, nil, errNoHash
	}
	return c, salt, key, nil
}
