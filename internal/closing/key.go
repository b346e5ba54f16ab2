package closing

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// dropping is the state of taking a pair of keys away. It is done when it is accepted; there is an operation because clients are
// answered with a job.
type dropping struct {
	Keys uid.KeyPair `json:"keys"`
}

// DeleteKeys takes a pair of keys that is in the reach of the caller in ctx from its user. It stops working at once.
func (s *Service) DeleteKeys(ctx context.Context, id uid.KeyPair) (op.ID, error) {
	job, _, err := s.keys.Start(ctx, op.Request{
		Thing: op.On("keys", id), Fresh: true, // nothing else is done to it
		Caller: auth.From(ctx), Command: "deleteUserKeys", SubjectKind: "ApiKeyPair", SubjectID: string(id),
	}, dropping{Keys: id})
	return job, err
}

func (s *Service) keysPlan() *op.Plan[dropping] {
	return op.New[dropping]("keys.delete").NoWayBack().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *dropping) error {
			p, err := s.Accounts.DeleteKeys(ctx, tx, j.Keys)
			if err != nil {
				return err
			}
			text := fmt.Sprintf("deleting the API keys %q of user %s", p.Name, p.Username)
			if p.Name == "" {
				text = "deleting the API keys of user " + p.Username
			}
			q.Account, q.Domain = p.Account, p.Domain
			q.Event, err = event.Write(ctx, tx, event.Event{
				Type: event.UserDeleteKey, State: event.Scheduled, Description: text,
				Account: p.Account, Domain: p.Domain, ResourceID: string(p.User),
			})
			return err
		}, nil)
}
