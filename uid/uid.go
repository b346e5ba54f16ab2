// Package uid gives every kind of thing in Virga an id type of its own, so that the id of a host can't be handed to a
// function that wants a machine. An id is a UUIDv7 in its canonical lower-case text form (36 characters): it sorts by the
// time it was made, which keeps indexes dense. The package imports nothing of Virga and is shared by contract and domain.
package uid

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// ID is the id of one kind of thing. The zero value "" means none.
type ID[K kind] string

// kind names what an id is the id of, in the words an error message uses ("virtual machine").
type kind interface{ kind() string }

// Kind says what the id names, in the words of an error message ("virtual machine").
func (ID[K]) Kind() string {
	var k K
	return k.kind()
}

// String is the canonical text form.
func (id ID[K]) String() string { return string(id) }

// Typed is what every id type can do; the API's decoder recognises parameters that are ids by it.
type Typed interface {
	Kind() string
	String() string
}

// New makes an id that no one has had. Ids made one after the other in one process sort in that order.
func New[T ~string]() T {
	return T(uuid.Must(uuid.NewV7()).String())
}

// Parse reads an id in canonical form; upper case is accepted and lowered. The empty string is refused.
func Parse[T interface {
	~string
	Kind() string
}](s string) (T, error) {
	var none T
	if !Valid(strings.ToLower(s)) {
		return none, fmt.Errorf("%q is not the id of a %s: want a UUID like 0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5d", s, none.Kind())
	}
	return T(strings.ToLower(s)), nil
}

// Valid tells whether s is a UUID in canonical lower-case form.
func Valid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// Named makes the id of a thing that stands in no table and is the same in every cloud: the same words always give the same id.
func Named[T ~string](words ...string) T {
	return T(uuid.NewSHA1(uuid.NameSpaceOID, []byte(strings.Join(words, "\x00"))).String())
}
