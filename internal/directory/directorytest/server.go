package directorytest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/porttest"
	"github.com/virga-cloud/virga/internal/secret"
)

// Who may do everything in the test's directory, and what it lies below.
const (
	Base     = "dc=example,dc=org"
	Admin    = "cn=admin," + Base
	Password = "c4n4ry-directory"
)

// Server is a running directory.
type Server struct {
	Port    int    // plain, and StartTLS
	TLSPort int    // LDAPS
	CA      string // PEM

	t     testing.TB
	dir   string
	run   *exec.Cmd
	ended <-chan struct{}
}

// program finds slapd, which Debian keeps out of users' paths.
func program() string {
	for _, path := range []string{"/usr/sbin/slapd", "/usr/lib/openldap/slapd", "/usr/libexec/slapd"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, _ := exec.LookPath("slapd")
	return path
}

// There tells whether this machine has slapd, or must have it.
func There() bool { return program() != "" || required() }

func required() bool { return slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "slapd") }

// Start runs a directory with the people of [People] in it, and more entries (LDIF).
func Start(t testing.TB, more ...string) *Server {
	t.Helper()
	path := program()
	switch {
	case path != "":
	case required():
		t.Fatal("VIRGA_REQUIRE asks for slapd, but there is none")
	default:
		t.Skip("needs slapd (OpenLDAP's server)")
	}
	s := &Server{t: t, dir: t.TempDir()}
	// Distributions confine the program where it is installed to its own folders; a copy is not.
	content, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(s.file("slapd"), content, 0o700))
	s.must(os.Mkdir(s.file("db"), 0o700))
	s.CA = authority(t, s.dir)
	s.must(os.WriteFile(s.file("slapd.conf"), []byte(s.config(filepath.Dir(path))), 0o600))
	s.must(os.WriteFile(s.file("people.ldif"), []byte(People+"\n"+strings.Join(more, "\n")), 0o600))
	s.command("-T", "add", "-f", s.file("slapd.conf"), "-l", s.file("people.ldif"))
	s.serve()
	return s
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) command(args ...string) {
	s.t.Helper()
	out, err := exec.Command(s.file("slapd"), args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("slapd %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// serve starts the server, on other ports where somebody else was quicker.
func (s *Server) serve() {
	s.t.Helper()
	var log bytes.Buffer
	for range 5 {
		s.Port, s.TLSPort = freePort(s.t), freePort(s.t)
		s.run = exec.Command(s.file("slapd"), "-f", s.file("slapd.conf"), "-d", "0", "-h",
			fmt.Sprintf("ldap://127.0.0.1:%d ldaps://127.0.0.1:%d", s.Port, s.TLSPort))
		s.run.Stdout, s.run.Stderr = &log, &log
		s.must(s.run.Start())
		ended := make(chan struct{})
		go func(run *exec.Cmd) { _ = run.Wait(); close(ended) }(s.run)
		if s.ended = ended; s.answers(ended) {
			s.t.Cleanup(s.Stop)
			return
		}
		_ = s.run.Process.Kill()
		<-ended
	}
	s.t.Fatalf("slapd does not start:\n%s", log.String())
}

func (s *Server) answers(ended <-chan struct{}) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 6000 {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.TLSPort)); err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-tick.C:
		}
	}
	return false
}

// Stop ends the server before the test does.
func (s *Server) Stop() {
	_ = s.run.Process.Kill()
	<-s.ended
}

func freePort(t testing.TB) int {
	t.Helper()
	_, text, err := net.SplitHostPort(porttest.Free(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (s *Server) config(bin string) string {
	modules := ""
	for _, dir := range []string{"/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap", filepath.Join(bin, "..", "lib", "ldap")} {
		if _, err := os.Stat(filepath.Join(dir, "back_mdb.la")); err == nil {
			modules = "modulepath " + dir + "\nmoduleload back_mdb\n"
			break
		}
	}
	schema := "/etc/ldap/schema"
	if _, err := os.Stat(schema); err != nil {
		schema = "/etc/openldap/schema"
	}
	return strings.NewReplacer("SCHEMA", schema, "MODULES", modules, "DIR", s.dir, "BASE", Base, "ADMIN", Admin, "PASSWORD", Password).
		Replace(config)
}

// config lets searches by nobody in particular see nothing, and knows Active Directory's attributes.
const config = `include SCHEMA/core.schema
include SCHEMA/cosine.schema
include SCHEMA/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.102 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( sAMAccountName $ userAccountControl $ memberOf ) )
MODULESpidfile DIR/pid
TLSCACertificateFile DIR/ca.pem
TLSCertificateFile DIR/server.pem
TLSCertificateKeyFile DIR/server.key
database mdb
suffix "BASE"
rootdn "ADMIN"
rootpw PASSWORD
directory DIR/db
maxsize 67108864
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// Directory is this one, as it is asked by who may search it.
func (s *Server) Directory() directory.Directory {
	return directory.Directory{
		Servers: []directory.Server{{Host: "127.0.0.1", Port: s.Port}}, Security: directory.Plain, Timeout: 30 * time.Second,
		Bind: Admin, Password: secret.New(Password), BaseDN: Base, PageSize: 2, Kind: directory.OpenLDAP,
		UserObject: "inetOrgPerson", Username: "uid", Email: "mail", Firstname: "givenname", Lastname: "sn", MemberOf: "memberof",
		GroupObject: "groupOfUniqueNames", GroupMember: "uniquemember", Nested: true,
	}
}

// Change changes an entry as its administrator: the values that an attribute has from now on, none to take it away.
func (s *Server) Change(dn, attribute string, values ...string) {
	s.t.Helper()
	s.as(func(conn *ldap.Conn) error {
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace(attribute, values)
		return conn.Modify(m)
	})
}

// Delete removes an entry.
func (s *Server) Delete(dn string) {
	s.t.Helper()
	s.as(func(conn *ldap.Conn) error { return conn.Del(ldap.NewDelRequest(dn, nil)) })
}

func (s *Server) as(do func(*ldap.Conn) error) {
	s.t.Helper()
	conn, err := ldap.DialURL(fmt.Sprintf("ldap://127.0.0.1:%d", s.Port))
	s.must(err)
	defer func() { _ = conn.Close() }()
	s.must(conn.Bind(Admin, Password))
	s.must(do(conn))
}
