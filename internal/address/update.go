package address

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// showing is the state of a change of what an address is known by. It is done when it is accepted; there is an operation because
// clients are answered with a job, and because no other one may be at work that knows the address by its ID.
type showing struct {
	Address uid.PublicIP `json:"address"`
	Network uid.Network  `json:"network"`

	to rule.Showing[uid.PublicIP]
}

// Show begins to change what a public address is known by.
func (s *Service) Show(ctx context.Context, id uid.PublicIP, to rule.Showing[uid.PublicIP]) (op.ID, error) {
	if err := rule.MayName(auth.From(ctx), string(to.ID)); err != nil {
		return "", err
	}
	a, err := s.named(ctx, id, "")
	if err != nil {
		return "", err
	}
	if to.ID == "" {
		to.ID = id
	}
	job, _, err := s.show.Start(ctx, op.Request{
		Thing: op.On("network", a.Network), Caller: auth.From(ctx), Command: "updateIpAddress", SubjectKind: "IpAddress", SubjectID: string(to.ID),
	}, showing{Address: id, Network: a.Network, to: to})
	if db.IsUnique(err) {
		err = fault.Conflictf("another address has the ID %s", to.ID)
	}
	return job, err
}

func acceptShowing(ctx context.Context, tx db.Tx, q *op.Request, j *showing) error {
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, j.Network)
	if err != nil {
		return err
	}
	a, err := network.LockAddress(ctx, tx, q.Caller.Reach(), j.Address)
	switch {
	case err != nil:
		return err
	case a.State != network.InUse || a.Network != n.ID:
		return fault.Conflictf("address %s is being released", a.IP)
	}
	to := a
	if to.ID = j.to.ID; j.to.Display != nil {
		to.Display = *j.to.Display
	}
	if err := network.ChangeAddress(ctx, tx, a.ID, to); err != nil {
		return err
	}
	if to.ID != a.ID {
		if err := follow(ctx, tx, a.ID, to.ID); err != nil {
			return err
		}
		if err := network.Touch(ctx, tx, n.ID); err != nil { // its router knows it by its ID
			return err
		}
	}
	q.Account, q.Domain = a.Account, a.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.IPUpdate, State: event.Scheduled, Description: fmt.Sprintf("changing what address %s (%s) is known by", a.IP, a.ID),
		Account: a.Account, Domain: a.Domain, User: q.Caller.User, ResourceID: string(j.to.ID),
	})
	return err
}

// follow lets all that refers to an address stay on it when it gets another ID.
func follow(ctx context.Context, tx db.Tx, from, to uid.PublicIP) error {
	if err := rule.RenameAddress(ctx, tx, from, to); err != nil {
		return err
	}
	if err := tag.Follow(ctx, tx, tag.PublicIP, from, to); err != nil {
		return err
	}
	if err := detail.Follow(ctx, tx, network.DetailedAddress, string(from), string(to)); err != nil {
		return err
	}
	return annotation.Follow(ctx, tx, annotation.PublicIP, string(from), string(to))
}
