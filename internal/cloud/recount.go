package cloud

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/internal/setting"
)

// ifAny is how often something is done that can be switched off.
func (cl *Cloud) ifAny(period setting.Key[time.Duration]) func() time.Duration {
	return func() time.Duration {
		if every := period.Of(cl.Settings); every > 0 {
			return every
		}
		return glance // to see whether it is switched on
	}
}

// checkDirectories looks whether directories still have their users, where operators want that.
func (cl *Cloud) checkDirectories(ctx context.Context) error {
	if setting.LDAPCheckInterval.Of(cl.Settings) == 0 {
		return nil
	}
	return cl.LDAP.CheckUsers(ctx)
}

// recount counts anew what all accounts have, where operators want that. Counts are exact without it: it mends what somebody has done
// to the database by hand.
func (cl *Cloud) recount(ctx context.Context) error {
	if setting.RecountInterval.Of(cl.Settings) == 0 {
		return nil
	}
	_, err := quota.Recount(ctx, cl.DB, quota.Holder{Domain: auth.System().Domain})
	return err
}
