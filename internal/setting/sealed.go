package setting

import (
	"errors"

	"github.com/virga-cloud/virga/internal/secret"
)

// Hidden is what is shown in the place of a secret that has a value.
const Hidden = "***"

// secretLength is how many bytes a secret has at most.
const secretLength = 1024

// sealed is a secret: it is encrypted where it is kept, and nothing shows it again.
func sealed(s Setting) Key[secret.String] {
	s.Kind, s.fallback, s.sealed = "String", secret.String{}, true
	s.format = func(v any) string {
		if v.(secret.String).IsEmpty() {
			return ""
		}
		return Hidden
	}
	s.parse = func(text string) (any, error) {
		if len(text) > secretLength || text == Hidden {
			return nil, errors.New("at most 1024 bytes, and not the *** that is shown in the place of one")
		}
		return secret.New(text), nil
	}
	return declared[secret.String](s)
}

// SealWith says with what secrets are encrypted. It is called before the settings are loaded; without it none can be set.
func (s *Settings) SealWith(box *secret.Box) { s.box = box }

var errNoBox = errors.New("nothing seals settings that are secret")

// stored is a value as the database keeps it.
func (s *Settings) stored(of *Setting, at Place, text string) (string, error) {
	switch {
	case !of.sealed:
		return text, nil
	case s.box == nil:
		return "", errNoBox
	}
	return s.box.Seal(text, sealContext(of, at)), nil
}

// readRow is the value that the database keeps.
func (s *Settings) readRow(of *Setting, r row) (any, error) {
	switch {
	case !of.sealed:
		return of.read(r.Value)
	case s.box == nil:
		return nil, errNoBox
	}
	return s.box.Open(r.Value, sealContext(of, Place{r.Scope, r.ScopeID}))
}

// sealContext binds a sealed value to its setting and place.
func sealContext(of *Setting, at Place) string {
	return "settings.value/" + of.Name + "/" + string(at.Scope) + "/" + at.ID
}
