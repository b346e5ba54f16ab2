package secret

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Box encrypts what the database keeps (AES-256-GCM). Its keys are in a file beside the database, which a backup of the
// database does not hold. The newest key encrypts, all of them decrypt. All methods may be called concurrently.
type Box struct {
	keys   map[string]cipher.AEAD
	newest string
}

// version begins every sealed text, so that another cipher can follow one day.
const version = "v1"

// Seal encrypts plain. The context says where the result is kept ("api_keys.secret/" and the row's id): it is authenticated,
// so that a sealed text moved to another row or column does not open.
func (b *Box) Seal(plain, context string) string {
	head := version + ":" + b.newest
	sealed := b.keys[b.newest].Seal(nil, nil, []byte(plain), []byte(head+"\n"+context))
	return head + ":" + letters.EncodeToString(sealed)
}

// letters are strict, so that one sealed text has one form: the last letter has bits that mean nothing.
var letters = base64.RawURLEncoding.Strict()

// Open decrypts what [Box.Seal] made for the same context.
func (b *Box) Open(sealed, context string) (String, error) {
	head, body, ok := cutLast(sealed, ":")
	id, isOurs := strings.CutPrefix(head, version+":")
	if !ok || !isOurs {
		return String{}, fmt.Errorf("open %s: this is no sealed text", context)
	}
	key := b.keys[id]
	if key == nil {
		return String{}, fmt.Errorf("open %s: the key file has no key %q", context, id)
	}
	raw, err := letters.DecodeString(body)
	if err != nil {
		return String{}, fmt.Errorf("open %s: this is no sealed text", context)
	}
	plain, err := key.Open(nil, nil, raw, []byte(head+"\n"+context))
	if err != nil {
		return String{}, fmt.Errorf("open %s: the text was changed, moved, or sealed with another key", context)
	}
	return New(string(plain)), nil
}

// Stale tells whether a sealed text is not under the newest key, and so should be sealed again.
func (b *Box) Stale(sealed string) bool {
	return !strings.HasPrefix(sealed, version+":"+b.newest+":")
}

// newKey makes a line for a key file.
func newKey() string {
	id, key := make([]byte, 4), make([]byte, 32)
	_, _ = rand.Read(id) // never fails
	_, _ = rand.Read(key)
	return fmt.Sprintf("%x %s\n", id, base64.StdEncoding.EncodeToString(key))
}

// parse reads a key file: a key a line, "<id> <32 bytes in base64>", the newest last; lines that begin with # are comments.
func parse(content string) (*Box, error) {
	b := &Box{keys: map[string]cipher.AEAD{}}
	lines := bufio.NewScanner(strings.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, text, _ := strings.Cut(line, " ")
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(key) != 32 || strings.Contains(id, ":") {
			return nil, fmt.Errorf("line %d: want a key's id and 32 bytes in base64", n) // never the line itself
		}
		if b.keys[id] != nil {
			return nil, fmt.Errorf("line %d: there are two keys %q", n, id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if b.keys[id], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
		b.newest = id
	}
	if b.newest == "" {
		return nil, errors.New("there is no key in it")
	}
	return b, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+len(sep):], true
}
