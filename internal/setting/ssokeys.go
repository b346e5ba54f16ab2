package setting

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

func sso(name, group, doc string) Setting {
	return Setting{Name: name, Category: Advanced, Group: group, Doc: doc}
}

// How users sign in for whom somebody else vouches.
var (
	OAuthEnabled = flag(sso("oauth2.enabled", "OAuth2",
		"Whether users sign in by OAuth and OpenID Connect providers: see registerOauthProvider."), false)

	SAMLEnabled = flag(sso("saml2.enabled", "SAML2",
		"Whether users sign in by SAML identity providers: those of saml2.idp.metadata.url."), false)
	SAMLEntity = text(sso("saml2.sp.id", "SAML2",
		"The entity ID by which identity providers know this cloud."), "virga", entity)
	SAMLConsumerURL = text(sso("saml2.sp.sso.url", "SAML2",
		"The URL of this cloud to which identity providers send browsers back: that of its API with command=samlSso, as browsers see it."),
		"http://localhost:8080/client/api?command=samlSso", webURL)
	SAMLLogoutURL = text(sso("saml2.sp.slo.url", "SAML2",
		"The URL of this cloud at which identity providers sign users out: that of its API with command=samlSlo, as browsers see it."),
		"http://localhost:8080/client/api?command=samlSlo", webURL)
	SAMLRedirectURL = text(sso("saml2.redirect.url", "SAML2",
		"Where browsers are sent when they have signed in or out: a URL, or a path of this server."), "/", webPage)
	SAMLPerson = text(sso("saml2.sp.contact.person", "SAML2",
		"Whom identity providers turn to: a name, which stands in the metadata."), "", printable)
	SAMLEmail = text(sso("saml2.sp.contact.email", "SAML2",
		"Whom identity providers turn to: an e-mail address, which stands in the metadata."), "", printable)
	SAMLOrgName = text(sso("saml2.sp.org.name", "SAML2",
		"Whose cloud this is: a name, which stands in the metadata."), "", printable)
	SAMLOrgURL = text(sso("saml2.sp.org.url", "SAML2",
		"Whose cloud this is: a URL, which stands in the metadata."), "", optional(webURL))
	SAMLMetadata = text(sso("saml2.idp.metadata.url", "SAML2",
		"Where the metadata of the identity providers are: an HTTPS URL, or the whole path of a file on the servers. Providers without a "+
			"certificate are left out."), "", document)
	SAMLDefaultIDP = text(sso("saml2.default.idpid", "SAML2",
		"The entity ID of the identity provider that is meant where none is named. Empty: the only one."), "", printable)
	SAMLRefresh = span(sso("saml2.timeout", "SAML2",
		"How many seconds the metadata of the identity providers are believed before they are fetched again."),
		time.Second, 30*time.Minute, 10*time.Second)
	SAMLUserAttribute = text(sso("saml2.user.attribute", "SAML2",
		"The attribute that identity providers tell the name of the user in. NameID: what they call the user themselves."), "uid", attributeName)
	SAMLSigned = choice(sso("saml2.signed.element", "SAML2",
		"What identity providers must have signed: the assertion, the response round it, both, or either, that is one of the two."),
		"either", "assertion", "response", "both")
	SAMLSignWith = choice(sso("saml2.sigalg", "SAML2",
		"The hash that this cloud signs its requests with."), "SHA256", "SHA384", "SHA512")
	SAMLAllowSHA1 = flag(sso("saml2.allow.sha1", "SAML2",
		"Whether signatures of identity providers may be made with SHA-1, which can be forged."), false)
	SAMLForceAuthn = flag(sso("saml2.force.authn", "SAML2",
		"Whether identity providers are told to ask for password or the like although somebody has signed in there already."), false)
	SAMLSkew = span(sso("saml2.clock.skew", "SAML2",
		"By how many seconds the clocks of identity providers may differ from this cloud's."), time.Second, time.Minute, 0)
)

func optional(valid func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return valid(s)
	}
}

func webURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(s) > 1024 {
		return errors.New("a URL like https://cloud.example.org/client/")
	}
	return nil
}

// webPage lets a path pass, too, but none that browsers take for the name of another server.
func webPage(s string) error {
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.ContainsAny(s, "\\\r\n\t") && len(s) <= 1024 {
		return nil
	}
	return webURL(s)
}

func document(s string) error {
	if s == "" || strings.HasPrefix(s, "/") && len(s) <= 1024 || strings.HasPrefix(s, "https://") && webURL(s) == nil {
		return nil
	}
	if u, err := url.Parse(s); err == nil && webURL(s) == nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return nil
	}
	return errors.New("a URL with https, or the whole path of a file")
}

func entity(s string) error {
	if s == "" || len(s) > 1024 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"&`, r) }) {
		return errors.New("a URL or a name without spaces, at most 1024 characters long")
	}
	return nil
}

func attributeName(s string) error {
	if s == "" || len(s) > 255 || printable(s) != nil {
		return errors.New("the name of an attribute, or NameID")
	}
	return nil
}
