package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// patience is how long all that is asked over one connection may take.
const patience = time.Minute

// packetSize is how many bytes one answer can have: a group with some ten thousand members.
const packetSize = 16 << 20

// A server that claims to send gigabytes is not listened to. The library has no other place to say so.
var _ = func() struct{} { ber.MaxPacketLengthBytes = packetSize; return struct{}{} }()

// Conn is a connection to a directory, for one purpose. One goroutine at a time uses it.
type Conn struct {
	Directory
	conn *ldap.Conn
	stop func()
}

// Open connects to the first of a directory's servers that answers, and signs in there as who searches. That no server does so is
// fault.Unavailable, and says why.
func Open(ctx context.Context, d Directory) (*Conn, error) {
	if len(d.Servers) == 0 {
		return nil, fault.New(fault.Unavailable, "no directory is configured: addLdapConfiguration names its servers")
	}
	if d.Bind != "" && d.Password.IsEmpty() {
		return nil, fault.New(fault.Unavailable, "who searches the directory has no password: set ldap.bind.password")
	}
	config, err := d.Truststore.config()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	var failures []error
	for _, s := range d.Servers {
		conn, err := d.connect(ctx, s, config)
		if err == nil {
			off := context.AfterFunc(ctx, func() { _ = conn.Close() })
			return &Conn{Directory: d, conn: conn, stop: func() { off(); cancel() }}, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", s, err))
	}
	cancel()
	return nil, fault.New(fault.Unavailable, "the directory can't be asked: %v", errors.Join(failures...))
}

// Close ends the connection.
func (c *Conn) Close() {
	c.stop()
	_ = c.conn.Close()
}

func (d Directory) connect(ctx context.Context, s Server, config *tls.Config) (*ldap.Conn, error) {
	raw, err := (&net.Dialer{Timeout: d.Timeout}).DialContext(ctx, "tcp", s.String())
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.ServerName = s.Host
	security := d.securityOf(s)
	if security == LDAPS {
		over := tls.Client(raw, config)
		shake, cancel := context.WithTimeout(ctx, d.Timeout)
		err := over.HandshakeContext(shake)
		cancel()
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		raw = over
	}
	conn := ldap.NewConn(raw, security == LDAPS)
	conn.SetTimeout(d.Timeout)
	conn.Start()
	if security == StartTLS {
		err = conn.StartTLS(config)
	}
	if err == nil && d.Bind != "" {
		err = bind(conn, d.Bind, d.Password)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (d Directory) securityOf(s Server) Security {
	switch {
	case d.Security != Auto && d.Security != "":
		return d.Security
	case d.Truststore.Certificates != "" || s.Port == 636 || s.Port == 3269:
		return LDAPS
	}
	return Plain
}

var errEmpty = errors.New("signing in without a name or a password proves nothing, and is not tried")

// bind signs in. A name without a password would be "unauthenticated": the server lets it in without having looked.
func bind(conn *ldap.Conn, dn string, password secret.String) error {
	if dn == "" || password.IsEmpty() {
		return errEmpty
	}
	_, err := conn.SimpleBind(&ldap.SimpleBindRequest{Username: dn, Password: password.Reveal()})
	return err
}

// Right tells whether a password is a person's. Afterwards the connection is that person's, and good for nothing else: it is closed.
func (c *Conn) Right(p Person, password secret.String) (bool, error) {
	defer c.Close()
	if p.DN == "" || password.IsEmpty() {
		return false, nil
	}
	err := bind(c.conn, p.DN, password)
	switch {
	case err == nil:
		return true, nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultConstraintViolation, ldap.LDAPResultReferral):
		return false, nil
	}
	return false, asked(err)
}

// Miss does what Right does where nobody was found, so that it takes as long. Its result means nothing.
func (c *Conn) Miss(password secret.String) {
	_, _ = c.Right(Person{DN: "cn=nobody," + c.BaseDN}, password)
}

func asked(err error) error {
	return fault.New(fault.Unavailable, "the directory can't be asked: %v", err)
}
