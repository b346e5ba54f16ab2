package op

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
)

// Servers is how many servers are at work on the database. One that died counts until another has noticed.
func Servers(ctx context.Context, q db.Tx) (n int, err error) {
	err = q.NewRaw("select count(*) from servers").Scan(ctx, &n)
	return n, err
}
