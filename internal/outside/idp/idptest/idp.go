package idptest

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// IDP is the provider.
type IDP struct {
	*httptest.Server
	Key         *rsa.PrivateKey
	Certificate []byte // DER
	Document    string // its metadata
	now         func() time.Time
}

var keys = sync.OnceValue(func() (out [2]*rsa.PrivateKey) {
	for i := range out {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out[i] = key
	}
	return out
})

// New makes a provider, which serves its metadata at any path until the test's end.
func New(t testing.TB, now func() time.Time) *IDP {
	t.Helper()
	p := &IDP{Key: keys()[0], now: now}
	p.Certificate = certificate(t, p.Key, now())
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = io.WriteString(w, p.Document)
	}))
	t.Cleanup(p.Close)
	p.Document = p.Metadata(base64.StdEncoding.EncodeToString(p.Certificate))
	return p
}

// Stranger gives a key and certificate of nobody.
func Stranger(t testing.TB, now time.Time) (*rsa.PrivateKey, []byte) {
	t.Helper()
	return keys()[1], certificate(t, keys()[1], now)
}

func certificate(t testing.TB, key *rsa.PrivateKey, now time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Entity is its entity ID.
func (p *IDP) Entity() string { return p.URL + "/metadata" }

// Metadata are its metadata with that certificate, "" for none.
func (p *IDP) Metadata(certificate string) string {
	key := ""
	if certificate != "" {
		key = `<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + certificate +
			`</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`
	}
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + p.Entity() + `">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + key +
		`<SingleLogoutService Binding="` + saml.HTTPRedirectBinding + `" Location="` + p.URL + `/slo"/>` +
		`<SingleSignOnService Binding="` + saml.HTTPRedirectBinding + `" Location="` + p.URL + `/sso?tenant=1"/></IDPSSODescriptor>` +
		`<Organization><OrganizationName xml:lang="en">Acme</OrganizationName><OrganizationDisplayName xml:lang="en">Acme Ltd</OrganizationDisplayName>` +
		`<OrganizationURL xml:lang="en">https://acme.example.org</OrganizationURL></Organization></EntityDescriptor>`
}

// Take reads a message that a browser brings in a URL, and checks its signature with the certificate in a service provider's metadata.
func (p *IDP) Take(t testing.TB, link, kind, spMetadata string, into any) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, p.URL) {
		t.Fatalf("the browser was sent to %q", link)
	}
	_, query, _ := strings.Cut(u.RawQuery, kind+"=")
	query = kind + "=" + query
	signed, encoded, _ := strings.Cut(query, "&Signature=")
	var sp saml.EntityDescriptor
	if err := xml.Unmarshal([]byte(spMetadata), &sp); err != nil {
		t.Fatal(err)
	}
	der, err := base64.StdEncoding.DecodeString(sp.SPSSODescriptors[0].KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := url.QueryUnescape(encoded)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(signed))
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], raw); err != nil {
		t.Fatalf("the signature of %s: %v", link, err)
	}
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get(kind))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// Answer is what the provider says. [IDP.Truth] fills it in.
type Answer struct {
	ID, AssertionID                           string
	Request, Destination, Recipient, Audience string
	Issuer, Username, NameID, Status, Index   string
	Issued, NotBefore, NotOnOrAfter           time.Time

	SignResponse, SignAssertion bool
	Method                      string
	Key                         *rsa.PrivateKey
	Certificate                 []byte
	// Text changes what is said before it is signed; Sealed what was signed, before it is sent.
	Text   func(string) string
	Sealed func(*etree.Element) *etree.Element
	Sent   func(string) string
}

// Truth is an answer that is right, with the assertion signed.
func (p *IDP) Truth(request, username, consumer, audience string) Answer {
	now := p.now().UTC()
	return Answer{
		ID: newID(), AssertionID: newID(), Request: request, Destination: consumer, Recipient: consumer, Audience: audience, Issuer: p.Entity(),
		Username: username, NameID: "persistent-" + username, Status: "urn:oasis:names:tc:SAML:2.0:status:Success", Index: "s1",
		Issued: now, NotBefore: now.Add(-time.Second), NotOnOrAfter: now.Add(5 * time.Minute),
		SignAssertion: true, Method: dsig.RSASHA256SignatureMethod, Key: p.Key, Certificate: p.Certificate,
	}
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "_" + hex.EncodeToString(b)
}

const envelope = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{ID}" Version="2.0" IssueInstant="{issued}" Destination="{destination}" InResponseTo="{request}">` +
	`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>` +
	`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{assertion}" Version="2.0" IssueInstant="{issued}"><saml:Issuer>{issuer}</saml:Issuer>` +
	`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{nameid}</saml:NameID>` +
	`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="{request}" Recipient="{recipient}" NotOnOrAfter="{until}"/></saml:SubjectConfirmation></saml:Subject>` +
	`<saml:Conditions NotBefore="{from}" NotOnOrAfter="{until}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
	`<saml:AuthnStatement AuthnInstant="{issued}" SessionIndex="{index}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
	`<saml:AttributeStatement><saml:Attribute Name="uid"><saml:AttributeValue>{username}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>` +
	`</saml:Assertion></samlp:Response>`

// Encode gives the answer as browsers bring it.
func (a Answer) Encode(t testing.TB) string {
	t.Helper()
	at := func(v time.Time) string { return v.Format("2006-01-02T15:04:05.000Z") }
	esc := func(s string) string {
		var out bytes.Buffer
		_ = xml.EscapeText(&out, []byte(s))
		return out.String()
	}
	text := strings.NewReplacer("{ID}", a.ID, "{assertion}", a.AssertionID, "{issued}", at(a.Issued), "{destination}", esc(a.Destination), "{request}", a.Request,
		"{issuer}", esc(a.Issuer), "{status}", a.Status, "{nameid}", esc(a.NameID), "{recipient}", esc(a.Recipient), "{until}", at(a.NotOnOrAfter),
		"{from}", at(a.NotBefore), "{audience}", a.Audience, "{index}", a.Index, "{username}", esc(a.Username)).Replace(envelope)
	if a.Text != nil {
		text = a.Text(text)
	}
	root := parse(t, text)
	if assertion := root.FindElement("./Assertion"); a.SignAssertion && assertion != nil {
		at := assertion.Index()
		root.RemoveChildAt(at)
		root.InsertChildAt(at, a.Sign(t, assertion))
	}
	if a.SignResponse {
		root = a.Sign(t, root)
	}
	if a.Sealed != nil {
		root = a.Sealed(root)
	}
	doc := etree.NewDocument()
	doc.SetRoot(root)
	out, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	if a.Sent != nil {
		out = a.Sent(out)
	}
	return base64.StdEncoding.EncodeToString([]byte(out))
}

func parse(t testing.TB, text string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return doc.Root()
}

// Sign signs an element.
func (a Answer) Sign(t testing.TB, el *etree.Element) *etree.Element {
	t.Helper()
	c, err := dsig.NewSigningContext(a.Key, [][]byte{a.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := c.SetSignatureMethod(a.Method); err != nil {
		t.Fatal(err)
	}
	signed, err := c.SignEnveloped(el)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Logout is a signed request to sign somebody out, as browsers bring it.
func (p *IDP) Logout(t testing.TB, nameID, destination string) string {
	t.Helper()
	a := p.Truth("", "", "", "")
	text := `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="` + newID() + `" Version="2.0" IssueInstant="` +
		a.Issued.Format(time.RFC3339) + `" Destination="` + strings.ReplaceAll(destination, "&", "&amp;") + `"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` +
		p.Entity() + `</saml:Issuer><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + nameID + `</saml:NameID></samlp:LogoutRequest>`
	doc := etree.NewDocument()
	doc.SetRoot(a.Sign(t, parse(t, text)))
	out, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString([]byte(out))
}
