package credential

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// reset is the state of giving a machine another password, or other SSH keys.
type reset struct {
	VM  uid.VM         `json:"vm"`
	Was compute.Access `json:"was,omitzero"`
	// Routed are the revisions of its networks by which their routers know the password.
	Routed map[uid.Network]int64 `json:"routed,omitempty"`

	password secret.String // for Accept only
	keys     KeysIn        // likewise
}

// KeysIn says which SSH key pairs to give to a machine.
type KeysIn struct {
	Names []string
	Owner account.For // of the pairs; nobody: the machine's account
}

// ResetPassword begins to give a stopped machine another password, which its guest takes at its next start: the wanted one, or a new
// one where none is.
func (s *Service) ResetPassword(ctx context.Context, id uid.VM, wanted secret.String) (op.ID, error) {
	job, _, err := s.resetPassword.Start(ctx, compute.Request(ctx, id, "resetPasswordForVirtualMachine"), reset{VM: id, password: wanted})
	return job, err
}

// ResetKeys begins to give a stopped machine other SSH keys in the place of those that it has, and another password where it takes any.
func (s *Service) ResetKeys(ctx context.Context, id uid.VM, in KeysIn) (op.ID, error) {
	if len(in.Names) == 0 {
		return "", fault.Invalidf("keypair is missing: name the SSH key pair, or with keypairs several, that the virtual machine is to have")
	}
	job, _, err := s.resetKeys.Start(ctx, compute.Request(ctx, id, "resetSSHKeyForVirtualMachine"), reset{VM: id, keys: in})
	return job, err
}

func (s *Service) resetPasswordPlan() *op.Plan[reset] {
	return s.resetting("vm.password", func(ctx context.Context, tx db.Tx, q *op.Request, r *reset) error {
		vm, tpl, err := s.beginReset(ctx, tx, q, r, "password")
		if err != nil {
			return err
		}
		if !tpl.PasswordEnabled {
			return fault.Conflictf("virtual machine %q takes no password from the cloud: its template %q does not say that it does",
				vm.Name, tpl.Name)
		}
		plain := r.password.Reveal()
		if plain == "" {
			plain = compute.NewPassword()
		}
		s.Machines.GivePassword(&vm, plain, q.Caller.User)
		if err := compute.Announce(ctx, tx, q, vm, event.VMResetPassword, "resetting the password of"); err != nil {
			return err
		}
		return compute.SetAccess(ctx, tx, vm.ID, vm.Access())
	})
}

func (s *Service) resetKeysPlan() *op.Plan[reset] {
	return s.resetting("vm.keys", func(ctx context.Context, tx db.Tx, q *op.Request, r *reset) error {
		vm, tpl, err := s.beginReset(ctx, tx, q, r, "SSH key")
		if err != nil {
			return err
		}
		owner := vm.Account
		if r.keys.Owner != (account.For{}) {
			o, err := s.Accounts.Owner(ctx, tx, r.keys.Owner)
			if err != nil {
				return err
			}
			owner = o.Account
		}
		if err := vm.LetIn(ctx, tx, owner, r.keys.Names); err != nil {
			return err
		}
		if tpl.PasswordEnabled {
			s.Machines.GivePassword(&vm, compute.NewPassword(), q.Caller.User)
		}
		if err := compute.Announce(ctx, tx, q, vm, event.VMResetSSHKey, "resetting the SSH key of"); err != nil {
			return err
		}
		return compute.SetAccess(ctx, tx, vm.ID, vm.Access())
	})
}

// resetting is the plan of both: it is done when the routers of the machine's networks know what the guest is to be told.
func (s *Service) resetting(name string, begin op.AcceptFunc[reset]) *op.Plan[reset] {
	return op.New[reset](name).Refuses().
		Accept(begin, func(ctx context.Context, tx db.Tx, r *reset) error { return compute.SetAccess(ctx, tx, r.VM, r.Was) }).
		Tx("routers", func(ctx context.Context, tx db.Tx, r *reset) (err error) {
			r.Routed, err = compute.Routed(ctx, tx, r.VM)
			return err
		}, nil).
		Wait("network", func(ctx context.Context, q db.Tx, r *reset) (bool, error) { return s.Routers.Reached(ctx, q, r.Routed) })
}

// beginReset finds the machine, which must be stopped, and its template.
func (s *Service) beginReset(ctx context.Context, tx db.Tx, q *op.Request, r *reset, what string) (compute.VM, image.Template, error) {
	vm, err := compute.Locked(ctx, tx, q.Caller.Reach(), r.VM)
	if err != nil {
		return compute.VM{}, image.Template{}, err
	}
	if vm.State != compute.Stopped {
		return compute.VM{}, image.Template{}, fault.Conflictf("virtual machine %q is %s; stop it before you reset its %s", vm.Name, vm.State, what)
	}
	r.Was = vm.Access()
	templates, err := image.ByID(ctx, tx, []uid.Template{vm.Template})
	return vm, templates[vm.Template], err
}
