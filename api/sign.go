package api

import (
	"crypto/hmac"
	"crypto/sha1" // CloudStack's clients and servers agree on it; HMAC doesn't depend on SHA-1's collisions
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Sign gives the signature of a request: the Base64 of the HMAC-SHA1 of its parameters, sorted by raw name, values encoded,
// all in lower case. A parameter named signature, in any case, is left out.
func Sign(params Params, secretKey string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !strings.EqualFold(name, "signature") {
			pairs = append(pairs, name+"="+signedValue(params[name]))
		}
	}
	mac := hmac.New(sha1.New, []byte(secretKey))
	mac.Write([]byte(strings.ToLower(strings.Join(pairs, "&"))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// javaEncoding turns Go's encoding of a value into Java's, with which servers compare, and the plus into %20.
var javaEncoding = strings.NewReplacer("+", "%20", "%2A", "*", "~", "%7E")

func signedValue(value string) string { return javaEncoding.Replace(url.QueryEscape(value)) }
