package wire

import (
	"slices"
	"strings"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/uid"
)

// Routers is what the routers of an offering's networks are made from: what it says itself, or what all others are; "" where its
// networks have none.
func Routers(o offering.Network, others uid.ServiceOffering) uid.ServiceOffering {
	routed := slices.ContainsFunc(o.Services, func(s offering.NetworkService) bool {
		p, err := provider.Named(s.Provider)
		return err == nil && p.Router
	})
	if o.RouterOffering != "" || !routed {
		return o.RouterOffering
	}
	return others
}

// Services shows each of an offering's services once, with all who provide it and what it can do.
func Services(o offering.Network) []cs.NetworkService {
	var out []cs.NetworkService
	at := map[string]int{}
	for _, s := range o.Services {
		i, known := at[s.Name]
		if !known {
			i = len(out)
			at[s.Name] = i
			out = append(out, cs.NetworkService{Name: s.Name})
		}
		out[i].Providers = append(out[i].Providers, cs.ServiceProvider{Name: s.Provider})
		if p, err := provider.Named(s.Provider); err == nil && !known {
			serving, _ := p.Serves(s.Name)
			out[i].Capabilities = told(o, serving)
		}
	}
	return out
}

// told shows what a service can do, and of what an offering may choose, what this one has chosen.
func told(o offering.Network, s provider.Serving) []cs.ServiceCapability {
	out := Capabilities(s.Capabilities, true)
	for i := range out {
		j := slices.IndexFunc(o.Capabilities, func(c offering.NetworkCapability) bool { return c.Service == s.Service && c.Name == out[i].Name })
		switch {
		case j >= 0:
			out[i].Value = o.Capabilities[j].Value
		case out[i].Choose && strings.Contains(out[i].Value, "true,false"):
			out[i].Value = "false"
		}
	}
	return out
}

// Capabilities shows capabilities; their values are a provider's, so they are shown where it is known whose.
func Capabilities(all []provider.Capability, values bool) []cs.ServiceCapability {
	var out []cs.ServiceCapability
	for _, c := range all {
		one := cs.ServiceCapability{Name: c.Name, Choose: c.Choose}
		if values {
			one.Value = c.Values
		}
		out = append(out, one)
	}
	return out
}
