package offering

import (
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// The deployment planners: how the host is chosen for a machine whose offering names one, in the place of the setting
// vm.allocation.algorithm.
const (
	FirstFitPlanner       = "FirstFitPlanner"       // the oldest host that has room
	UserDispersingPlanner = "UserDispersingPlanner" // the host with the fewest of the account's machines
)

// planner spells the name of a deployment planner in its own way; "" is none.
func planner(name string) (string, error) {
	known := []string{FirstFitPlanner, UserDispersingPlanner}
	for _, p := range append(known, "") {
		if strings.EqualFold(p, name) {
			return p, nil
		}
	}
	return "", fault.Invalidf("there is no deployment planner %q here: want %s, or leave it out for what the setting vm.allocation.algorithm says",
		name, strings.Join(known, " or "))
}
