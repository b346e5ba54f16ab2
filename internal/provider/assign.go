package provider

import (
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
)

// Assigned is a service and who is to provide it.
type Assigned struct{ Service, Provider string }

// Assign makes the services of a network offering out of those that are wanted, who is to provide them, and what they are told to do.
// Every service is one that there is, with a provider that has it, and can be told that.
func Assign(services []string, providers []Assigned, told []offering.NetworkCapability, vpc bool) (
	[]offering.NetworkService, []offering.NetworkCapability, error,
) {
	var wanted []string
	for _, name := range services {
		service, err := ServiceNamed(strings.TrimSpace(name))
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(wanted, service) {
			wanted = append(wanted, service)
		}
	}
	var out []offering.NetworkService
	for _, a := range providers {
		one, err := a.check(wanted, len(services) > 0, vpc)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	for _, service := range wanted {
		if !slices.ContainsFunc(out, func(s offering.NetworkService) bool { return s.Name == service }) {
			return nil, nil, fault.Invalidf("service %s has no provider: name one in serviceproviderlist", service)
		}
	}
	capabilities, err := tell(out, told)
	return out, capabilities, err
}

func (a Assigned) check(wanted []string, choosy, vpc bool) (offering.NetworkService, error) {
	service, err := ServiceNamed(a.Service)
	if err != nil {
		return offering.NetworkService{}, err
	}
	provider, err := Named(a.Provider)
	if err != nil {
		return offering.NetworkService{}, err
	}
	_, has := provider.Serves(service)
	switch {
	case !has:
		err = fault.Invalidf("provider %s has no service %s; it has: %s", provider.Name, service, strings.Join(provider.Names(), ", "))
	case choosy && !slices.Contains(wanted, service):
		err = fault.Invalidf("serviceproviderlist gives service %s a provider, but it is not one of supportedservices", service)
	case vpc && provider.Name == VirtualRouter:
		err = fault.Invalidf("provider %s is not for networks of a VPC: want %s", provider.Name, VPCVirtualRouter)
	case !vpc && provider.Name == VPCVirtualRouter:
		err = fault.Invalidf("provider %s is for networks of a VPC only: want %s, or forvpc=true", provider.Name, VirtualRouter)
	}
	return offering.NetworkService{Name: service, Provider: provider.Name}, err
}

// tell checks what services are told to do.
func tell(services []offering.NetworkService, told []offering.NetworkCapability) ([]offering.NetworkCapability, error) {
	var out []offering.NetworkCapability
	for _, c := range told {
		service, err := ServiceNamed(c.Service)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(services, func(s offering.NetworkService) bool { return s.Name == service })
		if i < 0 {
			return nil, fault.Invalidf("servicecapabilitylist tells service %s to do something, but the offering doesn't have it", service)
		}
		one, err := choice(services[i], c.Name, c.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// choice checks one capability of a service against what its provider lets an offering choose.
func choice(s offering.NetworkService, name, value string) (offering.NetworkCapability, error) {
	provider, err := Named(s.Provider)
	if err != nil {
		return offering.NetworkCapability{}, err
	}
	serving, _ := provider.Serves(s.Name)
	var can []string
	for _, c := range serving.Capabilities {
		if !c.Choose {
			continue
		}
		can = append(can, c.Name)
		if !strings.EqualFold(c.Name, name) {
			continue
		}
		for v := range strings.SplitSeq(c.Values, ",") {
			if strings.EqualFold(v, value) {
				return offering.NetworkCapability{Service: s.Name, Name: c.Name, Value: v}, nil
			}
		}
		return offering.NetworkCapability{}, fault.Invalidf("capability %s of service %s can't be %q with provider %s: want one of %s",
			c.Name, s.Name, value, provider.Name, c.Values)
	}
	return offering.NetworkCapability{}, fault.Invalidf("service %s with provider %s has no capability %q to choose; it has: %s",
		s.Name, provider.Name, name, strings.Join(can, ", "))
}

// Some are those of the provider's services that are named; none named: all.
func (p Kind) Some(named []string) ([]string, error) {
	var out []string
	for _, name := range named {
		service, err := ServiceNamed(name)
		if err != nil {
			return nil, err
		}
		if _, has := p.Serves(service); !has {
			return nil, fault.Invalidf("provider %s has no service %s; it has: %s", p.Name, service, strings.Join(p.Names(), ", "))
		}
		if !slices.Contains(out, service) {
			out = append(out, service)
		}
	}
	if len(out) == 0 {
		return p.Names(), nil
	}
	if !p.Single && len(out) < len(p.Services) {
		return nil, fault.Invalidf("provider %s has its services together or not at all: name all of %s", p.Name, strings.Join(p.Names(), ", "))
	}
	return out, nil
}

// Routes tells whether virtual routers provide a service of an offering; "" is any.
func Routes(o offering.Network, service string) bool {
	return slices.ContainsFunc(o.Services, func(s offering.NetworkService) bool {
		p, err := Named(s.Provider)
		return err == nil && p.Router && (service == "" || s.Name == service)
	})
}
