package offering

import (
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// The details in which a deployment says what a customized offering leaves open.
const (
	detailCPUs   = "cpuNumber"
	detailSpeed  = "cpuSpeed"
	detailMemory = "memory"
)

// Size gives what a machine of an offering gets: the offering's own figures, or those that a deployment's details (cpuNumber,
// cpuSpeed, memory) choose where the offering is customized.
func Size(o Compute, details map[string]string) (cpus, mhz, memoryMB int, err error) {
	cpus, mhz, memoryMB = o.CPUNumber, o.CPUSpeed, o.MemoryMB
	for _, c := range []struct {
		detail    string
		value     *int
		low, high int
	}{
		{detailCPUs, &cpus, max(o.MinCPU, 1), least(o.MaxCPU, maxCPUs)},
		{detailSpeed, &mhz, 1, maxMHz},
		{detailMemory, &memoryMB, max(o.MinMemoryMB, minMemoryMB), least(o.MaxMemoryMB, maxMemoryMB)},
	} {
		said, given := noted(details, c.detail)
		fixed := *c.value != 0
		switch {
		case !given && fixed:
			continue
		case given && fixed:
			return 0, 0, 0, fault.Invalidf("service offering %q fixes %s to %d: leave %s out of details", o.Name, c.detail, *c.value, c.detail)
		case !given:
			return 0, 0, 0, fault.Invalidf("service offering %q leaves %s to you: give it in details, from %d to %d", o.Name, c.detail, c.low, c.high)
		}
		n, err := strconv.Atoi(said)
		if err != nil || n < c.low || n > c.high {
			return 0, 0, 0, fault.Invalidf("%s %q in details: service offering %q wants a number from %d to %d", c.detail, said, o.Name,
				c.low, c.high)
		}
		*c.value = n
	}
	return cpus, mhz, memoryMB, nil
}

// noted finds a detail; clients spell its name in upper and lower case.
func noted(details map[string]string, name string) (string, bool) {
	for k, v := range details {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// least is the smaller of a bound and an upper limit; a bound of 0 is none.
func least(bound, limit int) int {
	if bound == 0 {
		return limit
	}
	return min(bound, limit)
}

type bound struct {
	name             string
	value, low, high int
}

func between(name string, value, low, high int) error {
	if value < low || value > high {
		return fault.Invalidf("%s %d is out of bounds: want %d to %d", name, value, low, high)
	}
	return nil
}

// tags brings a list of tags into one form: sorted, each once, with commas between them.
func tags(list string) string {
	var out []string
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ",")
}
