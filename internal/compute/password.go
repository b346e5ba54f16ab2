package compute

import (
	"crypto/rand"

	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Access is by what a machine lets its users in, as its row has it.
type Access struct {
	Password  string   `json:"password,omitempty"` // sealed
	User      uid.User `json:"user,omitempty"`     // whom it was made for
	Encrypted string   `json:"encrypted,omitempty"`
	KeyPairs  string   `json:"keypairs,omitempty"`
	SSHKeys   string   `json:"sshkeys,omitempty"`
}

// Access gives by what the machine lets its users in.
func (vm VM) Access() Access {
	return Access{vm.Password, vm.PasswordUser, vm.Encrypted, vm.KeyPairs, vm.SSHKeys}
}

// passwordLength is that of guests' passwords, in characters of 5 bits.
const passwordLength = 16

// NewPassword makes a password for a guest.
func NewPassword() string { return rand.Text()[:passwordLength] }

// GivePassword gives the machine a password, sealed: its guest gets it from now on, until it has been shown. It is encrypted besides
// for who has the private half of one of the machine's RSA keys.
func (s *Service) GivePassword(vm *VM, plain string, to uid.User) {
	vm.Password, vm.PasswordUser, vm.Encrypted = s.box.Seal(plain, passwordOf(vm.ID)), to, ""
	for _, key := range lines(vm.SSHKeys) {
		if encrypted, ok := keypair.Encrypt(key, plain); ok {
			vm.Encrypted = encrypted
			return
		}
	}
}

// Password opens the machine's password; it is empty where there is none, and once it has been shown.
func (s *Service) Password(vm VM) (secret.String, error) {
	if vm.Password == "" {
		return secret.String{}, nil
	}
	return s.box.Open(vm.Password, passwordOf(vm.ID))
}

// passwordOf says where a machine's sealed password is kept.
func passwordOf(id uid.VM) string { return "vms.password/" + string(id) }
