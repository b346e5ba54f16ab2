package vmgroup

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Group is a name under which an account keeps some of its machines together. A machine is in one group at most.
type Group struct {
	ID      uid.InstanceGroup `bun:",pk"`
	Account uid.Account       `bun:"account_id"`
	Domain  uid.Domain        `bun:"domain_id"`
	Name    string
	Created time.Time
}

// For gives an account's group of a name, which is made if it is not there; "" for no name.
func For(ctx context.Context, tx db.Tx, account uid.Account, domain uid.Domain, name string) (uid.InstanceGroup, error) {
	if name == "" {
		return "", nil
	}
	if utf8.RuneCountInString(name) > 255 {
		return "", fault.Invalidf("the group's name has more than 255 characters")
	}
	id, err := byName(ctx, tx, account, name)
	if err != nil || id != "" {
		return id, err
	}
	g := Group{ID: uid.New[uid.InstanceGroup](), Account: account, Domain: domain, Name: name, Created: tx.Now}
	return g.ID, insert(ctx, tx, g)
}
