package setting

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// identity is the row of the table that is no setting: what tells this cloud from others.
const identity = "cloud.identifier"

// Identity is what tells this cloud from all others. It is chosen when it is first asked for, by whichever server, and never
// changes.
func (s *Settings) Identity(ctx context.Context) (id string, err error) {
	if id, err = readIdentity(ctx, s.db.Read()); err == nil && id == "" {
		err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := putOnce(ctx, tx, identity, string(uid.New[uid.Server]())); err != nil {
				return err
			}
			id, err = readIdentity(ctx, tx)
			return err
		})
	}
	if err != nil {
		return "", fmt.Errorf("find the cloud's identity: %w", err)
	}
	return id, nil
}
