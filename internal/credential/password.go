package credential

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Take gives the password that was made for a machine, once: to a user of the account that owns it, or to the one it was made
// for, and as soon as the machine runs, since until then no guest has taken it. It is empty for everybody else, and ever after.
func (s *Service) Take(ctx context.Context, id uid.VM) (secret.String, error) {
	vm, password, err := s.passwordFor(ctx, id)
	if err != nil || password.IsEmpty() || vm.State != compute.Running {
		return secret.String{}, err
	}
	mine := false
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		mine, err = compute.ForgetPassword(ctx, tx, vm.ID, vm.Password)
		return err
	})
	if err != nil || !mine {
		return secret.String{}, err
	}
	return password, nil
}

// See is [Service.Take] for who has just had it reset: the guest will take it at its next start, and until then it can
// be seen again.
func (s *Service) See(ctx context.Context, id uid.VM) (secret.String, error) {
	vm, password, err := s.passwordFor(ctx, id)
	if err != nil || vm.State == compute.Running {
		return s.Take(ctx, id)
	}
	return password, nil
}

// passwordFor gives a machine with the password that waits there for the caller; an empty one for whom it is not.
func (s *Service) passwordFor(ctx context.Context, id uid.VM) (compute.VM, secret.String, error) {
	vm, err := compute.Find(ctx, s.DB.Read(), id)
	if err != nil {
		return compute.VM{}, secret.String{}, err
	}
	c := auth.From(ctx)
	if c.Account != vm.Account && (c.User == "" || c.User != vm.PasswordUser) {
		return vm, secret.String{}, nil
	}
	password, err := s.Machines.Password(vm)
	return vm, password, err
}

// Encrypted gives the password that was made for a machine last, encrypted to the first of its RSA keys: in base64, by PKCS #1
// v1.5. It stays, until the machine is gone or gets another one.
func (s *Service) Encrypted(ctx context.Context, id uid.VM) (string, error) {
	vms, _, err := s.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	switch {
	case err != nil:
		return "", err
	case len(vms) == 0:
		return "", fault.Missing(id)
	}
	vm, err := compute.Find(ctx, s.DB.Read(), id)
	if err == nil && vm.Encrypted == "" {
		err = fault.Conflictf("there is no encrypted password of virtual machine %q: one is made for machines with an RSA key, of templates "+
			"that take passwords, when they are deployed and when their password or their SSH key is reset", vm.Name)
	}
	return vm.Encrypted, err
}
