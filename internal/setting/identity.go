package setting

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// identity is the row of the table that is no setting: what tells this cloud from others.
const identity = "cloud.identifier"

// Found gives the cloud what tells it from all others, unless it has it: it never changes.
func Found(ctx context.Context, tx db.Tx) error {
	return putOnce(ctx, tx, identity, string(uid.New[uid.Server]()))
}

// Identity is what tells this cloud from all others: see [Found].
func (s *Settings) Identity(ctx context.Context) (string, error) {
	id, err := readIdentity(ctx, s.db.Read())
	if err != nil {
		return "", fmt.Errorf("find the cloud's identity: %w", err)
	}
	return id, nil
}
