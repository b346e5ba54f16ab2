package vrouter

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// A switch is off however "false" is written: the API takes it in any case.
func TestSwitches(t *testing.T) {
	t.Parallel()
	for value, on := range map[string]bool{"true": true, "TRUE": true, "": true, "false": false, "False": false} {
		text, _, err := stickiness(hypervisor.Balancer{ID: uid.New[uid.Rule](), Sticky: hypervisor.Stickiness{
			Method: "LbCookie", Params: map[string]string{"nocache": value},
		}})
		if err != nil || strings.Contains(text, "nocache") != on {
			t.Errorf("nocache=%s makes %q, %v", value, text, err)
		}
	}
}
