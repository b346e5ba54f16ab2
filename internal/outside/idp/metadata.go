package idp

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"
	xrv "github.com/mattermost/xml-roundtrip-validator"

	"github.com/virga-cloud/virga/internal/outside/fetch"
)

// Provider is an identity provider.
type Provider struct {
	ID              string // its entity ID
	OrgName, OrgURL string

	SignIn, SignOut string // where browsers are sent; "" for a provider that signs nobody out
	Certificates    []*x509.Certificate
}

// LeastKey is how many bits an RSA key has at least.
const LeastKey = 2048

// Parse reads the providers of a document. Of what says nobody's signatures are to be believed there is no provider.
func Parse(text []byte, now time.Time) ([]Provider, error) {
	if err := plain(text, true); err != nil {
		return nil, err
	}
	if err := xrv.Validate(bytes.NewReader(text)); err != nil {
		return nil, err
	}
	var many saml.EntitiesDescriptor
	if err := xml.Unmarshal(text, &many); err != nil {
		var one saml.EntityDescriptor
		if err := xml.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("these are no metadata: %w", err)
		}
		many = saml.EntitiesDescriptor{EntityDescriptors: []saml.EntityDescriptor{one}}
	}
	var out []Provider
	addEntities(&out, many, now)
	return out, nil
}

func addEntities(out *[]Provider, many saml.EntitiesDescriptor, now time.Time) {
	if many.ValidUntil != nil && !now.Before(*many.ValidUntil) {
		return
	}
	for _, one := range many.EntityDescriptors {
		if p := providerIn(one, now); p.ID != "" && p.SignIn != "" && len(p.Certificates) > 0 {
			*out = append(*out, p)
		}
	}
	for _, more := range many.EntitiesDescriptors {
		addEntities(out, more, now)
	}
}

func providerIn(e saml.EntityDescriptor, now time.Time) (p Provider) {
	if !e.ValidUntil.IsZero() && !now.Before(e.ValidUntil) || len(e.EntityID) > 1024 {
		return p
	}
	p.ID = e.EntityID
	if o := e.Organization; o != nil {
		for _, name := range slices.Concat(o.OrganizationDisplayNames, o.OrganizationNames) {
			p.OrgName = name.Value
			break
		}
		for _, url := range o.OrganizationURLs {
			p.OrgURL = url.Value
			break
		}
	}
	for _, d := range e.IDPSSODescriptors {
		if p.SignIn == "" {
			p.SignIn = byRedirect(d.SingleSignOnServices, false)
		}
		if p.SignOut == "" {
			p.SignOut = byRedirect(d.SingleLogoutServices, true)
		}
		for _, k := range d.KeyDescriptors {
			for _, c := range k.KeyInfo.X509Data.X509Certificates {
				if cert := certificateIn(c.Data); cert != nil && (k.Use == "" || k.Use == "signing") {
					p.Certificates = append(p.Certificates, cert)
				}
			}
		}
	}
	return p
}

// byRedirect is where browsers are sent to with a message in the URL.
func byRedirect(endpoints []saml.Endpoint, answers bool) string {
	for _, e := range endpoints {
		location := e.Location
		if answers && e.ResponseLocation != "" && e.Location == "" {
			location = e.ResponseLocation
		}
		if e.Binding == saml.HTTPRedirectBinding && fetch.Check(location) == nil {
			return location
		}
	}
	return ""
}

func certificateIn(text string) *x509.Certificate {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < LeastKey {
		return nil
	}
	return cert
}
