package front

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
)

const (
	onceParam  = "idempotencykey"
	onceHeader = "Idempotency-Key"
	maxOnceKey = 255 // characters, as of any text parameter
)

// invoke runs the command. A create under an idempotency key that has made something already is answered by showing that.
func (c *call) invoke(ctx context.Context, e *api.Endpoint) (api.Answer, error) {
	key, err := c.onceKey(e)
	if err != nil {
		return api.Answer{}, err
	}
	if key == "" {
		return e.Invoke(ctx, c.params, RoleOf(c.caller))
	}
	digest := onceDigest(e, c.params)
	if answer, made, err := c.repeat(ctx, e, key, digest); err != nil || made {
		return answer, err
	}
	answer, err := e.Invoke(once.With(ctx, key, e.Name, digest), c.params, RoleOf(c.caller))
	if errors.Is(err, once.ErrTaken) { // by the same request, sent twice at the same moment
		if answer, made, err := c.repeat(ctx, e, key, digest); err != nil || made {
			return answer, err
		}
	}
	return answer, err
}

// repeat answers with what the key has made, and tells whether it has.
func (c *call) repeat(ctx context.Context, e *api.Endpoint, key, digest string) (api.Answer, bool, error) {
	made, err := once.Find(ctx, c.front.db.Read(), key, e.Name, digest)
	if err != nil || made == nil {
		return api.Answer{}, false, err
	}
	answer, err := e.Repeat(ctx, api.Started{ID: made.Subject, JobID: made.Operation}, RoleOf(c.caller))
	return answer, true, err
}

// onceKey gives the request's idempotency key, from its parameter or its header, "" for none. On commands that make nothing the
// header is let pass, since clients set it for all that they send; there is no such parameter.
func (c *call) onceKey(e *api.Endpoint) (string, error) {
	if !e.Creates {
		return "", nil
	}
	key := ""
	for name, value := range c.params {
		if strings.EqualFold(name, onceParam) {
			key = value
		}
	}
	header := c.r.Header.Get(onceHeader)
	switch {
	case key != "" && header != "" && key != header:
		return "", fault.Invalidf("the header %s %q and the parameter %s %q differ; give one of them", onceHeader, printable(header), onceParam, key)
	case key == "":
		key = header
	}
	if !utf8.ValidString(key) || printable(key) != key || utf8.RuneCountInString(key) > maxOnceKey {
		return "", fault.Invalidf("the idempotency key is no text of at most %d characters without control characters", maxOnceKey)
	}
	return key, nil
}

// besides are the parameters that say who asks, when and for which form of answer, but not for what.
var besides = []string{"apikey", "signature", "signatureversion", "expires", "sessionkey", "response", "_", onceParam}

// onceDigest is the same for two requests that ask for the same: the names of parameters in any case and order. What is secret has no
// part in it: the digest is stored, and who reads it could try passwords against it.
func onceDigest(e *api.Endpoint, params api.Params) string {
	said, besides := map[string]string{}, slices.Clone(besides)
	for _, p := range e.Params() {
		if p.Secret {
			besides = append(besides, p.Name)
		}
	}
	for name, value := range params {
		if name = strings.ToLower(name); !slices.Contains(besides, name) {
			said[name] = value
		}
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(said)) {
		h.Write([]byte(name + "\x00" + said[name] + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
