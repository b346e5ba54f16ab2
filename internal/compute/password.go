package compute

import (
	"context"
	"crypto/rand"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// passwordLength is that of guests' passwords, in characters of 5 bits.
const passwordLength = 16

func newPassword() string { return rand.Text()[:passwordLength] }

// givePassword gives the machine a password, sealed: its guest gets it from now on, until it has been shown. Who has the private half
// of one of the machine's RSA keys can read it from [Service.EncryptedPassword], too.
func (s *Service) givePassword(vm *VM, plain string, to uid.User) {
	vm.Password, vm.PasswordUser, vm.Encrypted = s.box.Seal(plain, passwordOf(vm.ID)), to, ""
	for _, key := range lines(vm.SSHKeys) {
		if encrypted, ok := keypair.Encrypt(key, plain); ok {
			vm.Encrypted = encrypted
			return
		}
	}
}

// TakePassword gives the password that was made for a machine, once: to a user of the account that owns it, or to the one it was made
// for, and as soon as the machine runs, since until then no guest has taken it. It is empty for everybody else, and ever after.
func (s *Service) TakePassword(ctx context.Context, id uid.VM) (secret.String, error) {
	vm, password, err := s.passwordFor(ctx, id)
	if err != nil || password.IsEmpty() || vm.State != Running {
		return secret.String{}, err
	}
	mine := false
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		mine, err = forgetPassword(ctx, tx, vm.ID, vm.Password)
		return err
	})
	if err != nil || !mine {
		return secret.String{}, err
	}
	return password, nil
}

// SeePassword is [Service.TakePassword] for who has just had it reset: the guest will take it at its next start, and until then it can
// be seen again.
func (s *Service) SeePassword(ctx context.Context, id uid.VM) (secret.String, error) {
	vm, password, err := s.passwordFor(ctx, id)
	if err != nil || vm.State == Running {
		return s.TakePassword(ctx, id)
	}
	return password, nil
}

// passwordFor gives a machine with the password that waits there for the caller; an empty one for whom it is not.
func (s *Service) passwordFor(ctx context.Context, id uid.VM) (VM, secret.String, error) {
	vm, err := find(ctx, s.db.Read(), id)
	if err != nil {
		return VM{}, secret.String{}, err
	}
	c := auth.From(ctx)
	if c.Account != vm.Account && (c.User == "" || c.User != vm.PasswordUser) {
		return vm, secret.String{}, nil
	}
	password, err := s.password(vm)
	return vm, password, err
}

// EncryptedPassword gives the password that was made for a machine last, encrypted to the first of its RSA keys: in base64, by PKCS #1
// v1.5. It stays, until the machine is gone or gets another one.
func (s *Service) EncryptedPassword(ctx context.Context, id uid.VM) (string, error) {
	vms, _, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	switch {
	case err != nil:
		return "", err
	case len(vms) == 0:
		return "", fault.Missing(id)
	}
	vm, err := find(ctx, s.db.Read(), id)
	if err == nil && vm.Encrypted == "" {
		err = fault.Conflictf("there is no encrypted password of virtual machine %q: one is made for machines with an RSA key, of templates "+
			"that take passwords, when they are deployed and when their password or their SSH key is reset", vm.Name)
	}
	return vm.Encrypted, err
}
