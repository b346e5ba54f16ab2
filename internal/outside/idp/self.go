package idp

import (
	"encoding/base64"
	"encoding/xml"
	"strings"

	"github.com/crewjam/saml"
)

// Self is what identity providers have to know of this cloud.
type Self struct {
	Entity      string
	Certificate []byte // DER, of the key that signs requests
	Consumer    string // where answers go
	SignOut     string // where requests to sign out go
	WantSigned  bool   // the assertion, and not only what is round it

	OrgName, OrgURL, Person, Email string // "" for what is not said
}

// descriptor is what providers have to know of this cloud.
type descriptor struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	Role     struct {
		Protocols      string `xml:"protocolSupportEnumeration,attr"`
		RequestsSigned bool   `xml:"AuthnRequestsSigned,attr"`
		WantSigned     bool   `xml:"WantAssertionsSigned,attr"`
		Key            struct {
			Use  string `xml:"use,attr"`
			Info struct {
				Certificate string `xml:"X509Data>X509Certificate"`
			} `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo"`
		} `xml:"KeyDescriptor"`
		SignOut  endpoint `xml:"SingleLogoutService"`
		Consumer endpoint `xml:"AssertionConsumerService"`
	} `xml:"SPSSODescriptor"`
	Organization *organization `xml:"Organization,omitempty"`
	Contact      *contact      `xml:"ContactPerson,omitempty"`
}

type endpoint struct {
	Binding  string `xml:",attr"`
	Location string `xml:",attr"`
	Index    *int   `xml:"index,attr,omitempty"`
}

type organization struct {
	Name    text `xml:"OrganizationName"`
	Display text `xml:"OrganizationDisplayName"`
	URL     text `xml:"OrganizationURL"`
}

type text struct {
	Lang  string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Value string `xml:",chardata"`
}

type contact struct {
	Type  string `xml:"contactType,attr"`
	Name  string `xml:"GivenName,omitempty"`
	Email string `xml:"EmailAddress,omitempty"`
}

// Metadata gives it as an XML document.
func (s Self) Metadata() (string, error) {
	d := descriptor{EntityID: s.Entity}
	r := &d.Role
	r.Protocols, r.RequestsSigned, r.WantSigned = nsProtocol, true, s.WantSigned
	r.Key.Use, r.Key.Info.Certificate = "signing", base64.StdEncoding.EncodeToString(s.Certificate)
	r.SignOut = endpoint{Binding: saml.HTTPPostBinding, Location: s.SignOut}
	r.Consumer = endpoint{Binding: saml.HTTPPostBinding, Location: s.Consumer, Index: new(int)}
	if s.OrgName != "" && s.OrgURL != "" {
		d.Organization = &organization{text{"en", s.OrgName}, text{"en", s.OrgName}, text{"en", s.OrgURL}}
	}
	if s.Person != "" || s.Email != "" {
		d.Contact = &contact{Type: "technical", Name: s.Person}
		if s.Email != "" {
			d.Contact.Email = "mailto:" + strings.TrimPrefix(s.Email, "mailto:")
		}
	}
	out, err := xml.MarshalIndent(d, "", "  ")
	return xml.Header + string(out) + "\n", err
}
