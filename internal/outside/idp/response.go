package idp

import (
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// response is what is read of an answer. Only the assertion's fields come from what was signed for sure.
type response struct {
	XMLName      xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol Response"`
	Version      string   `xml:",attr"`
	Destination  string   `xml:",attr"`
	InResponseTo string   `xml:",attr"`
	Issuer       string   `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Status       struct {
		Code struct {
			Value string `xml:",attr"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusCode"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:protocol Status"`
}

type nameID struct {
	Format string `xml:",attr"`
	Value  string `xml:",chardata"`
}

type assertion struct {
	XMLName      xml.Name  `xml:"urn:oasis:names:tc:SAML:2.0:assertion Assertion"`
	ID           string    `xml:",attr"`
	Version      string    `xml:",attr"`
	IssueInstant time.Time `xml:",attr"`
	Issuer       string    `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Subjects     []struct {
		NameIDs       []nameID `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
		Confirmations []struct {
			Method string `xml:",attr"`
			Data   []struct {
				InResponseTo string     `xml:",attr"`
				Recipient    string     `xml:",attr"`
				NotBefore    *time.Time `xml:",attr"`
				NotOnOrAfter *time.Time `xml:",attr"`
			} `xml:"urn:oasis:names:tc:SAML:2.0:assertion SubjectConfirmationData"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:assertion SubjectConfirmation"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Subject"`
	Conditions []struct {
		NotBefore    *time.Time `xml:",attr"`
		NotOnOrAfter *time.Time `xml:",attr"`
		Restrictions []struct {
			Audiences []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Audience"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:assertion AudienceRestriction"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Conditions"`
	Statements []struct {
		SessionIndex        string     `xml:",attr"`
		SessionNotOnOrAfter *time.Time `xml:",attr"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion AuthnStatement"`
	Attributes []struct {
		Name         string   `xml:",attr"`
		FriendlyName string   `xml:",attr"`
		Values       []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion AttributeValue"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion AttributeStatement>Attribute"`
}

// Believed is what is known of somebody whom a provider has sent back.
type Believed struct {
	IDP        string
	ID         string // of the assertion
	Request    string // that is answered
	Username   string
	NameID     string // what the provider calls the user, in that format
	NameFormat string
	Index      string    // of the provider's session
	Until      time.Time // it could be shown again if nobody remembered
}

// Rules are what messages are held to.
type Rules struct {
	Certificates []*x509.Certificate // of the provider
	Now          time.Time
	SHA1         bool // is taken, too
	IDP          string
	Audience     string // who this cloud is
	Consumer     string // its URL for answers
	Signed       string // what must be: assertion, response, both or either
	Attribute    string // that has the user's name; NameID for what the provider calls it
	Skew         time.Duration
}

const (
	// Success is the status of what went well.
	Success = "urn:oasis:names:tc:SAML:2.0:status:Success"
	bearer  = "urn:oasis:names:tc:SAML:2.0:cm:bearer" //nolint:gosec // it is no password
)

// Issuer tells who claims to have sent a message, to know by whose certificates it is to be checked. It proves nothing.
func (m Message) Issuer() string {
	root := m.doc.Root()
	for _, el := range childrenOf(root, nsAssertion, "Issuer") {
		return strings.TrimSpace(el.Text())
	}
	for _, a := range childrenOf(root, nsAssertion, "Assertion") {
		for _, el := range childrenOf(a, nsAssertion, "Issuer") {
			return strings.TrimSpace(el.Text())
		}
	}
	return ""
}

// Believe checks an answer and gives what it says.
func (r Rules) Believe(m Message) (b Believed, _ error) {
	root := m.doc.Root()
	switch {
	case !is(root, nsProtocol, "Response"):
		return b, errors.New("the message is no response")
	case count(root, nsAssertion, "EncryptedAssertion")+count(root, nsAssertion, "EncryptedID") > 0:
		return b, errors.New("the assertion is encrypted, which is not taken")
	case count(root, nsProtocol, "Response") != 1 || count(root, nsAssertion, "Assertion") != 1:
		return b, errors.New("there is not one response with one assertion")
	}
	signatures := len(childrenOf(root, dsig.Namespace, dsig.SignatureTag))
	for _, a := range childrenOf(root, nsAssertion, "Assertion") {
		signatures += len(childrenOf(a, dsig.Namespace, dsig.SignatureTag))
	}
	if count(root, dsig.Namespace, dsig.SignatureTag) != signatures {
		return b, errors.New("there are signatures where none belong")
	}
	outer, inner, err := r.signedPart(root)
	if err != nil {
		return b, err
	}
	var answer response
	var said assertion
	if err := errors.Join(into(outer, &answer), into(inner, &said)); err != nil {
		return b, err
	}
	if err := r.checkResponse(answer); err != nil {
		return b, err
	}
	if b, err = r.checkAssertion(said); err != nil {
		return b, err
	}
	if answer.InResponseTo != b.Request {
		return b, errors.New("response and assertion answer different requests")
	}
	return b, nil
}

// signedPart gives response and assertion as they were signed. Of a response that was not signed nothing is trusted but that it is
// refused for what it says.
func (r Rules) signedPart(root *etree.Element) (outer, inner *etree.Element, err error) {
	outer, err = r.verified(root)
	whole := err == nil
	switch {
	case errors.Is(err, errUnsigned) && r.Signed != "response" && r.Signed != "both":
		outer = root
	case err != nil:
		return nil, nil, fmt.Errorf("the response: %w", err)
	}
	assertions := childrenOf(outer, nsAssertion, "Assertion")
	if len(assertions) != 1 || !is(outer, nsProtocol, "Response") {
		return nil, nil, errors.New("the assertion is not where it belongs")
	}
	inner, err = r.verified(assertions[0])
	switch {
	case errors.Is(err, errUnsigned) && whole && r.Signed != "assertion" && r.Signed != "both":
		return outer, assertions[0], nil
	case err != nil:
		return nil, nil, fmt.Errorf("the assertion: %w", err)
	case !is(inner, nsAssertion, "Assertion"):
		return nil, nil, errors.New("what was signed is no assertion")
	}
	return outer, inner, nil
}

func (r Rules) checkResponse(a response) error {
	switch {
	case a.Version != "2.0":
		return errors.New("the response is not of SAML 2.0")
	case a.Destination != r.Consumer:
		return fmt.Errorf("the response is for %q", a.Destination)
	case a.Issuer != "" && a.Issuer != r.IDP:
		return errors.New("response and assertion are of different providers")
	case a.Status.Code.Value != Success:
		return fmt.Errorf("the provider says %q", a.Status.Code.Value)
	}
	return nil
}

func (r Rules) checkAssertion(a assertion) (b Believed, _ error) {
	switch {
	case a.Version != "2.0" || a.ID == "":
		return b, errors.New("the assertion is not of SAML 2.0")
	case strings.TrimSpace(a.Issuer) != r.IDP:
		return b, errors.New("the assertion is of another provider")
	case a.IssueInstant.After(r.Now.Add(r.Skew)):
		return b, errors.New("the assertion is of the future")
	case len(a.Subjects) != 1 || len(a.Subjects[0].NameIDs) != 1 || a.Subjects[0].NameIDs[0].Value == "":
		return b, errors.New("the assertion is not about one user")
	case len(a.Conditions) != 1 || len(a.Statements) != 1:
		return b, errors.New("the assertion has not one condition and one statement of a sign-in")
	}
	b = Believed{IDP: r.IDP, ID: a.ID, NameID: a.Subjects[0].NameIDs[0].Value,
		NameFormat: a.Subjects[0].NameIDs[0].Format, Index: a.Statements[0].SessionIndex}
	c := a.Conditions[0]
	if err := r.within(c.NotBefore, c.NotOnOrAfter); err != nil {
		return b, fmt.Errorf("the assertion %w", err)
	}
	if err := r.within(nil, a.Statements[0].SessionNotOnOrAfter); err != nil {
		return b, fmt.Errorf("the provider's session %w", err)
	}
	if len(c.Restrictions) == 0 {
		return b, errors.New("the assertion doesn't say for whom it is")
	}
	for _, restriction := range c.Restrictions {
		if !contains(restriction.Audiences, r.Audience) {
			return b, fmt.Errorf("the assertion is for %q", restriction.Audiences)
		}
	}
	if err := r.confirm(a, &b); err != nil {
		return b, err
	}
	return b, r.name(a, &b)
}

// confirm looks for a confirmation that this is who the provider has sent: here, now, and because of a request.
func (r Rules) confirm(a assertion, b *Believed) error {
	err := errors.New("the assertion is not for whoever brings it")
	for _, c := range a.Subjects[0].Confirmations {
		if c.Method != bearer || len(c.Data) != 1 {
			continue
		}
		d := c.Data[0]
		switch late := r.within(d.NotBefore, d.NotOnOrAfter); {
		case d.Recipient != r.Consumer:
			err = fmt.Errorf("the assertion is for %q", d.Recipient)
		case d.NotOnOrAfter == nil:
			err = errors.New("the assertion is good for ever")
		case late != nil:
			err = fmt.Errorf("the assertion %w", late)
		case d.InResponseTo == "":
			err = errors.New("nobody has asked for the assertion")
		default:
			b.Request, b.Until = d.InResponseTo, d.NotOnOrAfter.Add(r.Skew)
			return nil
		}
	}
	return err
}

// name finds the user's name.
func (r Rules) name(a assertion, b *Believed) error {
	if r.Attribute == "NameID" {
		b.Username = b.NameID
		return nil
	}
	var values []string
	for _, one := range a.Attributes {
		if one.Name == r.Attribute || one.FriendlyName == r.Attribute {
			values = append(values, one.Values...)
		}
	}
	if len(values) != 1 || values[0] == "" {
		return fmt.Errorf("the assertion has %d values of the attribute %q", len(values), r.Attribute)
	}
	b.Username = values[0]
	return nil
}

func (r Rules) within(from, until *time.Time) error {
	switch {
	case from != nil && r.Now.Add(r.Skew).Before(*from):
		return errors.New("is not good yet")
	case until != nil && !r.Now.Add(-r.Skew).Before(*until):
		return errors.New("has expired")
	}
	return nil
}

func contains(all []string, one string) bool {
	for _, a := range all {
		if strings.TrimSpace(a) == one {
			return true
		}
	}
	return false
}
