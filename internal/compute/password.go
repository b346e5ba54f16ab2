package compute

import (
	"context"
	"crypto/rand"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// passwordLength is that of guests' passwords, in characters of 5 bits.
const passwordLength = 16

// newPassword makes a guest's password, sealed: the host gets it whenever the machine starts, until it has been shown.
func (s *Service) newPassword(id uid.VM) string {
	return s.box.Seal(rand.Text()[:passwordLength], passwordOf(id))
}

// TakePassword gives the password that was made for a machine, once: to a user of the account that owns it, or to the one who
// deployed it, and as soon as the machine runs, since until then no guest has taken it. It is empty for everybody else, and ever
// after.
func (s *Service) TakePassword(ctx context.Context, id uid.VM) (secret.String, error) {
	vm, err := find(ctx, s.db.Read(), id)
	if err != nil {
		return secret.String{}, err
	}
	c := auth.From(ctx)
	if vm.Password == "" || vm.State != Running || c.Account != vm.Account && c.User != vm.User {
		return secret.String{}, nil
	}
	password, err := s.password(vm)
	if err != nil {
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
