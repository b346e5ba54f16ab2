package cloudstack

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
)

func sign(p map[string]string, keys account.Keys) string { return api.Sign(p, keys.Secret.Reveal()) }

// signedText signs a text as it stands: what some client made of its parameters.
func signedText(text string, keys account.Keys) string {
	mac := hmac.New(sha1.New, []byte(keys.Secret.Reveal()))
	mac.Write([]byte(strings.ToLower(text)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// plainText is name=value&name=value, sorted as told, values encoded by a function of the client's.
func plainText(p map[string]string, encode func(string) string, less func(string) string) string {
	names := slices.SortedFunc(maps.Keys(p), func(a, b string) int { return strings.Compare(less(a), less(b)) })
	for i, name := range names {
		names[i] = name + "=" + encode(p[name])
	}
	return strings.Join(names, "&")
}

func TestSignaturesOfAllClientsAreTaken(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keys := c.tenants["root"].keys
	raw := func(s string) string { return s }
	java := func(s string) string {
		return strings.NewReplacer("+", "%20", "%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
	}
	goes := func(s string) string { return strings.NewReplacer("+", "%20", "%2A", "*").Replace(url.QueryEscape(s)) }
	python := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	libcloud := func(s string) string { return strings.NewReplacer("%5B", "[", "%5D", "]").Replace(java(s)) }
	for name, text := range map[string]func(map[string]string) string{
		"CloudStack":     func(p map[string]string) string { return plainText(p, java, raw) },
		"Go":             func(p map[string]string) string { return plainText(p, goes, raw) },
		"Python":         func(p map[string]string) string { return plainText(p, python, raw) },
		"sorted by case": func(p map[string]string) string { return plainText(p, java, strings.ToLower) },
		"libcloud":       func(p map[string]string) string { return plainText(p, libcloud, strings.ToLower) },
	} {
		p := map[string]string{"command": "failWith", "response": "json", "apiKey": keys.APIKey, "text": "a ~*[b] (ü/+)", "Zone": "1", "b[0].x": "y"}
		p["signature"] = signedText(text(p), keys)
		query := encode(p)
		signature := "signature=" + url.QueryEscape(p["signature"])
		bare := strings.Replace(query, signature, "signature="+strings.ReplaceAll(p["signature"], "+", "%2B"), 1)
		for how, r := range map[string]reply{
			"GET":                    c.get(query),
			"POST":                   c.do(c.request("POST", "/client/api", query)),
			"POST, empty body":       c.do(c.request("POST", "/client/api?"+query, "")),
			"POST, half and half":    c.do(c.request("POST", "/client/api?"+signature, strings.Replace(query, signature, "", 1))),
			"slash":                  c.do(c.request("GET", "/client/api/?"+query, "")),
			"command in the path":    c.do(c.request("GET", "/client/api/failWith?"+strings.Replace(query, "command=failWith", "", 1), "")),
			"signature not encoded":  c.get(bare),
			"names in another case":  c.get(strings.Replace(query, "signature=", "SIGNATURE=", 1)),
			"query wins over a form": c.do(c.request("POST", "/client/api?"+query, "text=other&signature=other")),
			"last in the query wins": c.get("text=other&" + query),
			"+ not encoded":          c.get(strings.Replace(query, signature, "signature="+p["signature"], 1)),
		} {
			if r.status != 200 || !strings.Contains(r.body, `"displaytext":"a ~*[b] (ü/+)"`) {
				t.Errorf("%s by %s: %d %s", name, how, r.status, r.body)
			}
		}
	}
}

func TestWrongSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keys, other := c.tenants["root"].keys, c.tenants["red-user"].keys
	now := c.db.Now()
	request := func(change func(p map[string]string)) string {
		p := map[string]string{"command": "failWith", "response": "json", "apiKey": keys.APIKey}
		change(p)
		if p["signature"] == "" {
			p["signature"] = sign(p, keys)
		}
		return encode(p)
	}
	version3 := func(expires string) string {
		return request(func(p map[string]string) { p["signatureVersion"] = "3"; p["expires"] = expires })
	}
	good := request(func(map[string]string) {})
	for name, query := range map[string]string{
		"another's secret":   request(func(p map[string]string) { p["signature"] = sign(p, other) }),
		"not Base64":         request(func(p map[string]string) { p["signature"] = "!" }),
		"changed later":      good + "&text=x",
		"no key":             strings.Replace(good, "apiKey=", "key=", 1),
		"unknown key":        strings.Replace(good, "apiKey=", "apiKey=x", 1),
		"two keys":           good + "&apikey=" + other.APIKey,
		"two signatures":     good + "&Signature=x",
		"expired":            version3(now.Add(-time.Second).Format(time.RFC3339)),
		"never expires":      request(func(p map[string]string) { p["signatureVersion"] = "3" }),
		"expires some time":  version3("tomorrow"),
		"signed command":     strings.Replace(good, "command=failWith", "command=listCapabilities", 1),
		"expired, lower":     request(func(p map[string]string) { p["signatureversion"] = "3"; p["Expires"] = "2001-01-01T00:00:00Z" }),
		"command in another": strings.Replace(good, "response=json", "Command=x&response=json", 1),
	} {
		envelope := "failwithresponse"
		if name == "signed command" {
			envelope = "listcapabilitiesresponse"
		}
		if e := failed(t, c.get(query), envelope, 401); e.Text != textNoSignature {
			t.Errorf("%s: %s", name, e.Text)
		}
	}
	for _, expires := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.999Z"} {
		if r := c.get(version3(now.Add(time.Hour).Format(expires))); r.status != 200 {
			t.Errorf("expires as %s: %d %s", expires, r.status, r.body)
		}
	}
	// The role is asked before the signature is compared, and what the key's owner is shows nowhere.
	p := api.Params{"command": "listUsers", "response": "json", "apiKey": other.APIKey, "signature": "wrong"}
	failed(t, c.get(encode(p)), "errorresponse", 432)
}
