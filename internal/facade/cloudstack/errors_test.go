package cloudstack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
)

// What clients know, and so must stay as it is.
const (
	textNoSession   = "unable to verify user credentials"
	textNoSignature = "unable to verify user credentials and/or request signature"
	textInternal    = "Internal error executing command, please contact your system administrator"
	requestID       = "X-Request-ID"
)

// errorBody is what is in the envelope of an error.
type errorBody struct {
	UUIDs  []string `json:"uuidList"`
	Code   int      `json:"errorcode"`
	CSCode int      `json:"cserrorcode"`
	Text   string   `json:"errortext"`
}

// failed reads an error and checks what all errors have in common.
func failed(t *testing.T, r reply, envelope string, status int) errorBody {
	t.Helper()
	var body map[string]errorBody
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("%v: %d %q", err, r.status, r.body)
	}
	e, ok := body[envelope]
	switch {
	case !ok || len(body) != 1:
		t.Errorf("want the envelope %s: %s", envelope, r.body)
	case r.status != status || e.Code != status:
		t.Errorf("status %d, errorcode %d, want %d: %s", r.status, e.Code, status, r.body)
	case e.UUIDs == nil || e.Text == "":
		t.Errorf("uuidList or errortext is missing: %s", r.body)
	case (e.CSCode != 0) != (r.header.Get("X-Description") != ""):
		t.Errorf("cserrorcode %d and X-Description %q: both or none", e.CSCode, r.header.Get("X-Description"))
	}
	return e
}

func TestEveryKindOfFaultHasItsCode(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	const text, detail = "a text for the user", "host one is full"
	for _, row := range []struct {
		kind           fault.Kind
		status, cscode int
		user, root     string
	}{
		{fault.Invalid, 431, 4350, text, text + ": " + detail},
		{fault.NotFound, 431, 4350, text, text + ": " + detail},
		{fault.Conflict, 431, 4375, text, text + ": " + detail},
		{fault.Denied, 531, 4365, text, text + ": " + detail},
		{fault.Limit, 532, 4280, text, text + ": " + detail},
		{fault.Full, 533, 4325, text, text + ": " + detail},
		{fault.Unavailable, 534, 4380, text, text + ": " + detail},
		{fault.Busy, 429, 4545, text, text + ": " + detail},
		{fault.Unauthenticated, 401, 0, text, text + ": " + detail},
		{fault.Internal, 530, 4250, textInternal + " (request ID)", text + ": " + detail},
		{"unknown", 530, 4250, textInternal + " (request ID)", "internal error: " + errCause.Error() + " (request ID)"},
		{"a kind that there isn't", 530, 4250, textInternal + " (request ID)", text + ": " + detail},
	} {
		for who, want := range map[string]string{"red-user": row.user, "root": row.root} {
			r := c.as(who, "failWith", "kind="+string(row.kind))
			e := failed(t, r, "failwithresponse", row.status)
			want = strings.Replace(want, "ID", r.header.Get(requestID), 1)
			if e.CSCode != row.cscode || e.Text != want {
				t.Errorf("%s for %s: %d %q, want %d %q", row.kind, who, e.CSCode, e.Text, row.cscode, want)
			}
			xml := c.as(who, "failWith", "kind="+string(row.kind), "response=xml")
			if !strings.Contains(xml.body, fmt.Sprintf("<errorcode>%d</errorcode>", row.status)) || xml.status != row.status {
				t.Errorf("in XML: %d %s", xml.status, xml.body)
			}
		}
	}
}

func TestTheRequestIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	long := strings.Repeat("x", 4097)
	for name, row := range map[string]struct {
		reply    reply
		envelope string
		status   int
		text     string
	}{
		"missing parameter": {c.as("root", "getUserKeys"), "getuserkeysresponse", 431,
			"Unable to execute API command getuserkeys due to missing parameter id"},
		"too long": {c.as("root", "failWith", "text="+long), "failwithresponse", 431,
			"Value greater than max allowed length 4096 for param: text"},
		"control character": {c.as("root", "failWith", "text=a\x01b"), "failwithresponse", 431,
			"Received value ab for parameter text is invalid, contains illegal ASCII non-printable characters"},
		"page without size": {c.as("root", "listUsers", "page=1"), "listusersresponse", 431,
			`"pagesize" parameter is required when "page" is specified`},
		"unknown command": {c.as("root", "noSuchThing"), "errorresponse", 432,
			"The given command:noSuchThing does not exist or it is not available for user"},
		"case of the command": {c.as("root", "listusers"), "errorresponse", 432,
			"The given command:listusers does not exist or it is not available for user"},
		"forbidden command": {c.as("red-user", "listUsers"), "errorresponse", 432,
			"The given command:listUsers does not exist or it is not available for user"},
		"unknown command of nobody": {c.get("response=json&command=noSuchThing"), "errorresponse", 432,
			"The given command:noSuchThing does not exist or it is not available for user"},
		"not encoded": {c.get("response=json&command=listUsers&name=%zz"), "listusersresponse", 431,
			"parameter name is not properly encoded: want UTF-8, percent-encoded"},
		"not UTF-8": {c.get("response=json&command=listUsers&name=%ff"), "listusersresponse", 431,
			"parameter name is not properly encoded: want UTF-8, percent-encoded"},
		"path and parameter": {c.do(c.request("GET", "/client/api/listUsers?response=json&command=listDomains", "")),
			"listdomainsresponse", 431, "the path and the parameter name different commands"},
		"no command, nobody": {c.get("response=json"), "errorresponse", 401, textNoSignature},
		"no signature":       {c.get("response=json&command=listUsers"), "listusersresponse", 401, textNoSignature},
		"unknown listApis":   {c.as("root", "listApis", "name=noSuchThing"), "errorresponse", 432, ""},
		"unknown job": {c.as("root", "queryAsyncJobResult", "jobid=0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5d"),
			"queryasyncjobresultresponse", 431, ""},
		"too many": {c.get("response=json&command=listUsers&" + manyParams(2001)), "listusersresponse", 431, "more parameters than a request may have"},
		"too large": {c.do(c.request("POST", "/client/api?response=json&command=listUsers", "text="+strings.Repeat("x", 2<<20))),
			"listusersresponse", 413, ""},
		"too many, format last": {c.get("command=listUsers&" + manyParams(2001) + "response=json"), "listusersresponse", 431, ""},
		"too many in the form":  {c.do(c.request("POST", "/client/api?command=listUsers", manyParams(2001)+"response=json")), "listusersresponse", 431, ""},
		"too large, format inside": {c.do(c.request("POST", "/client/api?command=listUsers", "response=json&text="+strings.Repeat("x", 2<<20))),
			"listusersresponse", 413, ""},
		"method": {c.do(c.request("PUT", "/client/api?response=json&command=listUsers", "")), "listusersresponse", 405, "only GET and POST"},
	} {
		e := failed(t, row.reply, row.envelope, row.status)
		if row.text != "" && e.Text != row.text {
			t.Errorf("%s: %q, want %q", name, e.Text, row.text)
		}
	}
}

func manyParams(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d=&", i)
	}
	return b.String()
}

func TestUserDataOfAMegabyteFits(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keys := c.tenants["root"].keys
	p := map[string]string{"command": "failWith", "response": "json", "apiKey": keys.APIKey, "userdata": strings.Repeat("QUJD", 350_000)}
	p["signature"] = sign(p, keys)
	if r := c.do(c.request("POST", "/client/api", encode(p))); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
