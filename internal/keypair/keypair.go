package keypair

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Pair is an account's SSH key, without its private half.
type Pair struct {
	ID          uid.SSHKeyPair `bun:",pk"`
	Account     uid.Account    `bun:"account_id"`
	Domain      uid.Domain     `bun:"domain_id"`
	Name        string         // unique in the account
	Fingerprint string         // MD5, "43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8"
	PublicKey   string         // a line of authorized_keys
	Created     time.Time
}

// Service keeps key pairs.
type Service struct {
	db       *db.DB
	accounts *account.Service
}

// New makes a service.
func New(d *db.DB, accounts *account.Service) *Service { return &Service{d, accounts} }

// In names a key pair by its owner ("": the caller) and its name.
type In struct {
	Name  string
	Owner account.For
}

// Register keeps a public key that its owner has made. It is a line of authorized_keys, as it is or in base64.
func (s *Service) Register(ctx context.Context, in In, key string) (Pair, error) {
	public, comment, err := parse(key)
	if err != nil {
		return Pair{}, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	if comment != "" {
		line += " " + comment
	}
	return s.add(ctx, in, Pair{PublicKey: line, Fingerprint: ssh.FingerprintLegacyMD5(public)}, event.SSHKeyPairRegister)
}

// bits is the size of new keys.
const bits = 2048

// Create makes a key pair and gives its private half, which is not kept. It is RSA, in PEM of the oldest kind, as CloudStack's
// are: what clients were written for, and what sshd of any age in a guest understands.
func (s *Service) Create(ctx context.Context, in In) (Pair, secret.String, error) {
	if _, err := s.free(ctx, s.db.Read(), in, Pair{}); err != nil { // making a key takes a tenth of a second: not for what is refused
		return Pair{}, secret.String{}, err
	}
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Pair{}, secret.String{}, err
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		return Pair{}, secret.String{}, err
	}
	p, err := s.add(ctx, in, Pair{
		PublicKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), Fingerprint: ssh.FingerprintLegacyMD5(public),
	}, event.SSHKeyPairCreate)
	if err != nil {
		return Pair{}, secret.String{}, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
	return p, secret.New(string(block)), nil
}

func (s *Service) add(ctx context.Context, in In, p Pair, kind event.Kind) (Pair, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if p, err = s.free(ctx, tx, in, p); err != nil {
			return err
		}
		if err := account.Stays(ctx, tx, p.Account); err != nil {
			return err
		}
		p.ID, p.Created = uid.New[uid.SSHKeyPair](), tx.Now
		if err := insert(ctx, tx, p); err != nil {
			return err
		}
		if err := announce(ctx, tx, kind, "added", p); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(p.ID), "")
	})
	if db.IsUnique(err) {
		err = conflict(p, p.Name)
	}
	return p, err
}

// free gives a pair its owner and name, and refuses what the owner has already.
func (s *Service) free(ctx context.Context, q db.Tx, in In, p Pair) (Pair, error) {
	owner, err := s.accounts.Owner(ctx, q, in.Owner)
	if err != nil {
		return p, err
	}
	p.Account, p.Domain, p.Name = owner.Account, owner.Domain, in.Name
	taken, err := nameOfTaken(ctx, q, p)
	if err == nil && taken != "" {
		err = conflict(p, taken)
	}
	return p, err
}

// conflict refuses a pair whose name or key the account has already, in the pair called taken.
func conflict(p Pair, taken string) error {
	if taken == p.Name {
		return fault.Conflictf("the account has an SSH key pair called %q already; choose another name, or delete that one first", p.Name)
	}
	return fault.Conflictf("the account has this key already, as %q", taken)
}

// Delete forgets a key pair. Machines that have the key keep it.
func (s *Service) Delete(ctx context.Context, in In) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		owner, err := s.accounts.Owner(ctx, tx, in.Owner)
		if err != nil {
			return err
		}
		p, err := Find(ctx, tx, owner.Account, in.Name)
		if err != nil {
			return err
		}
		if err := remove(ctx, tx, p.ID); err != nil {
			return err
		}
		return announce(ctx, tx, event.SSHKeyPairDelete, "deleted", p)
	})
}

func announce(ctx context.Context, tx db.Tx, kind event.Kind, deed string, p Pair) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s SSH key pair %s", deed, p.Name), Account: p.Account, Domain: p.Domain, ResourceID: string(p.ID),
	})
	return err
}

// Filter says which key pairs a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope       auth.Scope
	ID          uid.SSHKeyPair
	Name        string
	Fingerprint string
	Keyword     string // in name or fingerprint
	Offset      int
	Limit       int // 0 or less: all
}

// parse reads a public key: one line as in authorized_keys, without options, or that in base64.
func parse(key string) (ssh.PublicKey, string, error) {
	line := strings.TrimSpace(key)
	if !strings.Contains(line, " ") {
		if plain, err := base64.StdEncoding.DecodeString(line); err == nil {
			line = strings.TrimSpace(string(plain))
		}
	}
	public, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case strings.Contains(line, "PRIVATE KEY"):
		return nil, "", fault.Invalidf("publickey is a private key: give the public half, and make new keys, since this one has been sent")
	case err != nil:
		return nil, "", fault.Invalidf("publickey is no SSH public key: want one like \"ssh-ed25519 AAAAC3... name\"")
	case len(options) > 0 || len(rest) > 0:
		return nil, "", fault.Invalidf("publickey is more than one key: want its type, the key and a comment, without options or further lines")
	}
	if _, isCert := public.(*ssh.Certificate); isCert {
		return nil, "", fault.Invalidf("publickey is a certificate: want the public key itself")
	}
	return public, comment, nil
}

// Encrypt encrypts a text for who has the private half of a key, in the way that CloudStack's clients read: by PKCS #1 v1.5, in base64.
// It is false for keys of other kinds than RSA, and for RSA's that are too short, which can't be encrypted to.
func Encrypt(line, text string) (string, bool) {
	public, _, err := parse(line)
	if err != nil {
		return "", false
	}
	known, ok := public.(ssh.CryptoPublicKey)
	if !ok {
		return "", false
	}
	key, ok := known.CryptoPublicKey().(*rsa.PublicKey)
	if !ok {
		return "", false
	}
	encrypted, err := rsa.EncryptPKCS1v15(rand.Reader, key, []byte(text)) //nolint:staticcheck // the contract's
	if err != nil {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(encrypted), true
}
