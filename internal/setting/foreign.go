package setting

import (
	_ "embed"
	"slices"
	"strings"
)

// foreign.txt has the names of CloudStack's settings that have no effect here, a line each, in order.
//
//go:embed foreign.txt
var foreignText string

var foreign = strings.Fields(foreignText)

// Foreign gives the names of CloudStack's settings that have no effect here: there is nothing that they could steer, or it steers
// itself. They can't be set, so that nobody believes to have changed something.
func Foreign() []string { return slices.Clone(foreign) }

func isForeign(name string) bool {
	_, found := slices.BinarySearch(foreign, name)
	return found
}
