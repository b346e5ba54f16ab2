package dump

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// value reads JSON and leaves numbers as they stand: sizes in bytes are longer than a float is exact.
func value(raw json.RawMessage) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return v, d.Decode(&v)
}

// secrets are in the names of fields that are nobody else's business.
var secrets = []string{"password", "passwd", "passphrase", "secret", "apikey", "api_key", "userdata", "privatekey", "private_key", "sessionkey",
	"token", "credential", "signature"}

// secret tells whether a field with this name is left out. That there is a password is no secret.
func secret(name string, v any) bool {
	switch v := v.(type) {
	case bool, nil:
		return false
	case string:
		if v == "" || v == "true" || v == "false" {
			return false
		}
	}
	name = strings.ToLower(name)
	for _, part := range secrets {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "key" && pem(v)
}

// pem tells whether a value is a key or a certificate's key in full.
func pem(v any) bool {
	text, _ := v.(string)
	return strings.Contains(text, "PRIVATE KEY-----")
}

// strip leaves out what is secret, however deep it lies.
func (d *Document) strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		d.pair(v)
		for name, inner := range v {
			if secret(name, inner) {
				delete(v, name)
				d.Removed[strings.ToLower(name)]++
				continue
			}
			v[name] = d.strip(inner)
		}
		return v
	case []any:
		for i := range v {
			v[i] = d.strip(v[i])
		}
		return v
	case string:
		if pem(v) {
			d.Removed["private keys"]++
			return ""
		}
		return clean(v)
	}
	return v
}

// pair leaves out the values of what has a name and a value in fields of their own, as settings and details have.
func (d *Document) pair(v map[string]any) {
	for _, by := range []string{"name", "key"} {
		name, ok := v[by].(string)
		if !ok {
			continue
		}
		for _, of := range []string{"value", "defaultvalue"} {
			if held, there := v[of]; there && secret(name, held) {
				delete(v, of)
				d.Removed[strings.ToLower(name)]++
			}
		}
	}
}

var (
	inURL   = regexp.MustCompile(`://[^/@\s]+@`)
	inQuery = regexp.MustCompile(`(?i)\b([a-z0-9_-]*(?:password|passwd|secret|token|signature|apikey|credential)[a-z0-9_-]*)=[^&\s"']+`)
)

// clean takes names, passwords and signatures out of the URLs in a text.
func clean(text string) string {
	return inQuery.ReplaceAllString(inURL.ReplaceAllString(text, "://…@"), "$1=…")
}
