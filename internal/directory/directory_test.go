package directory_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto/x509"
	"encoding/pem"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

func open(t *testing.T, d directory.Directory) *directory.Conn {
	t.Helper()
	c, err := directory.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func names(people []directory.Person) string {
	var out []string
	for _, p := range people {
		out = append(out, p.Username)
	}
	return strings.Join(out, " ")
}

func TestPeople(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t, directorytest.ADUser("ada", 512, "staff"), directorytest.ADUser("gone", 514, "staff"))
	d := s.Directory()
	group := func(name string) directory.Place { return directory.Place{DN: directorytest.GroupDN(name)} }
	north := directory.Place{Unit: true, DN: "ou=north,ou=people," + directorytest.Base}
	ad := d
	ad.Kind, ad.UserObject, ad.Username, ad.Nested = directory.ActiveDirectory, "user", "sAMAccountName", false
	with := func(change func(*directory.Directory)) directory.Directory {
		d := s.Directory()
		change(&d)
		return d
	}
	for _, c := range []struct {
		what string
		in   directory.Directory
		word string
		at   directory.Place
		want string
	}{
		{"all, over several pages", d, "", directory.Place{}, "alice bob carol dora"},
		{"part of a name", d, "O", directory.Place{}, "bob carol dora"},
		{"no part of a name", d, "*", directory.Place{}, ""},
		{"a unit", d, "", north, "dora"},
		{"a unit that is not there", d, "", directory.Place{Unit: true, DN: "ou=south," + directorytest.Base}, ""},
		{"a group with groups in it, in a ring", d, "", group("staff"), "alice bob dora"},
		{"a group in the ring", d, "", group("ring"), "alice bob dora"},
		{"without nesting", with(func(d *directory.Directory) { d.Nested = false }), "", group("staff"), "alice"},
		{"another group", d, "", group("sales"), "carol"},
		{"a group that is not there", d, "", group("none"), ""},
		{"only who is in a group", with(func(d *directory.Directory) { d.SearchGroup = directorytest.GroupDN("sales") }), "", directory.Place{}, "carol"},
		{"both", with(func(d *directory.Directory) { d.SearchGroup = directorytest.GroupDN("engineers") }), "", group("sales"), ""},
		{"a filter", with(func(d *directory.Directory) { d.Filter = "(|(&(uid=%u)(uid=b*))(mail=dora@*))" }), "", directory.Place{}, "bob dora"},
		{"as Active Directory has it", ad, "", directory.Place{}, "ada gone"},
		{"in a group of Active Directory", ad, "", group("staff"), "ada gone"},
		{"in none", ad, "", group("sales"), ""},
	} {
		people, err := open(t, c.in).People(c.word, c.at)
		if err != nil || names(people) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.what, names(people), err, c.want)
		}
		for _, p := range people { // one by one it is the same
			found, ok, err := open(t, c.in).Find(p.Username, c.at)
			if err != nil || !ok || found.DN != p.DN {
				t.Errorf("%s: %s alone is %+v, %v, %v", c.what, p.Username, found, ok, err)
			}
		}
		for _, p := range []string{"alice", "bob", "carol", "dora", "ada"} {
			if _, ok, err := open(t, c.in).Find(p, c.at); c.word == "" && (err != nil || ok != slices.Contains(strings.Fields(c.want), p)) {
				t.Errorf("%s: %s alone: %v, %v", c.what, p, ok, err)
			}
		}
	}
	dora, _, err := open(t, d).Find("DORA", directory.Place{})
	if err != nil || dora.Username != "dora" || dora.Firstname != "First dora" || dora.Lastname != "Last dora" ||
		dora.Email != "dora@example.org" || dora.Unit != "north,people" || dora.Disabled {
		t.Errorf("dora is %+v, %v", dora, err)
	}
	for name, disabled := range map[string]bool{"ada": false, "gone": true} {
		if p, _, err := open(t, ad).Find(name, directory.Place{}); err != nil || p.Disabled != disabled {
			t.Errorf("%s is %+v, %v", name, p, err)
		}
	}
	for _, bad := range []string{"", "*", "ali*", "alice)(uid=*", "*)(objectClass=*", "\\2a", "al\x00ice", "nobody"} {
		if p, ok, err := open(t, d).Find(bad, directory.Place{}); ok || err != nil {
			t.Errorf("%q finds %+v, %v", bad, p, err)
		}
	}
	for name, want := range map[string]string{"staff": directorytest.GroupDN("staff"), directorytest.GroupDN("sales"): directorytest.GroupDN("sales"),
		"st*": "", "alice": "", directorytest.DN("alice"): ""} {
		if dn, ok, err := open(t, d).Group(name); err != nil || ok != (want != "") || dn != want {
			t.Errorf("group %s: %q, %v", name, dn, err)
		}
	}
}

func TestRight(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t)
	for _, c := range []struct {
		dn, password string
		want         bool
	}{
		{directorytest.DN("alice"), "pw-alice", true},
		{directorytest.DN("alice"), "pw-bob", false},
		{directorytest.DN("alice"), "", false},
		{"", "", false},
		{"", "pw-alice", false},
		{directorytest.DN("nobody"), "pw-nobody", false},
		{"no name", "pw", false},
	} {
		right, err := open(t, s.Directory()).Right(directory.Person{DN: c.dn}, secret.New(c.password))
		if err != nil || right != c.want {
			t.Errorf("%q with %q: %v, %v", c.dn, c.password, right, err)
		}
	}
	open(t, s.Directory()).Miss(secret.New("pw"))
}

// Connections are only made to who can show a certificate of the right authority, and passwords go nowhere else.
func TestOpen(t *testing.T) {
	t.Parallel()
	s := directorytest.Start(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	block, _ := pem.Decode([]byte(s.CA))
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca}, "c4n4ry-store")
	if err != nil {
		t.Fatal(err)
	}
	p12 := file("store.p12", store)
	other := directorytest.Start(t).CA
	dead := directory.Server{Host: "127.0.0.1", Port: 1}
	mute := listen(t)
	trust := func(certificates, password string) directory.Truststore {
		return directory.Truststore{Certificates: certificates, Password: secret.New(password)}
	}
	for _, c := range []struct {
		what   string
		change func(d *directory.Directory)
		fails  string
	}{
		{"plain", func(d *directory.Directory) {}, ""},
		{"LDAPS", func(d *directory.Directory) {
			d.Security, d.Servers[0].Port, d.Truststore = directory.LDAPS, s.TLSPort, trust(s.CA, "")
		}, ""},
		{"LDAPS because of the truststore", func(d *directory.Directory) {
			d.Security, d.Servers[0].Port, d.Truststore = directory.Auto, s.TLSPort, trust(file("ca.pem", []byte(s.CA)), "")
		}, ""},
		{"a store of Java's", func(d *directory.Directory) {
			d.Security, d.Servers[0].Port, d.Truststore = directory.LDAPS, s.TLSPort, trust(p12, "c4n4ry-store")
		}, ""},
		{"its password is wrong", func(d *directory.Directory) {
			d.Security, d.Servers[0].Port, d.Truststore = directory.LDAPS, s.TLSPort, trust(p12, "another")
		}, "ldap.truststore.password"},
		{"Java's older format", func(d *directory.Directory) {
			d.Truststore = trust(file("old.jks", []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0}), "")
		}, "JKS"},
		{"no such file", func(d *directory.Directory) { d.Truststore = trust(filepath.Join(dir, "none"), "") }, "no such file"},
		{"StartTLS", func(d *directory.Directory) { d.Security, d.Truststore = directory.StartTLS, trust(s.CA, "") }, ""},
		{"LDAPS with a stranger's certificate", func(d *directory.Directory) {
			d.Security, d.Servers[0].Port, d.Truststore = directory.LDAPS, s.TLSPort, trust(other, "")
		}, "certificate"},
		{"StartTLS with a stranger's certificate", func(d *directory.Directory) { d.Security, d.Truststore = directory.StartTLS, trust(other, "") }, "certificate"},
		{"LDAPS with a certificate that nobody knows", func(d *directory.Directory) { d.Security, d.Servers[0].Port = directory.LDAPS, s.TLSPort }, "certificate"},
		{"a certificate for another name", func(d *directory.Directory) {
			d.Security, d.Servers[0], d.Truststore = directory.LDAPS, directory.Server{Host: "localhost", Port: s.TLSPort}, trust(s.CA, "")
		}, "certificate"},
		{"LDAPS where there is none", func(d *directory.Directory) { d.Security, d.Truststore = directory.LDAPS, trust(s.CA, "") }, "can't be asked"},
		{"who searches has a wrong password", func(d *directory.Directory) { d.Password = secret.New("wrong") }, "Invalid Credentials"},
		{"who searches has no password", func(d *directory.Directory) { d.Password = secret.String{} }, "ldap.bind.password"},
		{"no server", func(d *directory.Directory) { d.Servers = nil }, "addLdapConfiguration"},
		{"the first server is dead", func(d *directory.Directory) { d.Servers = []directory.Server{dead, d.Servers[0]} }, ""},
		{"the first server says nothing", func(d *directory.Directory) {
			d.Servers, d.Timeout = []directory.Server{mute, d.Servers[0]}, 3*time.Second
		}, ""},
		{"all are dead", func(d *directory.Directory) { d.Servers = []directory.Server{dead, dead} }, "refused"},
	} {
		d := s.Directory()
		d.Servers = slices.Clone(d.Servers)
		c.change(&d)
		conn, err := directory.Open(t.Context(), d)
		switch {
		case c.fails != "" && (!fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: %v, want %q", c.what, err, c.fails)
		case c.fails == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.fails == "":
			if people, err := conn.People("", directory.Place{}); err != nil || len(people) != 4 {
				t.Errorf("%s: %d people, %v", c.what, len(people), err)
			}
		}
		if err == nil {
			conn.Close()
		} else if text := err.Error(); strings.Contains(text, "c4n4ry") {
			t.Errorf("%s: a password is in %q", c.what, text)
		}
	}
}

// listen is a server that accepts and then says nothing.
func listen(t *testing.T) directory.Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return directory.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}
