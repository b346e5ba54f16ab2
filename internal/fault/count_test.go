package fault_test

import (
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1 network":                      fault.Count(1, "network"),
		"0 networks":                     fault.Count(0, "network"),
		"3 addresses":                    fault.Count(int64(3), "address"),
		"2 ranges of addresses":          fault.Count(2, "range of addresses"),
		"1 range of addresses":           fault.Count(1, "range of addresses"),
		"2 networks with acltype=Domain": fault.Count(2, "network with acltype=Domain"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
