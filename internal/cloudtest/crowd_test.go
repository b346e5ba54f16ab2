package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/internal/cloudtest"
)

// A crowd is a whole cloud, as far as the database goes: else figures taken in one would be those of a cloud that can't be.
func TestCrowd(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Broken: true}, func(t *testing.T, c *cloudtest.Cloud) {
		c.Fill(t, cloudtest.Crowd{Accounts: 10, Machines: 60, Rich: 20, Poor: 3})
		for _, err := range cloudtest.Check(t.Context(), c.DB, nil) {
			t.Error(err)
		}
	})
}
