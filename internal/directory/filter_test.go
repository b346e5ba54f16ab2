package directory

import (
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

var fuzzed = Directory{
	Kind: ActiveDirectory, UserObject: "person", Username: "uid", SearchGroup: "cn=a (b),dc=x", Nested: true,
	Filter: "(|(mail=%u)(&(cn=%u)(!(sn=%u))))",
}

// FuzzUsername holds that whatever name somebody signs in by, the filter has the form that it has for any other name, and looks for
// that very name.
func FuzzUsername(f *testing.F) {
	for _, name := range []string{
		"alice", "*", "a*b", "alice)(uid=*", "*)(|(objectClass=*", "\\", "\\2a", "\\5c2a", "(", ")", "a\x00b", "ü", "\xff\xfe", "%u", "&", "!",
		"uid=alice,ou=x", " alice ", "#", "\r\n",
	} {
		f.Add(name)
	}
	sample := compiled(f, "x")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			return
		}
		got := compiled(t, name)
		same(t, sample, got, name)
		if user := got.Children[1]; len(user.Children) != 2 || user.Children[1].Data.String() != name {
			t.Fatalf("%q is looked for as %q", name, user.Children[1].Data.String())
		}
	})
}

func compiled(t testing.TB, name string) *ber.Packet {
	t.Helper()
	text, err := fuzzed.users(name, "")
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	p, err := ldap.CompileFilter(text)
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	return p
}

func same(t *testing.T, want, got *ber.Packet, name string) {
	t.Helper()
	if want.Tag != got.Tag || want.ClassType != got.ClassType || len(want.Children) != len(got.Children) {
		t.Fatalf("%q changes the filter's form", name)
	}
	for i := range want.Children {
		same(t, want.Children[i], got.Children[i], name)
	}
}
