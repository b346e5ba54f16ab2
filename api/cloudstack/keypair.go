package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RegisterSSHKeyPair keeps a public key.
var RegisterSSHKeyPair = api.Call[RegisterSSHKeyPairIn, SSHKeyPair]{
	Name: "registerSSHKeyPair", Noun: "SSH key pair", Role: api.Everyone, Object: "keypair", Event: "REGISTER.SSH.KEYPAIR", Creates: true,
	Doc: "Registers the public half of an SSH key pair, so that machines can be deployed with it.",
}

// RegisterSSHKeyPairIn says what key.
type RegisterSSHKeyPairIn struct {
	api.Once
	Name      string      `api:"name,required" doc:"The name of the key pair, unique in its account."`
	PublicKey string      `api:"publickey,required,max=5120" doc:"The public key: type, key and comment, as in a line of authorized_keys."`
	Account   string      `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project that is to own it."`
}

// CreateSSHKeyPair makes a key pair.
var CreateSSHKeyPair = api.Call[CreateSSHKeyPairIn, SSHKeyPair]{
	Name: "createSSHKeyPair", Noun: "SSH key pair", Role: api.Everyone, Object: "keypair", Event: "CREATE.SSH.KEYPAIR", Creates: true,
	Doc: "Makes an SSH key pair and answers with its private half, which is shown this once and kept nowhere.",
}

// CreateSSHKeyPairIn says for whom.
type CreateSSHKeyPairIn struct {
	api.Once
	Name      string      `api:"name,required" doc:"The name of the key pair, unique in its account."`
	Account   string      `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project that is to own it."`
}

// ListSSHKeyPairs shows key pairs.
var ListSSHKeyPairs = api.List[ListSSHKeyPairsIn, SSHKeyPair]{
	Name: "listSSHKeyPairs", Noun: "SSH key pair", Role: api.Everyone, Object: "sshkeypair",
	Doc: "Lists SSH key pairs.",
}

// ListSSHKeyPairsIn chooses key pairs.
type ListSSHKeyPairsIn struct {
	api.Paging
	api.Scope
	InProject
	ID          uid.SSHKeyPair `api:"id,since=4.16" doc:"Shows only the key pair with this ID."`
	Name        string         `api:"name" doc:"Shows only key pairs of this name."`
	Fingerprint string         `api:"fingerprint" doc:"Shows only the key pair with this fingerprint."`
}

// DeleteSSHKeyPair forgets a key pair.
var DeleteSSHKeyPair = api.Call[DeleteSSHKeyPairIn, api.Success]{
	Name: "deleteSSHKeyPair", Noun: "SSH key pair", Role: api.Everyone, Event: "DELETE.SSH.KEYPAIR",
	Doc: "Deletes an SSH key pair. Machines that were deployed with it keep the key.",
}

// DeleteSSHKeyPairIn names the key pair.
type DeleteSSHKeyPairIn struct {
	Name      string      `api:"name,required" doc:"The name of the key pair."`
	Account   string      `api:"account" doc:"The name of the account that owns it. Goes together with domainid."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project that owns it."`
}

// SSHKeyPair is the public half of an SSH key pair.
type SSHKeyPair struct {
	ID          uid.SSHKeyPair `json:"id" doc:"The ID of the key pair."`
	Name        string         `json:"name" doc:"The name of the key pair."`
	Fingerprint string         `json:"fingerprint" doc:"The MD5 fingerprint of the public key."`
	PrivateKey  string         `json:"privatekey,omitempty" doc:"The private key in PEM, in the first answer of createSSHKeyPair and never again."`
	Owner
	Pending
}
