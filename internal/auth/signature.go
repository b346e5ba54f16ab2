package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// Param is one parameter of a request, decoded: as it was before it was encoded for a URL or a form.
type Param struct{ Name, Value string }

// maxWork bounds the bytes that are hashed to check one signature: the search for the form that a client signed ends there.
// What real clients sign is among the first few forms, and those are always tried.
const (
	maxWork  = 16 << 20
	minForms = 4
)

// SignText gives the signature of a text under a secret: HMAC-SHA1 in base64, as all of CloudStack's.
func SignText(text string, key secret.String) string {
	mac := hmac.New(sha1.New, []byte(key.Reveal()))
	_, _ = mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// VerifySignature tells whether signature is that of params under a secret. What is signed is a text made of all parameters
// but the signature itself; CloudStack's clients disagree about its fine print, and any of their forms is taken (see forms).
// All forms decode to the same parameters, so that tolerance lets nobody pass one request off as another. For the same
// reason a name that could be read as several parameters is refused. The parameter signaturemethod (HmacSHA1, HmacSHA256 or
// HmacSHA512, in any case) chooses the hash; without it it is SHA-1.
func VerifySignature(params []Param, signature string, key secret.String) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	newHash, known := hashOf(params)
	if err != nil || !known || key.IsEmpty() {
		return false
	}
	params = signed(params)
	for _, p := range params {
		if !plainName(p.Name) {
			return false
		}
	}
	mac := hmac.New(newHash, []byte(key.Reveal()))
	work := 0
	for i, f := range formsFor(params) {
		text := f.text(params)
		if work += len(text); work > maxWork && i >= minForms {
			return false
		}
		mac.Reset()
		_, _ = mac.Write([]byte(text))
		if hmac.Equal(mac.Sum(nil), given) {
			return true
		}
	}
	return false
}

// Sign gives the signature of params in CloudStack's own form, for clients.
func Sign(params []Param, key secret.String) string {
	newHash, known := hashOf(params)
	if !known {
		newHash = sha1.New
	}
	mac := hmac.New(newHash, []byte(key.Reveal()))
	_, _ = mac.Write([]byte(form{}.text(signed(params))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Expired tells whether a request says that it is no longer valid: with signatureVersion=3 it must say when it expires. A
// time that is missing or can't be read is an error, fault.Unauthenticated.
func Expired(params []Param, now time.Time) (bool, error) {
	if version, _ := value(params, "signatureversion"); version != "3" {
		return false, nil
	}
	text, _ := value(params, "expires")
	if text == "" {
		return false, fault.New(fault.Unauthenticated, "a request with signatureVersion=3 must say when it expires")
	}
	// Some clients write "…ZZ+0000", having quoted the pattern's zone and added one.
	plain := text
	if head, ok := strings.CutSuffix(text, "Z+0000"); ok {
		plain = strings.TrimRight(head, "Z") + "Z"
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05-07"} {
		if t, err := time.Parse(layout, plain); err == nil { // fractions of a second are read too
			return now.After(t), nil
		}
	}
	return false, fault.New(fault.Unauthenticated, "expires=%q is not a time: want one like 2026-11-22T00:00:00+0000", text)
}

// hashOf is the hash that the client chose. Two different choices are none.
func hashOf(params []Param) (func() hash.Hash, bool) {
	method, one := value(params, "signaturemethod")
	switch strings.ToLower(method) {
	case "", "hmacsha1":
		return sha1.New, one
	case "hmacsha256":
		return sha256.New, one
	case "hmacsha512":
		return sha512.New, one
	default:
		return nil, false
	}
}

// value gives a parameter by its lower-case name, and false when there are several of it.
func value(params []Param, name string) (string, bool) {
	found, n := "", 0
	for _, p := range params {
		if strings.EqualFold(p.Name, name) {
			found, n = p.Value, n+1
		}
	}
	return found, n <= 1
}

func signed(params []Param) []Param {
	return slices.DeleteFunc(slices.Clone(params), func(p Param) bool { return strings.EqualFold(p.Name, "signature") })
}

// plainName refuses names that would not come out of a signed text as they went in: names are not encoded there, so that
// "a=1&b" with the value 2 would have the signature of a=1 and b=2.
func plainName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune("%&=+", r) })
}
