package rule

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// everywhere is every address.
const everywhere = "0.0.0.0/0"

// parseCIDRs reads networks, each in its normal form, and puts commas between them; none are "".
func parseCIDRs(name string, list []string) (string, error) {
	var out []string
	for _, text := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil || !p.Addr().Is4() {
			return "", fault.Invalidf("%s holds %q, which is no network like 192.0.2.0/24", name, text)
		}
		if one := p.Masked().String(); !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	if len(out) > 100 {
		return "", fault.Invalidf("%s holds %d networks: want 100 at most", name, len(out))
	}
	return strings.Join(out, ","), nil
}

// list is what parseCIDRs has joined.
func list(cidrs string) []string {
	if cidrs == "" {
		return nil
	}
	return strings.Split(cidrs, ",")
}

// inside refuses networks that are not part of another one.
func inside(name, cidrs, of string) error {
	whole, err := netip.ParsePrefix(of)
	if err != nil {
		return err
	}
	for _, one := range list(cidrs) {
		p, err := netip.ParsePrefix(one)
		if err != nil {
			return err
		}
		if p.Bits() < whole.Bits() || !whole.Contains(p.Addr()) {
			return fault.Invalidf("%s holds %s, which is not in the network's %s", name, one, of)
		}
	}
	return nil
}

// shared gives a network that two lists have in common, "" for none. An empty list is everywhere.
func shared(a, b string) string {
	for _, one := range orEverywhere(a) {
		if slices.Contains(orEverywhere(b), one) {
			return one
		}
	}
	return ""
}

func orEverywhere(cidrs string) []string {
	if cidrs == "" {
		return []string{everywhere}
	}
	return list(cidrs)
}

// ports checks a range of ports; last 0 is first.
func ports(nameFirst string, first int, nameLast string, last int) (int, int, error) {
	if last == 0 {
		last = first
	}
	switch {
	case first < 1 || first > 65535:
		return 0, 0, fault.Invalidf("%s %d is no port: want 1 to 65535", nameFirst, first)
	case last < 1 || last > 65535:
		return 0, 0, fault.Invalidf("%s %d is no port: want 1 to 65535", nameLast, last)
	case last < first:
		return 0, 0, fault.Invalidf("%s %d is below %s %d", nameLast, last, nameFirst, first)
	}
	return first, last, nil
}
