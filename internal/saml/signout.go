package saml

import (
	"context"
	"fmt"

	"github.com/crewjam/saml"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/outside/idp"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
)

// Leave gives where a browser is sent whose session is about to end: to the provider by which it began, which signs the user out
// there, too, or home.
func (s *Service) Leave(ctx context.Context, session secret.String) (string, error) {
	if session.IsEmpty() {
		return s.Home(), nil
	}
	row, err := findSession(ctx, s.db.Read(), auth.SessionID(session))
	if db.IsNone(err) {
		return s.Home(), nil
	} else if err != nil {
		return "", err
	}
	p, err := s.provider(ctx, row.IDP)
	if err != nil || p.SignOut == "" {
		return s.Home(), nil //nolint:nilerr // there is nobody to tell; the session here ends
	}
	request := saml.LogoutRequest{
		ID: newID(), Version: "2.0", IssueInstant: s.db.Now(), Destination: p.SignOut, Issuer: s.issuer(),
		NameID: &saml.NameID{Format: row.NameFormat, Value: row.NameID},
	}
	if row.SessionIndex != "" {
		request.SessionIndex = &saml.SessionIndex{Value: row.SessionIndex}
	}
	return s.redirect(ctx, p.SignOut, "SAMLRequest", request.Element())
}

// SignOut ends the sessions that a provider wants to be ended, and gives where the browser that brought the request is sent with the
// answer.
func (s *Service) SignOut(ctx context.Context, encoded string) (string, error) {
	m, err := idp.Read(encoded)
	if err != nil {
		return "", denied("%v", err)
	}
	p, err := s.provider(ctx, orNobody(m.Issuer()))
	if err != nil {
		return "", denied("a request to sign out of no provider that is known: %v", err)
	}
	in, err := s.rules(p).Logout(m, setting.SAMLLogoutURL.Of(s.settings))
	if err != nil {
		return "", denied("provider %s: %v", p.ID, err)
	}
	if err := s.signOut(ctx, p, in); err != nil {
		return "", err
	}
	if p.SignOut == "" {
		return s.Home(), nil
	}
	answer := saml.LogoutResponse{
		ID: newID(), InResponseTo: in.ID, Version: "2.0", IssueInstant: s.db.Now(), Destination: p.SignOut, Issuer: s.issuer(),
		Status: saml.Status{StatusCode: saml.StatusCode{Value: idp.Success}},
	}
	return s.redirect(ctx, p.SignOut, "SAMLResponse", answer.Element())
}

func (s *Service) signOut(ctx context.Context, p idp.Provider, in idp.Logout) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		fresh, err := useUp(ctx, tx, digest("logout", p.ID, in.ID), in.Until)
		switch {
		case err != nil:
			return fmt.Errorf("use up a request to sign out: %w", err)
		case !fresh:
			return denied("provider %s: the request was used already", p.ID)
		}
		rows, err := sessionsOf(ctx, tx, p.ID, in.NameID, in.Indexes)
		if err != nil {
			return fmt.Errorf("find sessions to end: %w", err)
		}
		for _, row := range rows {
			if err := s.sessions.CloseByID(ctx, tx, row.SessionID); err != nil {
				return fmt.Errorf("end a session of user %s: %w", row.UserID, err)
			}
			_, err := event.Write(auth.With(ctx, auth.System()), tx, event.Event{
				Type: event.UserLogout, Description: "user " + row.Username + " was logged out by its identity provider",
				Account: row.AccountID, Domain: row.DomainID, ResourceID: string(row.UserID),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
