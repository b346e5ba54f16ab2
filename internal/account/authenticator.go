package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Authenticator knows the passwords of users of one source.
type Authenticator interface {
	// Ask looks whether a password is right. That it is wrong, or nobody can tell, is no error.
	Ask(ctx context.Context, a Attempt) (Word, error)
}

// Attempt is somebody's wish to sign in.
type Attempt struct {
	Domain   Domain
	Username string
	Known    User // of the authenticator's source; the zero User where nobody has that name here
	Password secret.String
}

// Word is what an authenticator says to an attempt.
type Word struct {
	Right  bool
	Silent bool // it could not look: a failure that says nothing of who tries
	// Settle makes of the user what the source says it is, and gives its id. It is called in the transaction that decides about the
	// login, as the house itself; nil where nothing is to be done.
	Settle func(ctx context.Context, tx db.Tx) (uid.User, error)
}

// AskOutside has an authenticator asked about the users of a source, and about names that nobody has here, from the beginning on.
func (s *Service) AskOutside(source auth.Source, a Authenticator) { s.outside[source] = a }

// ask has those asked who know more than the database does. A user that has its password here is no business of theirs: otherwise
// whoever fills a directory could become anybody. One that is locked out is not asked about, so that guesses go no further. In either
// case they are asked about a name that nobody has, if the login fails: the time that it takes would tell who is a user here.
func (s *Service) ask(ctx context.Context, u userRow, in Attempt, domain string, right bool) (Word, error) {
	known := u.ID != auth.System().User
	if in.Password.IsEmpty() || known && u.Source == auth.Native && right {
		return Word{}, nil
	}
	d, err := domainNamed(ctx, s.db.Read(), domain)
	if db.IsNone(err) {
		return Word{}, nil
	} else if err != nil {
		return Word{}, err
	}
	in.Domain = d
	decoy := known && (s.outside[u.Source] == nil || u.LockedUntil.After(s.db.Now()))
	switch {
	case decoy:
		in.Username, in.Password = newKey(), secret.New(newKey())
	case known:
		in.Known = u.User
	}
	for source, o := range s.outside {
		if known && !decoy && source != u.Source {
			continue
		}
		w, err := o.Ask(ctx, in)
		if err != nil || !decoy && (w.Right || w.Silent || w.Settle != nil) {
			return w, err
		}
	}
	return Word{}, nil
}

// settleOutside decides about a login that somebody else has spoken about. What can't be done with the user refuses it.
func (s *Service) settleOutside(ctx context.Context, u userRow, w Word) (in userRow, admitted bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		in, admitted = u, false
		if w.Settle != nil {
			id, err := w.Settle(auth.With(ctx, auth.System()), tx)
			if err == nil && w.Right {
				in, err = userFactor(ctx, tx, id)
			}
			if err != nil {
				return err
			}
		}
		admitted, err = s.settleIn(ctx, tx, in, w.Right, in.Password)
		return err
	})
	if err != nil && fault.KindOf(err) != fault.Internal {
		in = u
		admitted, err = s.settle(ctx, u, false, u.Password)
	}
	return in, admitted, err
}

// UserNamed finds a user of a domain by its name, whoever asks; [db.IsNone] tells that there is none.
func UserNamed(ctx context.Context, q db.Tx, domain uid.Domain, username string) (User, error) {
	u, err := userByName(ctx, q, username, string(domain))
	return u.User, err
}

// Withdraw disables a user that its source doesn't have any more, or has disabled, and signs it out. Who is shut already stays so.
func (s *Service) Withdraw(ctx context.Context, tx db.Tx, id uid.User) error {
	return s.bySource(ctx, tx, id, Disabled, event.UserDisable)
}

// Restore enables a user that Withdraw has disabled; one that an administrator has shut stays so.
func (s *Service) Restore(ctx context.Context, tx db.Tx, id uid.User) error {
	return s.bySource(ctx, tx, id, Enabled, event.UserEnable)
}

func (s *Service) bySource(ctx context.Context, tx db.Tx, id uid.User, to State, kind event.Kind) error {
	u, err := s.targetOther(ctx, tx, id, "disable or enable")
	if err != nil || to == Disabled && u.State != Enabled || to == Enabled && (u.State != Disabled || !u.Withdrawn) {
		return err
	}
	if err := s.shutUser(ctx, tx, u, to, to == Disabled); err != nil {
		return err
	}
	return userEvent(ctx, tx, kind, u, fmt.Sprintf("user %s is %s from now on, as %s has it", u.Username, to, u.Source))
}
