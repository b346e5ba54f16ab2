package cloud

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/internal/setting"
)

// recountEvery is how often all accounts' resources are counted anew.
func (cl *Cloud) recountEvery() time.Duration {
	if every := setting.RecountInterval.Of(cl.Settings); every > 0 {
		return every
	}
	return glance // to see whether it is switched on
}

// recount counts anew what all accounts have, where operators want that. Counts are exact without it: it mends what somebody has done
// to the database by hand.
func (cl *Cloud) recount(ctx context.Context) error {
	if setting.RecountInterval.Of(cl.Settings) == 0 {
		return nil
	}
	_, err := quota.Recount(ctx, cl.DB, account.Holder{Domain: auth.System().Domain})
	return err
}
