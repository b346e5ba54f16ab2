package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

var key = secret.New("VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ")

func request(more ...auth.Param) []auth.Param {
	return append([]auth.Param{
		{"command", "listVirtualMachines"}, {"apiKey", "k-1_Z"}, {"response", "json"},
		{"name", "a~b*c[0] d/e+(f)&g=h"}, {"tags[0].key", "Ünï"}, {"Zone", "z"},
	}, more...)
}

// The signatures were made with Python's hmac and urllib, writing the parameters down as each client does.
func TestVerifySignatureOfEachClient(t *testing.T) {
	t.Parallel()
	for client, signature := range map[string]string{
		"CloudStack":         "3Irppw1old/bifh6fDlILy1zRDo=",
		"cloudstack-go, cs":  "XNm/VqcPTdQYPP8zTh74qgljrPU=",
		"Marvin 4.1":         "GMDqa1s15y0hmRJJG2VR6+XM6Xg=",
		"libcloud":           "lrEhZZ9BZDyCwBFNgzI9PTEr7yA=",
		"Python's quote":     "b2v854x+HFHS6dH+Fbcqd5XsT/A=",
		"Python's urlencode": "gHJ1uxB4UDo7hEdNUUAVUV+OQ64=",
		"JavaScript":         "aax8c+CW8QJVaZtCJMq22dVL6i0=",
	} {
		params := request(auth.Param{"Signature", signature})
		if !auth.VerifySignature(params, signature, key) {
			t.Errorf("%s: the signature is refused", client)
		}
		params[3].Value += "x"
		if auth.VerifySignature(params, signature, key) {
			t.Errorf("%s: the signature is good for other parameters too", client)
		}
	}
}

func TestVerifySignatureByMethod(t *testing.T) {
	t.Parallel()
	for method, signature := range map[string]string{
		"HmacSHA256": "Q4Cc6NRSa9XJM06NslSEcD9+KECWjqqmsw5QcsylsyA=",
		"hmacsha512": "5HMFVPMvDsgDWrRrBIi5rxXW1ilxUGoxonMTwem/OSImgcfQITEREWpBGdut/xxXfO90AOiZq5fcG13ubAPI5Q==",
	} {
		params := request(auth.Param{"signatureMethod", method})
		if got := auth.Sign(params, key); got != signature || !auth.VerifySignature(params, got, key) {
			t.Errorf("%s: signed %s, want %s and that verified", method, got, signature)
		}
		if two := append(slices.Clone(params), auth.Param{"signaturemethod", "HmacSHA1"}); auth.VerifySignature(two, auth.Sign(two, key), key) {
			t.Errorf("%s: two methods are taken", method)
		}
	}
	odd := request(auth.Param{"signaturemethod", "md5"})
	if auth.VerifySignature(odd, auth.Sign(odd, key), key) {
		t.Error("an unknown method is taken")
	}
}

func TestVerifySignatureRefuses(t *testing.T) {
	t.Parallel()
	good := auth.Sign(request(), key)
	if !auth.VerifySignature(request(), good, key) {
		t.Fatal("a good signature is refused")
	}
	// Names are not encoded in what is signed: these have the same text as the good request's.
	hidden := request()
	hidden[0] = auth.Param{"command=listVirtualMachines&Name", hidden[3].Value}
	for what, bad := range map[string]struct {
		params    []auth.Param
		signature string
		key       secret.String
	}{
		"no signature":    {request(), "", key},
		"no base64":       {request(), "!" + good, key},
		"a prefix":        {request(), good[:24], key},
		"another key":     {request(), good, secret.New("x")},
		"no key":          {request(), auth.Sign(request(), secret.String{}), secret.String{}},
		"one more":        {request(auth.Param{"a", "b"}), good, key},
		"a joined name":   {hidden, auth.Sign(hidden, key), key},
		"an encoded name": {request(auth.Param{"x%5b0%5d", "1"}), auth.Sign(request(auth.Param{"x%5b0%5d", "1"}), key), key},
		"a nameless":      {request(auth.Param{"", "1"}), auth.Sign(request(auth.Param{"", "1"}), key), key},
	} {
		if auth.VerifySignature(bad.params, bad.signature, bad.key) {
			t.Errorf("%s: taken", what)
		}
	}
}

// What anybody signs in our form verifies, however long, and not after a change.
func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[A-Za-z][A-Za-z0-9.\[\]]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		var params []auth.Param
		for n := range rapid.SliceOfN(rapid.String(), 1, 8).Draw(t, "values") {
			params = append(params, auth.Param{name.Draw(t, "name") + fmt.Sprint(n), rapid.String().Draw(t, "value")})
		}
		signature := auth.Sign(params, key)
		if !auth.VerifySignature(params, signature, key) {
			t.Fatalf("%q: refused", params)
		}
		params[0].Value += "~"
		if auth.VerifySignature(params, signature, key) {
			t.Fatalf("%q: taken after a change", params)
		}
	})
}

func TestVerifySignatureOfHugeRequests(t *testing.T) {
	t.Parallel()
	params := request(auth.Param{"userdata", strings.Repeat("*~[/ (", 1<<18)})
	if !auth.VerifySignature(params, auth.Sign(params, key), key) {
		t.Error("refused")
	}
	if auth.VerifySignature(params, auth.Sign(request(), key), key) {
		t.Error("another's signature is taken")
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		version, expires string
		expired, bad     bool
	}{
		{version: "", expires: "2020-01-01T00:00:00Z"},
		{version: "2", expires: "garbage"},
		{version: "3", expires: "2026-11-22T12:00:00+0000"},
		{version: "3", expires: "2026-11-22T11:59:59+0000", expired: true},
		{version: "3", expires: "2026-11-22T11:59:59Z", expired: true},
		{version: "3", expires: "2026-11-22T13:59:59+02:00", expired: true},
		{version: "3", expires: "2026-11-22T14:00:01+0200"},
		{version: "3", expires: "2026-11-22T07:00:01.250-05"},
		{version: "3", expires: "2026-11-22T11:59:59.999Z", expired: true},
		{version: "3", expires: "2026-11-22T12:00:01ZZ+0000"},
		{version: "3", expires: "2026-11-22T11:59:59Z+0000", expired: true},
		{version: "3", expires: "", bad: true},
		{version: "3", expires: "tomorrow", bad: true},
		{version: "3", expires: "2026-11-22T12:00:01", bad: true},
	} {
		got, err := auth.Expired([]auth.Param{{"SignatureVersion", c.version}, {"Expires", c.expires}}, now)
		if got != c.expired || fault.Is(err, fault.Unauthenticated) != c.bad || !c.bad && err != nil {
			t.Errorf("version %q, expires %q: got %v, %v", c.version, c.expires, got, err)
		}
	}
}

// FuzzSignature looks for two requests that share a signature, and for panics.
func FuzzSignature(f *testing.F) {
	f.Add("name", "a b*~[]", "tags[0].key", "/", "name", "a b*~[]", "tags[0].key=/&x", "")
	f.Add("a", "1", "b", "2", "a=1&b", "2", "c", "")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2, m1, w1, m2, w2 string) {
		signature := auth.Sign([]auth.Param{{n1, v1}, {n2, v2}}, key)
		other := []auth.Param{{m1, w1}, {m2, w2}}
		if !auth.VerifySignature(other, signature, key) {
			return
		}
		// Case is not signed, nor is order.
		a, b := fold(n1)+"="+fold(v1), fold(n2)+"="+fold(v2)
		c, d := fold(m1)+"="+fold(w1), fold(m2)+"="+fold(w2)
		if same := a == c && b == d || a == d && b == c; !same {
			t.Errorf("%q signs %q", []string{n1, v1, n2, v2}, []string{m1, w1, m2, w2})
		}
	})
}

func fold(s string) string { return strings.ToLower(s) }
