// Package agent is what a management server and the agent of a host say to each other beside the driver's calls: how an agent
// introduces itself, and that it is there. It is spoken by servers and agents of different age: what it says is added to, and not
// changed.
package agent

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/virga-cloud/virga/uid"
)

// ServerName is the name in the certificates of servers' ends of the bus. Agents dial addresses, which may be anything; that it is a
// server of their cloud they know from who signed this.
const ServerName = "agents.virga.internal"

// What agents tell servers.
const (
	VerbEnrol = "Enrol" // EnrolIn, EnrolOut; with a token
	VerbReady = "Ready" // ReadyIn, ReadyOut; with the key of a host
)

// EnrolIn introduces an agent that came with a token.
type EnrolIn struct {
	Key     string // its public key
	Name    string // of its host
	Address string // that other hosts reach it at
}

// EnrolOut is what the server makes of it.
type EnrolOut struct {
	Refused
	Host uid.Host `json:",omitempty"` // the id that the host goes by from now on
	CA   string   `json:",omitempty"` // whose certificates its servers have, in PEM
}

// ReadyIn says that an agent answers.
type ReadyIn struct {
	Address      string // that other hosts reach it at
	Version      string
	Capabilities []string // that it proved, "kvm" for instance
}

// ReadyOut is what the server makes of it.
type ReadyOut struct {
	Refused
	Waits bool `json:",omitempty"` // the host has no place yet: an operator is to say where it goes, with addHost
}

// Refused is why something was not done; Why is "" where it was.
type Refused struct {
	Why   string `json:",omitempty"`
	Final bool   `json:",omitempty"` // it never will be
}

// Token is what an operator hands to a host, so that its agent and the servers believe each other the first time.
type Token struct {
	ID     uid.AgentToken
	Secret string
	// CA is the fingerprint of who signs the servers' certificates, as [Fingerprint] gives it: with it the agent knows that it tells
	// the secret to nobody else.
	CA string
}

// Text is the token as it is handed over. It is a secret.
func (t Token) Text() string { return string(t.ID) + "." + t.Secret + "." + t.CA }

// Name is what who comes with the token is known by on the bus.
func (t Token) Name() string { return newcomer + string(t.ID) }

// newcomer begins the names of those who came with a token.
const newcomer = "new-"

// TokenOf tells whether somebody on the bus came with a token, and which.
func TokenOf(name string) (uid.AgentToken, bool) {
	id, ok := strings.CutPrefix(name, newcomer)
	return uid.AgentToken(id), ok
}

// ParseToken reads what [Token.Text] has given.
func ParseToken(text string) (Token, error) {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return Token{}, errNoToken
	}
	if sum, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil || len(sum) != sha256.Size {
		return Token{}, errNoToken
	}
	id, err := uid.Parse[uid.AgentToken](parts[0])
	if err != nil {
		return Token{}, errNoToken
	}
	return Token{ID: id, Secret: parts[1], CA: parts[2]}, nil
}

// It says nothing of what it was: it may be half of one.
var errNoToken = errors.New("this is no token; want the whole text that createAgentToken has given, three parts with dots between")

// Fingerprint is that of a certificate in DER.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
