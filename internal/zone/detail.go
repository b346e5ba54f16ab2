package zone

import "maps"

// Details are what operators note of a place, by name.
type Details map[string]string

// DNSSearch is the detail of the domains that guests of a zone look names up in.
const DNSSearch = "dnssearchorder"

// with gives the details with others in addition; neither is changed. A detail of "" is left out.
func (d Details) with(more Details) Details {
	out := Details{}
	maps.Copy(out, d)
	maps.Copy(out, more)
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}
