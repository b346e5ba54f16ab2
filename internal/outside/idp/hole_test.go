package idp

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/virga-cloud/virga/internal/outside/idp/idptest"
)

const (
	consumer = "https://cloud.example.org/client/api?command=samlSso"
	audience = "virga"
)

// bench is a provider, and the rules its answers are held to.
type bench struct {
	p   *idptest.IDP
	now time.Time
	Rules
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	b.p = idptest.New(t, func() time.Time { return b.now })
	list, err := Parse([]byte(b.p.Document), b.now)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	b.Rules = Rules{
		Certificates: list[0].Certificates, Now: b.now, IDP: list[0].ID, Audience: audience, Consumer: consumer,
		Signed: "either", Attribute: "uid", Skew: time.Minute,
	}
	return b
}

func (b *bench) truth() idptest.Answer { return b.p.Truth("_request", "ada", consumer, audience) }

func (b *bench) hear(encoded string) (Believed, error) {
	m, err := Read(encoded)
	if err != nil {
		return Believed{}, err
	}
	return b.Believe(m)
}

func TestWhatIsBelieved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, tell := range map[string]func(*idptest.Answer){
		"the assertion is signed":       func(*idptest.Answer) {},
		"the response is signed":        func(a *idptest.Answer) { a.SignAssertion, a.SignResponse = false, true },
		"both are signed":               func(a *idptest.Answer) { a.SignResponse = true },
		"with SHA-512":                  func(a *idptest.Answer) { a.Method = dsig.RSASHA512SignatureMethod },
		"a little late":                 func(a *idptest.Answer) { a.NotOnOrAfter = b.now.Add(-30 * time.Second) },
		"a little early":                func(a *idptest.Answer) { a.NotBefore, a.Issued = b.now.Add(30*time.Second), b.now.Add(30*time.Second) },
		"the name in pieces of XML":     func(a *idptest.Answer) { a.Text = replace(">ada<", "><![CDATA[a]]>da<") },
		"without KeyInfo":               func(a *idptest.Answer) { a.Sent = func(s string) string { return keyInfo.ReplaceAllString(s, "") } },
		"the attribute's friendly name": func(a *idptest.Answer) { a.Text = replace(`Name="uid"`, `Name="urn:oid:0.9" FriendlyName="uid"`) },
		"one audience of two": func(a *idptest.Answer) {
			a.Text = replace("<saml:Audience>", "<saml:Audience>other</saml:Audience><saml:Audience>")
		},
		"lines between elements": func(a *idptest.Answer) { a.Text = replace("><saml:Subject>", ">\n  <saml:Subject>") },
		"without the response's issuer": func(a *idptest.Answer) {
			a.Text = cut(`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`, "</saml:Issuer>")
		},
		"a session that has not expired": func(a *idptest.Answer) {
			a.Text = replace("SessionIndex=", `SessionNotOnOrAfter="2026-11-22T13:00:00Z" SessionIndex=`)
		},
	} {
		a := b.truth()
		tell(&a)
		got, err := b.hear(a.Encode(t))
		if err != nil || got.Username != "ada" || got.NameID != "persistent-ada" || got.Request != "_request" || got.Index != "s1" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	b.Attribute = "NameID"
	if got, err := b.hear(b.truth().Encode(t)); err != nil || got.Username != "persistent-ada" {
		t.Errorf("%+v %v", got, err)
	}
}

var (
	keyInfo   = regexp.MustCompile(`<ds:KeyInfo>.*?</ds:KeyInfo>`)
	signature = regexp.MustCompile(`<ds:Signature.*?</ds:Signature>`)
	asserted  = regexp.MustCompile(`<saml:Assertion.*</saml:Assertion>`)
)

func replace(from, to string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, from, to) }
}

// cut takes out what is from one text to the next.
func cut(from, to string) func(string) string {
	return func(s string) string {
		i := strings.Index(s, from)
		j := strings.Index(s[i:], to) + i + len(to)
		return s[:i] + s[j:]
	}
}

// evil is a signed text with another name in it and no signature.
func evil(s string) string {
	return signature.ReplaceAllString(strings.NewReplacer(">ada<", ">mallory<", `ID="_`, `ID="_evil`).Replace(s), "")
}

// Hole 3 (2024-41107): each of these is an answer that must not be believed, and why not.
func TestHole3SAMLAnswersThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stranger, strangers := idptest.Stranger(t, b.now)
	sent := func(f func(string) string) func(*idptest.Answer) { return func(a *idptest.Answer) { a.Sent = f } }
	said := func(f func(string) string) func(*idptest.Answer) { return func(a *idptest.Answer) { a.Text = f } }
	for name, one := range map[string]struct {
		tell func(*idptest.Answer)
		why  string
	}{
		"unsigned":                        {func(a *idptest.Answer) { a.SignAssertion = false }, "it is not signed"},
		"the signature cut out":           {sent(func(s string) string { return signature.ReplaceAllString(s, "") }), "it is not signed"},
		"another name":                    {sent(replace(">ada<", ">mallory<")), "signature is wrong"},
		"another audience, signed before": {sent(replace("<saml:Audience>virga", "<saml:Audience>virga2")), "signature is wrong"},
		"an attribute more":               {sent(replace("</saml:AttributeStatement>", `<saml:Attribute Name="uid"/></saml:AttributeStatement>`)), "signature is wrong"},
		"signed by somebody else": {func(a *idptest.Answer) { a.Key, a.Certificate = stranger, strangers },
			"signature is wrong"},
		"signed by somebody else, who shows our provider's certificate": {func(a *idptest.Answer) { a.Key = stranger }, "signature is wrong"},
		"SHA-1": {func(a *idptest.Answer) { a.Method = dsig.RSASHA1SignatureMethod }, "method"},
		"SHA-1 as digest only": {func(a *idptest.Answer) {
			a.Sealed = func(el *etree.Element) *etree.Element {
				el.FindElement(".//DigestMethod").CreateAttr("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
				return el
			}
		}, "digest"},
		"an HMAC": {func(a *idptest.Answer) {
			a.Sealed = func(el *etree.Element) *etree.Element {
				el.FindElement(".//SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
				return el
			}
		}, "method"},
		"a transform by a program": {func(a *idptest.Answer) {
			a.Sealed = func(el *etree.Element) *etree.Element {
				el.FindElement(".//Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
				return el
			}
		}, "transform"},
		"a signature of all there is": {func(a *idptest.Answer) {
			a.Sealed = func(el *etree.Element) *etree.Element {
				el.FindElement(".//Reference").CreateAttr("URI", "")
				return el
			}
		}, "of something else"},
		"two references": {sent(func(s string) string {
			return strings.Replace(s, "</ds:Reference>", "</ds:Reference>"+regexp.MustCompile(`<ds:Reference.*?</ds:Reference>`).FindString(s), 1)
		}), "more in it"},
		"two signatures": {sent(func(s string) string {
			return strings.Replace(s, "<saml:Subject>", signature.FindString(s)+"<saml:Subject>", 1)
		}), "two signatures"},
		"an object in the signature": {sent(func(s string) string {
			return strings.Replace(s, "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>", 1)
		}), "more in it"},

		// Wrapping: what was signed is there, and something else stands where it is read.
		"wrapped: a false assertion before": {sent(func(s string) string {
			return asserted.ReplaceAllStringFunc(s, func(a string) string { return evil(a) + a })
		}), "one assertion"},
		"wrapped: a false assertion behind": {sent(func(s string) string {
			return asserted.ReplaceAllStringFunc(s, func(a string) string { return a + evil(a) })
		}), "one assertion"},
		"wrapped: the true one in the false one": {sent(func(s string) string {
			return asserted.ReplaceAllStringFunc(s, func(a string) string {
				return strings.Replace(evil(a), "</saml:Assertion>", "<saml:Advice>"+a+"</saml:Advice></saml:Assertion>", 1)
			})
		}), "one assertion"},
		"wrapped: the true one in the false one's signature": {sent(func(s string) string {
			return asserted.ReplaceAllStringFunc(s, func(a string) string {
				sig := strings.Replace(signature.FindString(a), "</ds:Signature>", "<ds:Object>"+signature.ReplaceAllString(a, "")+"</ds:Object></ds:Signature>", 1)
				return strings.Replace(evil(a), "<saml:Subject>", sig+"<saml:Subject>", 1)
			})
		}), "one assertion"},
		"wrapped: the true one in extensions": {sent(func(s string) string {
			a := asserted.FindString(s)
			return strings.Replace(strings.Replace(s, a, evil(a), 1), "<samlp:Status>", "<samlp:Extensions>"+a+"</samlp:Extensions><samlp:Status>", 1)
		}), "one assertion"},
		"wrapped: the same ID twice": {sent(func(s string) string {
			return asserted.ReplaceAllStringFunc(s, func(a string) string { return strings.ReplaceAll(evil(a), "_evil", "_") + a })
		}), "have the ID"},
		"wrapped: the true one elsewhere, the false one under its signature": {sent(func(s string) string {
			a := asserted.FindString(s)
			false1 := strings.Replace(evil(a), "<saml:Subject>", signature.FindString(a)+"<saml:Subject>", 1)
			return strings.Replace(s, a, false1+"<x>"+signature.ReplaceAllString(a, "")+"</x>", 1)
		}), "one assertion"},
		"wrapped: a false response round the true one": {func(a *idptest.Answer) {
			a.SignResponse = true
			a.Sent = func(s string) string {
				return strings.Replace(evil(s), "<samlp:Status>", "<samlp:Extensions>"+s+"</samlp:Extensions><samlp:Status>", 1)
			}
		}, "one response with one assertion"},
		"wrapped: an assertion of another namespace": {sent(func(s string) string {
			a := asserted.FindString(s)
			return strings.Replace(s, a, strings.Replace(evil(a), "urn:oasis:names:tc:SAML:2.0:assertion", "urn:evil", 1), 1)
		}), "one assertion"},
		"a signature in the extensions": {sent(func(s string) string {
			return strings.Replace(s, "<samlp:Status>", "<samlp:Extensions>"+signature.FindString(s)+"</samlp:Extensions><samlp:Status>", 1)
		}), "where none belong"},
		"a signed response, and its assertion's signature is wrong": {func(a *idptest.Answer) {
			a.SignResponse = true
			a.Method = dsig.RSASHA256SignatureMethod
			a.Sealed = func(el *etree.Element) *etree.Element {
				el.RemoveChildAt(len(el.Child) - 1)
				el.FindElement("./Assertion//AttributeValue").SetText("mallory")
				return a.Sign(t, el)
			}
		}, "the assertion: the signature is wrong"},

		// What is signed and still not for us, not for now, or not about anybody.
		"expired":                    {func(a *idptest.Answer) { a.NotOnOrAfter = b.now.Add(-2 * time.Minute) }, "has expired"},
		"not yet good":               {func(a *idptest.Answer) { a.NotBefore = b.now.Add(2 * time.Minute) }, "not good yet"},
		"of the future":              {func(a *idptest.Answer) { a.Issued = b.now.Add(2 * time.Minute) }, "of the future"},
		"good for ever":              {said(regexpReplace(`(Recipient="[^"]*") NotOnOrAfter="[^"]*"`, "$1")), "good for ever"},
		"a session that has expired": {said(replace("SessionIndex=", `SessionNotOnOrAfter="2026-11-22T11:00:00Z" SessionIndex=`)), "session has expired"},
		"another audience":           {func(a *idptest.Answer) { a.Audience = "other" }, "is for"},
		"no audience":                {said(cut("<saml:AudienceRestriction>", "</saml:AudienceRestriction>")), "for whom"},
		"two audiences that must be": {said(replace("</saml:AudienceRestriction>", "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>")), "is for"},
		"another recipient":          {func(a *idptest.Answer) { a.Recipient = "https://other.example.org/" }, "is for"},
		"another destination":        {func(a *idptest.Answer) { a.Destination = "https://other.example.org/" }, "is for"},
		"no destination":             {said(regexpReplace(` Destination="[^"]*"`, "")), "is for"},
		"nobody has asked":           {said(regexpReplace(` InResponseTo="[^"]*"`, "")), "nobody has asked"},
		"another request outside":    {sent(func(s string) string { return strings.Replace(s, "_request", "_other", 1) }), "different requests"},
		"another provider":           {func(a *idptest.Answer) { a.Issuer = "https://other.example.org/" }, "provider"},
		"another provider outside": {sent(func(s string) string {
			return strings.Replace(s, b.p.Entity()+"</saml:Issuer><samlp", "other</saml:Issuer><samlp", 1)
		}), "different providers"},
		"a failure":                {func(a *idptest.Answer) { a.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, "provider says"},
		"by holder of key":         {said(replace("cm:bearer", "cm:holder-of-key")), "whoever brings it"},
		"without conditions":       {said(cut("<saml:Conditions", "</saml:Conditions>")), "one condition"},
		"without a sign-in":        {said(cut("<saml:AuthnStatement", "</saml:AuthnStatement>")), "one condition and one statement"},
		"about nobody":             {func(a *idptest.Answer) { a.NameID = "" }, "not about one user"},
		"about two":                {said(replace("</saml:NameID>", "</saml:NameID><saml:NameID>b</saml:NameID>")), "not about one user"},
		"without the name":         {said(replace(`Name="uid"`, `Name="cn"`)), "0 values"},
		"with two names":           {said(replace("</saml:AttributeValue>", "</saml:AttributeValue><saml:AttributeValue>b</saml:AttributeValue>")), "2 values"},
		"with an empty name":       {func(a *idptest.Answer) { a.Username = "" }, "values"},
		"without an assertion":     {said(cut("<saml:Assertion", "</saml:Assertion>")), "one assertion"},
		"an encrypted one":         {said(replace("</samlp:Response>", `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/></samlp:Response>`)), "encrypted"},
		"no response":              {said(replace("samlp:Response", "samlp:ArtifactResponse")), "no response"},
		"SAML 1.1":                 {said(replace(`Version="2.0"`, `Version="1.1"`)), "SAML 2.0"},
		"a comment in the name":    {sent(replace(">ada<", ">ada<!-- -->.evil<")), "has a comment"},
		"a comment in the NameID":  {sent(replace("persistent-ada<", "persistent-ada<!---->.evil<")), "has a comment"},
		"a processing instruction": {said(replace("<samlp:Status>", "<?php evil ?><samlp:Status>")), "processing instruction"},
		"too deep":                 {sent(replace("<samlp:Status>", strings.Repeat("<x>", 100)+strings.Repeat("</x>", 100)+"<samlp:Status>")), "too deep"},
		"too large":                {sent(replace("<samlp:Status>", "<x>"+strings.Repeat("x", maxMessage)+"</x><samlp:Status>")), "too large"},
		"two ways to read it":      {sent(replace("<samlp:Status>", `<x a:b:c="d"/><samlp:Status>`)), ""},
		"cut off":                  {sent(func(s string) string { return s[:len(s)/2] }), ""},
		"nothing":                  {sent(func(string) string { return "" }), ""},
	} {
		a := b.truth()
		one.tell(&a)
		got, err := b.hear(a.Encode(t))
		if err == nil || !strings.Contains(err.Error(), one.why) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}

	for signed, tell := range map[string]func(*idptest.Answer){
		"assertion": func(a *idptest.Answer) { a.SignAssertion, a.SignResponse = false, true },
		"response":  func(*idptest.Answer) {},
		"both":      func(a *idptest.Answer) { a.SignAssertion, a.SignResponse = false, true },
	} {
		b.Signed = signed
		a := b.truth()
		tell(&a)
		if got, err := b.hear(a.Encode(t)); err == nil || !strings.Contains(err.Error(), "not signed") {
			t.Errorf("%s must be signed: %+v %v", signed, got, err)
		}
	}
	b.Signed = "either"
	b.SHA1 = true // only where the setting says so
	a := b.truth()
	a.Method = dsig.RSASHA1SignatureMethod
	if got, err := b.hear(a.Encode(t)); err != nil {
		t.Errorf("SHA-1 where it is allowed: %+v %v", got, err)
	}
	b.SHA1 = false
	b.Now = b.now.Add(2000 * time.Hour)
	if _, err := b.hear(b.truth().Encode(t)); err == nil || !strings.Contains(err.Error(), "signature is wrong") {
		t.Errorf("with a certificate that has expired: %v", err)
	}
	b.Now, b.Certificates = b.now, nil
	if _, err := b.hear(b.truth().Encode(t)); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("without a certificate: %v", err)
	}
}

func regexpReplace(from, to string) func(string) string {
	return func(s string) string { return regexp.MustCompile(from).ReplaceAllString(s, to) }
}

// Hole 5 (2022-35741): no document type, and so no entity, reaches a reader of XML.
func TestHole5SAMLEntities(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, dtd := range []string{
		`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, `<!DOCTYPE x SYSTEM "http://evil.example.org/x.dtd">`,
		`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`, `<!ENTITY e "x">`,
	} {
		a := b.truth()
		a.Sent = func(s string) string { return dtd + strings.Replace(s, ">ada<", ">&e;<", 1) }
		if got, err := b.hear(a.Encode(t)); err == nil || !strings.Contains(err.Error(), "document type") {
			t.Errorf("%s: %+v %v", dtd, got, err)
		}
		if list, err := Parse([]byte(dtd+b.p.Document), b.now); err == nil {
			t.Errorf("%s: %v", dtd, list)
		}
	}
	a := b.truth()
	a.Sent = replace(">ada<", ">&e;<")
	if got, err := b.hear(a.Encode(t)); err == nil {
		t.Errorf("an entity of nowhere: %+v", got)
	}
}

// Whatever is made of true answers: what is believed is what was signed.
func FuzzAnswers(f *testing.F) {
	b := newBench(f)
	var answers [][]byte
	for _, tell := range []func(*idptest.Answer){
		func(*idptest.Answer) {}, func(a *idptest.Answer) { a.SignResponse = true }, func(a *idptest.Answer) { a.SignAssertion, a.SignResponse = false, true },
		func(a *idptest.Answer) { a.SignAssertion = false },
	} {
		a := b.truth()
		tell(&a)
		text, err := base64.StdEncoding.DecodeString(a.Encode(f))
		if err != nil {
			f.Fatal(err)
		}
		answers = append(answers, text)
	}
	f.Add(uint8(0), uint16(0), uint16(0), "")
	f.Add(uint8(1), uint16(0), uint16(0), `<!DOCTYPE x [<!ENTITY e "x">]>`)
	f.Add(uint8(2), uint16(700), uint16(10), `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_x"/>`)
	f.Add(uint8(3), uint16(900), uint16(0), "<!-- -->")
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint16, insert string) {
		text := answers[int(which)%len(answers)]
		from := int(at) % len(text)
		text = slices.Concat(text[:from], []byte(insert), text[min(from+int(cut), len(text)):])
		got, err := b.hear(base64.StdEncoding.EncodeToString(text))
		if err == nil && (got.Username != "ada" || got.NameID != "persistent-ada" || got.Request != "_request" || got.Index != "s1") {
			t.Errorf("%+v is believed", got)
		}
		_, _ = message(insert)
		_, _ = Parse([]byte(insert), b.now)
	})
}
