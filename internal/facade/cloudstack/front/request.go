package front

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/secret"
)

const (
	// maxBody has room for user data of 1 MiB in Base64, percent-encoded where it must be.
	maxBody = 2 << 20
	// maxParams is far beyond what any command takes; each one costs sorting and hashing before the caller is known.
	maxParams = 2000
)

// readParams merges the parameters of a request under their names as they came: those of the query win over the form's; of a
// name that is repeated the query's last and the form's first count. The parameters that could be read are given back with
// an error, too, so that it can be answered in the format that was asked for.
func readParams(w http.ResponseWriter, r *http.Request, form bool) (api.Params, error) {
	params := api.Params{}
	err := addPairs(params, r.URL.RawQuery, true)
	if form && r.Method == http.MethodPost && isForm(r) {
		body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if readErr == nil {
			readErr = addForm(params, string(body))
		}
		err = errors.Join(err, readErr)
		if err != nil { // what was read of it may say in which format to refuse it
			addFormat(params, string(body), false)
		}
	}
	if err != nil {
		addFormat(params, r.URL.RawQuery, true)
	}
	if command := r.PathValue("command"); command != "" && form {
		err = errors.Join(err, commandOfPath(params, command))
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return params, nil
	case errors.As(err, &tooLarge):
		return params, refuse(http.StatusRequestEntityTooLarge, "the request is larger than the 2 MiB that one may have")
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return params, refused
	}
	return params, refuse(http.StatusBadRequest, "the request's body could not be read")
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// commandOfPath takes the command from the path, as if it had been the parameter: so it is part of what is signed, and a
// signature for one command can't be sent to another one's path.
func commandOfPath(params api.Params, command string) error {
	if given, ok := params["command"]; ok && given != command {
		return &refusal{code: code{api.CodeParameter, serverAPIException}, text: "the path and the parameter name different commands"}
	}
	params["command"] = command
	return nil
}

// addForm adds a form's parameters where the query has none of the name.
func addForm(params api.Params, body string) error {
	fromForm := api.Params{}
	err := addPairs(fromForm, body, false)
	for name, value := range fromForm {
		if _, ok := params[name]; !ok {
			params[name] = value
		}
	}
	if err == nil && len(params) > maxParams {
		err = errTooMany
	}
	return err
}

var errTooMany = &refusal{code: code{api.CodeParameter, serverAPIException}, text: "more parameters than a request may have"}

// addPairs reads name=value&name=value. The value begins after the first "=", so that it may have more of them: signatures
// end in "=", and not all clients encode it.
func addPairs(params api.Params, text string, lastWins bool) error {
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if err != nil || valueErr != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return &refusal{code: code{api.CodeParameter, serverAPIException},
				text: "parameter " + shortened(printable(rawName), 100) + " is not properly encoded: want UTF-8, percent-encoded"}
		}
		if _, given := params[name]; !given || lastWins {
			params[name] = value
		}
		if len(params) > maxParams {
			return errTooMany
		}
	}
	return nil
}

// addFormat looks for the format of answers in a text that was refused before it was read to its end.
func addFormat(params api.Params, text string, wins bool) {
	const name = "response"
	for pair := range strings.SplitSeq(text, "&") {
		value, ok := strings.CutPrefix(pair, name+"=")
		if _, given := params[name]; ok && (wins || !given) {
			params[name] = value
		}
	}
}

// fold gives a parameter whose name counts in any case, and whether there is exactly one of it. Two that differ by case are as
// bad as none: the signature would be checked with the one, and the caller be taken from the other.
func fold(params api.Params, name string) (value string, one bool) {
	n := 0
	for given := range params {
		if strings.EqualFold(given, name) {
			value = params[given]
			n++
		}
	}
	return value, n == 1
}

// signedParams are the parameters as package auth checks them.
func signedParams(params api.Params) []auth.Param {
	out := make([]auth.Param, 0, len(params))
	for name, value := range params {
		out = append(out, auth.Param{Name: name, Value: value})
	}
	return out
}

func cookie(r *http.Request, name string) secret.String {
	c, err := r.Cookie(name)
	if err != nil {
		return secret.String{}
	}
	return secret.New(c.Value)
}
