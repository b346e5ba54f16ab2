package directory

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// controller answers as a domain controller of Active Directory would that has ada in the group named dn, through another one: only who
// asks by the rule for chains learns that.
type controller struct {
	t     *testing.T
	group string

	mu    sync.Mutex
	asked []string // bases and filters
}

const (
	chain = "memberOf:1.2.840.113556.1.4.1941:="
	ada   = "CN=ada,OU=people,DC=corp,DC=example,DC=org"
)

func (c *controller) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			for {
				p, err := ber.ReadPacket(conn)
				if err != nil || len(p.Children) < 2 {
					return
				}
				id, request := p.Children[0].Value.(int64), p.Children[1]
				var answers []*ber.Packet
				switch request.Tag {
				case ldap.ApplicationBindRequest:
					answers = append(answers, result(ldap.ApplicationBindResponse))
				case ldap.ApplicationSearchRequest:
					answers = c.search(request)
				default:
					return
				}
				for _, a := range answers {
					whole := ber.NewSequence("")
					whole.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
					whole.AppendChild(a)
					if _, err := conn.Write(whole.Bytes()); err != nil {
						return
					}
				}
			}
		}()
	}
}

func result(kind ber.Tag) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, kind, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, ""))
	p.AppendChild(text(""))
	p.AppendChild(text(""))
	return p
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func (c *controller) search(request *ber.Packet) (answers []*ber.Packet) {
	base := request.Children[0].Value.(string)
	filter, err := ldap.DecompileFilter(request.Children[6])
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	c.asked = append(c.asked, base+" "+filter)
	c.mu.Unlock()
	if strings.Contains(filter, "("+chain+ldap.EscapeFilter(c.group)+")") || !strings.Contains(filter, "memberOf") {
		e := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
		e.AppendChild(text(ada))
		attributes := ber.NewSequence("")
		for name, value := range map[string]string{"sAMAccountName": "ada", "userAccountControl": "512"} {
			attribute, values := ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
			values.AppendChild(text(value))
			attribute.AppendChild(text(name))
			attribute.AppendChild(values)
			attributes.AppendChild(attribute)
		}
		e.AppendChild(attributes)
		answers = append(answers, e)
	}
	return append(answers, result(ldap.ApplicationSearchResultDone))
}

// Groups in groups are found in Active Directory by its own rule: asked of the user's entry for whom a login is about, and of all users
// in one question for lists; without nesting the rule is left out.
func TestGroupsInGroupsOfActiveDirectory(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &controller{t: t, group: `CN=staff (all)\, north*,OU=groups,DC=corp,DC=example,DC=org`}
	go c.serve(l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	number, _ := strconv.Atoi(port)
	d := Directory{
		Servers: []Server{{"127.0.0.1", number}}, Timeout: 30 * time.Second, BaseDN: "DC=corp,DC=example,DC=org", PageSize: 100,
		Kind: ActiveDirectory, UserObject: "user", Username: "sAMAccountName", Email: "mail", Firstname: "givenName", Lastname: "sn",
		GroupObject: "group", GroupMember: "member", Nested: true,
	}
	ask := func(do func(*Conn) (int, error)) (int, []string) {
		t.Helper()
		conn, err := Open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c.mu.Lock()
		c.asked = nil
		c.mu.Unlock()
		n, err := do(conn)
		if err != nil {
			t.Fatal(err)
		}
		return n, c.asked
	}
	belongs := func(conn *Conn) (int, error) {
		in, err := conn.Belongs(Person{DN: ada}, []string{c.group, "CN=others,DC=corp,DC=example,DC=org"})
		return len(in), err
	}
	people := func(conn *Conn) (int, error) {
		found, err := conn.People("", Place{DN: c.group})
		return len(found), err
	}
	const escaped = `CN=staff \28all\29\5c, north\2a,OU=groups,DC=corp,DC=example,DC=org`
	expect := func(what string, n, want int, asked []string, wants ...string) {
		t.Helper()
		if n != want || !slices.Equal(asked, wants) {
			t.Errorf("%s: %d; asked\n%s\nwant %d and\n%s", what, n, strings.Join(asked, "\n"), want, strings.Join(wants, "\n"))
		}
	}
	n, asked := ask(belongs)
	expect("one person", n, 1, asked, ada+" ("+chain+escaped+")", ada+" ("+chain+"CN=others,DC=corp,DC=example,DC=org)")
	n, asked = ask(people)
	expect("all", n, 1, asked, d.BaseDN+" (&(&(objectClass=user)(sAMAccountName=*))("+chain+escaped+"))")
	d.Nested, d.MemberOf = false, "memberOf"
	n, asked = ask(belongs)
	expect("one person, without nesting", n, 0, asked, ada+" (memberOf="+escaped+")", ada+" (memberOf=CN=others,DC=corp,DC=example,DC=org)")
	d.Nested, d.SearchGroup = true, c.group
	n, asked = ask(func(conn *Conn) (int, error) {
		_, found, err := conn.Find("ada", Place{})
		return map[bool]int{true: 1}[found], err
	})
	expect("somebody who must be in a group", n, 1, asked,
		d.BaseDN+" (&(objectClass=user)(sAMAccountName=ada)("+chain+escaped+"))")
}
