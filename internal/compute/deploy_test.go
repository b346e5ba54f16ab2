package compute

import (
	"math"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
)

// A size is refused by its name and with the bound, before it is multiplied into bytes and overflows.
func TestDiskSizes(t *testing.T) {
	t.Parallel()
	for _, gb := range []int64{0, 1, 65_536} {
		if err := (&DeployIn{RootGB: gb, DiskGB: gb, DiskOffering: "any"}).check(nil); err != nil {
			t.Errorf("%d: %v", gb, err)
		}
	}
	for _, c := range []struct {
		in   DeployIn
		want string
	}{
		{DeployIn{RootGB: -1}, "rootdisksize -1 is no size of a disk: want 1 to 65536 GB"},
		{DeployIn{RootGB: 65_537}, "rootdisksize 65537 is no size of a disk: want 1 to 65536 GB"},
		{DeployIn{RootGB: 1 << 34}, "rootdisksize 17179869184 is no size of a disk: want 1 to 65536 GB"},
		{DeployIn{DiskGB: -1, DiskOffering: "any"}, "size -1 is no size of a disk: want 1 to 65536 GB"},
		{DeployIn{DiskGB: math.MaxInt64, DiskOffering: "any"}, "size 9223372036854775807 is no size of a disk: want 1 to 65536 GB"},
		{DeployIn{DiskGB: 1}, "size 1 was given without a diskofferingid"},
	} {
		if err := c.in.check(nil); !fault.Is(err, fault.Invalid) || err.Error() != c.want {
			t.Errorf("root %d, data %d: %v, want %s", c.in.RootGB, c.in.DiskGB, err, c.want)
		}
	}
}
