package saml

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/fetch"
	"github.com/virga-cloud/virga/internal/outside/idp"
	"github.com/virga-cloud/virga/internal/setting"
)

// providers are what was read of a document, for a while.
type providers struct {
	from  string
	until time.Time
	list  []idp.Provider
	err   error
}

// retry is when a document that could not be had is asked for again.
const retry = 10 * time.Second

// IDPs gives the providers by which users sign in, by their IDs. Where their document can't be had again, those of the last one.
func (s *Service) IDPs(ctx context.Context) ([]idp.Provider, error) {
	from := setting.SAMLMetadata.Of(s.settings)
	if !setting.SAMLEnabled.Of(s.settings) || from == "" {
		return nil, nil
	}
	if list, err, known := s.remembered(from); known {
		return list, err
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if list, err, known := s.remembered(from); known { // who was asking until now has found it
		return list, err
	}
	last := s.goOn(from)
	text, err := fetch.Document(context.WithoutCancel(ctx), from) // or whoever goes away keeps those waiting who stay
	var list []idp.Provider
	if err == nil {
		list, err = idp.Parse(text, s.db.Now())
	}
	slices.SortFunc(list, func(a, b idp.Provider) int { return strings.Compare(a.ID, b.ID) })
	now := s.db.Now()
	p := providers{from: from, list: list, until: now.Add(setting.SAMLRefresh.Of(s.settings))}
	if err != nil {
		p.until = now.Add(retry)
		if last != nil {
			p.list = last
		} else {
			p.err = &fault.Error{Kind: fault.Unavailable, Text: "the identity providers are not known now", Detail: err.Error()}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = p
	return p.list, p.err
}

// remembered gives what was read of a document, as long as it need not be asked for again.
func (s *Service) remembered(from string) (list []idp.Provider, err error, known bool) { //nolint:revive // the error is what is remembered
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known.list, s.known.err, s.known.from == from && s.db.Now().Before(s.known.until)
}

// goOn lets everybody go on with the last providers of a document while it is asked for again, and gives them; nil where there are none.
func (s *Service) goOn(from string) []idp.Provider {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known.from != from || s.known.err != nil {
		return nil
	}
	s.known.until = s.db.Now().Add(2 * retry)
	return s.known.list
}

// provider finds one by which users sign in; "" is the one that is meant where none is named.
func (s *Service) provider(ctx context.Context, id string) (idp.Provider, error) {
	if !setting.SAMLEnabled.Of(s.settings) {
		return idp.Provider{}, fault.Conflictf("nobody signs in by SAML here: saml2.enabled is false")
	}
	list, err := s.IDPs(ctx)
	if err != nil {
		return idp.Provider{}, err
	}
	if id == "" {
		id = setting.SAMLDefaultIDP.Of(s.settings)
	}
	for _, p := range list {
		if p.ID == id || id == "" && len(list) == 1 {
			return p, nil
		}
	}
	if id == "" {
		return idp.Provider{}, fault.Invalidf("name an identity provider: there are %d", len(list))
	}
	return idp.Provider{}, fault.NotFoundf("there is no identity provider %q by which users sign in", id)
}

// Metadata gives what identity providers have to know of this cloud, as an XML document.
func (s *Service) Metadata(ctx context.Context) (string, error) {
	if !setting.SAMLEnabled.Of(s.settings) {
		return "", fault.Conflictf("nobody signs in by SAML here: saml2.enabled is false")
	}
	k, err := s.keys(ctx)
	if err != nil {
		return "", err
	}
	return idp.Self{
		Entity: setting.SAMLEntity.Of(s.settings), Certificate: k.certificate, Consumer: setting.SAMLConsumerURL.Of(s.settings),
		SignOut: setting.SAMLLogoutURL.Of(s.settings), WantSigned: setting.SAMLSigned.Of(s.settings) != "response",
		OrgName: setting.SAMLOrgName.Of(s.settings), OrgURL: setting.SAMLOrgURL.Of(s.settings),
		Person: setting.SAMLPerson.Of(s.settings), Email: setting.SAMLEmail.Of(s.settings),
	}.Metadata()
}
