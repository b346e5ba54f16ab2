package vlan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// maxVLAN is the highest VLAN; 0 and 4095 mean something else.
const maxVLAN = 4094

// Set are VLANs, as ranges in rising order that don't touch.
type Set []Range

// Range is the VLANs from the first to the last.
type Range struct{ First, Last int }

// ParseSet reads "100-200,300". Ranges that touch are made one.
func ParseSet(text string) (Set, error) {
	var all Set
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		first, err := parseOne(from)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = parseOne(to); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, fault.Invalidf("vlan range %s ends before it begins", strings.TrimSpace(part))
		}
		all = append(all, Range{first, last})
	}
	slices.SortFunc(all, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	merged := all[:1]
	for _, r := range all[1:] {
		end := &merged[len(merged)-1]
		switch {
		case r.First <= end.Last:
			return nil, fault.Invalidf("vlan %q names VLAN %d twice", text, r.First)
		case r.First == end.Last+1:
			end.Last = r.Last
		default:
			merged = append(merged, r)
		}
	}
	return merged, nil
}

func parseOne(text string) (int, error) {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || v < 1 || v > maxVLAN {
		return 0, fault.Invalidf("vlan %q is none: want numbers from 1 to %d, as 100-200,300", strings.TrimSpace(text), maxVLAN)
	}
	return v, nil
}

// String is the form that [ParseSet] reads.
func (s Set) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = strconv.Itoa(r.First)
		if r.Last > r.First {
			parts[i] = fmt.Sprintf("%d-%d", r.First, r.Last)
		}
	}
	return strings.Join(parts, ",")
}

// Has tells whether a VLAN is one of them.
func (s Set) Has(vlan int) bool {
	return slices.ContainsFunc(s, func(r Range) bool { return r.First <= vlan && vlan <= r.Last })
}

// Untagged is the VLAN of what travels without one.
const Untagged = "untagged"

// Parse reads the one VLAN that carries something: a number, with or without "vlan://" before it, or "untagged". 0 is untagged.
func Parse(text string) (int, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	text = strings.TrimPrefix(text, "vlan://")
	if text == Untagged {
		return 0, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 || v > maxVLAN {
		return 0, fault.Invalidf("vlan %q is none: want a number from 1 to %d, or %s", text, maxVLAN, Untagged)
	}
	return v, nil
}

// Text is a VLAN as it is stored and shown; 0 is untagged.
func Text(vlan int) string {
	if vlan == 0 {
		return Untagged
	}
	return strconv.Itoa(vlan)
}
