package front

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
)

// bySignature establishes the caller by API key and signature. Whatever is wrong with either is said in the same words; what
// it really was stands in the log. An address from which too many are wrong is told to stay away for a while; one that is right is
// always let in, for a whole company may have one address, and a program in it that is set up wrong.
func (c *call) bySignature(ctx context.Context, endpoint *api.Endpoint) error {
	err := c.checkSignature(ctx, endpoint)
	if r, refused := errors.AsType[*refusal](err); refused && r.http == http.StatusUnauthorized && c.isSigned() {
		if _, wait := c.front.signs.begin(c.remote(), c.front.db.Now()); wait > 0 {
			busy := tooMany(wait, "too many requests from your address have wrong signatures")
			busy.reason = r.Error()
			return busy
		}
	}
	return err
}

func (c *call) checkSignature(ctx context.Context, endpoint *api.Endpoint) error {
	name := c.params["command"]
	switch {
	case name == "":
		return unauthorized(textNoSignature, "no command and no session")
	case endpoint == nil:
		return UnknownCommand(name)
	}
	apiKey, hasKey := fold(c.params, "apikey")
	signature, hasSignature := fold(c.params, "signature")
	if !hasKey || !hasSignature || apiKey == "" || signature == "" {
		return unauthorized(textNoSignature, "neither a session nor one API key with one signature")
	}
	params := signedParams(c.params)
	if expired, err := auth.Expired(params, c.front.db.Now()); err != nil {
		return unauthorized(textNoSignature, err.Error())
	} else if expired {
		return unauthorized(textNoSignature, "the request has expired")
	}
	caller, key, err := c.front.accounts.ByKey(ctx, apiKey)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return unauthorized(textNoSignature, "no such API key, or its user may not act")
	case err != nil:
		return err
	}
	c.caller = caller
	ok, err := c.mayUse(ctx, endpoint)
	// Base64 has no spaces: one was a "+" that the client didn't encode.
	signed := auth.VerifySignature(params, strings.ReplaceAll(signature, " ", "+"), key)
	if !signed {
		c.caller = auth.Caller{} // it may be anybody
	}
	switch {
	case err != nil:
		return err
	case !ok: // and so it is said to whoever asks
		return UnknownCommand(name)
	case !signed:
		return unauthorized(textNoSignature, "the signature is not that of the request")
	}
	return nil
}
