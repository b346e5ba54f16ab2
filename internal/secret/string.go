package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// mask is what a secret looks like to everybody who did not ask for it by name.
const mask = "***"

// String is a text that prints as *** in logs, messages, JSON, XML and SQL; only [String.Reveal] gives it out. The zero
// value is the empty text. The text hides behind a pointer because fmt does not call the methods of unexported fields: it
// would print a string kind in the clear, of a pointer it prints the address.
type String struct{ value *string }

// New makes a secret of a text.
func New(value string) String { return String{&value} }

// Reveal gives the text. Each call is a place to look at in a review.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsEmpty tells whether there is no text.
func (s String) IsEmpty() bool { return s.Reveal() == "" }

// Equal compares in a time that does not depend on where the texts differ.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Format prints *** for every verb and flag.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// String gives ***.
func (s String) String() string { return mask }

// LogValue gives *** to slog.
func (s String) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText gives *** to JSON, XML and all others that ask for text.
func (s String) MarshalText() ([]byte, error) { return []byte(mask), nil }
