package auth

import (
	"crypto/md5" //nolint:gosec // older systems' hashes are verified with it once, at a login that replaces them
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
)

// older is a hash that another cloud has made, and that came here with its users. Each is good for one login, which replaces it.
//
// What CloudStack has stored, in the order of its history:
//
//	MD5         32 hex digits
//	SHA256SALT  base64 of the salt, ":", base64 of SHA-256 of the password and the salt
//	PBKDF2      base64 of the salt, ":", base64 of PBKDF2 with HMAC-SHA1, 512 bits, ":", the rounds in decimal
type older struct {
	want   []byte
	derive func(password string) ([]byte, error)
}

const (
	maxRounds  = 2_000_000 // the most that a stored hash may ask for: a second's work
	pbkdf2Size = 64
)

// readOlder reads another cloud's hash; false where it is none.
func readOlder(encoded string) (older, bool) {
	parts := strings.Split(encoded, ":")
	switch len(parts) {
	case 1:
		want, err := hex.DecodeString(encoded)
		return older{want, func(password string) ([]byte, error) {
			sum := md5.Sum([]byte(password))
			return sum[:], nil
		}}, err == nil && len(want) == md5.Size
	case 2:
		salt, want, err := saltAndHash(parts)
		return older{want, func(password string) ([]byte, error) {
			sum := sha256.Sum256(append([]byte(password), salt...))
			return sum[:], nil
		}}, err == nil && len(want) == sha256.Size && len(salt) > 0
	case 3:
		salt, want, err := saltAndHash(parts)
		rounds, notNumber := strconv.Atoi(parts[2])
		return older{want, func(password string) ([]byte, error) {
			return pbkdf2.Key(sha1.New, lowBytes(password), salt, rounds, pbkdf2Size)
		}}, errors.Join(err, notNumber) == nil && len(want) == pbkdf2Size && len(salt) > 0 && rounds > 0 && rounds <= maxRounds
	}
	return older{}, false
}

func saltAndHash(parts []string) (salt, hash []byte, err error) {
	salt, noSalt := base64.StdEncoding.Strict().DecodeString(parts[0])
	hash, noHash := base64.StdEncoding.Strict().DecodeString(parts[1])
	return salt, hash, errors.Join(noSalt, noHash)
}

// lowBytes is how CloudStack's PBKDF2 reads a password: of each UTF-16 unit the lower byte.
func lowBytes(password string) string {
	units := utf16.Encode([]rune(password))
	b := make([]byte, len(units))
	for i, u := range units {
		b[i] = byte(u)
	}
	return string(b)
}
