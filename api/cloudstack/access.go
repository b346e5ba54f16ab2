package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ResetPasswordForVirtualMachine gives a machine another password.
var ResetPasswordForVirtualMachine = api.Job[ResetPasswordForVirtualMachineIn, VirtualMachine]{
	Name: "resetPasswordForVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.RESETPASSWORD",
	Doc: "Gives a stopped virtual machine another password, which its guest takes when it is started next. Its template must be one that " +
		"takes passwords. The job shows the password, to who has asked for it and to users of the machine's account, until the machine runs.",
}

// ResetPasswordForVirtualMachineIn names the machine.
type ResetPasswordForVirtualMachineIn struct {
	ID       uid.VM `api:"id,required" doc:"The ID of the machine."`
	Password string `api:"password,secret,since=4.19.0" doc:"The password to give it. Without it a new one is made."`
}

// ResetSSHKeyForVirtualMachine gives a machine other SSH keys.
var ResetSSHKeyForVirtualMachine = api.Job[ResetSSHKeyForVirtualMachineIn, VirtualMachine]{
	Name: "resetSSHKeyForVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.RESETSSHKEY",
	Doc: "Gives a stopped virtual machine other SSH keys in the place of those that it has; its guest learns of them when it is started " +
		"next. One whose template takes passwords gets another password, too, which the job shows until the machine runs.",
}

// ResetSSHKeyForVirtualMachineIn names machine and keys.
type ResetSSHKeyForVirtualMachineIn struct {
	ID        uid.VM      `api:"id,required" doc:"The ID of the machine."`
	KeyPair   string      `api:"keypair" doc:"The name of the SSH key pair."`
	KeyPairs  []string    `api:"keypairs,since=4.17" doc:"The names of several SSH key pairs. Instead of keypair."`
	Account   string      `api:"account" doc:"The name of the account that owns the key pairs, where it is not the machine's. Goes together with domainid."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project that owns the key pairs."`
}

// GetVMPassword shows a password to who has the key for it.
var GetVMPassword = api.Call[GetVMPasswordIn, EncryptedPassword]{
	Name: "getVMPassword", Noun: "Virtual machine", Role: api.Everyone, Object: "password",
	Doc: "Shows the password that was made for a virtual machine last, encrypted to its SSH key: who has the private half can read it.",
}

// GetVMPasswordIn names the machine.
type GetVMPasswordIn struct {
	ID uid.VM `api:"id,required" doc:"The ID of the machine."`
}

// EncryptedPassword is a password that only one can read.
type EncryptedPassword struct {
	Encrypted string `json:"encryptedpassword" doc:"The password, encrypted by PKCS #1 v1.5 with the first RSA key of the machine, in base64."`
	Pending
}
