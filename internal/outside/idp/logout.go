package idp

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Logout is whom a provider wants to be signed out.
type Logout struct {
	ID      string // of the request
	NameID  string
	Indexes []string  // of the provider's sessions; none for all of the user's
	Until   time.Time // it could be shown again if nobody remembered
}

type logoutRequest struct {
	XMLName      xml.Name   `xml:"urn:oasis:names:tc:SAML:2.0:protocol LogoutRequest"`
	ID           string     `xml:",attr"`
	Version      string     `xml:",attr"`
	IssueInstant time.Time  `xml:",attr"`
	NotOnOrAfter *time.Time `xml:",attr"`
	Destination  string     `xml:",attr"`
	Issuer       string     `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	NameIDs      []nameID   `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
	Indexes      []string   `xml:"urn:oasis:names:tc:SAML:2.0:protocol SessionIndex"`
}

// Logout checks a request to sign somebody out, which has to be for that URL.
func (r Rules) Logout(m Message, here string) (out Logout, _ error) {
	signed, err := r.verified(m.doc.Root())
	if err != nil {
		return out, err
	}
	var in logoutRequest
	if err := into(signed, &in); err != nil {
		return out, err
	}
	if err := r.checkLogout(in, here); err != nil {
		return out, err
	}
	return Logout{ID: in.ID, NameID: in.NameIDs[0].Value, Indexes: in.Indexes, Until: r.Now.Add(2 * lasting)}, nil
}

// lasting is how old a request to sign out may be.
const lasting = 5 * time.Minute

func (r Rules) checkLogout(in logoutRequest, here string) error {
	until := in.IssueInstant.Add(lasting)
	switch {
	case in.Version != "2.0" || in.ID == "" || strings.TrimSpace(in.Issuer) != r.IDP:
		return errors.New("the request is not of SAML 2.0, or of another provider")
	case in.Destination != here:
		return fmt.Errorf("the request is for %q", in.Destination)
	case len(in.NameIDs) != 1 || in.NameIDs[0].Value == "":
		return errors.New("the request is not about one user")
	}
	return errors.Join(r.within(&in.IssueInstant, &until), r.within(nil, in.NotOnOrAfter))
}
