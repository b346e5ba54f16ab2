package provider

import (
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// The providers that Virga is one of itself.
const (
	VirtualRouter         = "VirtualRouter"
	VPCVirtualRouter      = "VpcVirtualRouter"
	InternalLB            = "InternalLbVm"
	ConfigDrive           = "ConfigDrive"
	SecurityGroupProvider = "SecurityGroupProvider"
)

// Capability is something that a service can do, or be told to do.
type Capability struct {
	Name   string
	Values string // those there are, joined with commas
	Choose bool   // whether a network offering may choose one of them
}

// Serving is a service as a provider has it.
type Serving struct {
	Service      string
	Capabilities []Capability
}

// Kind is a kind of provider of network services.
type Kind struct {
	Name     string
	Services []Serving
	// Single says that each service can be switched by itself.
	Single bool
	// Device says what it is made of where that is outside the cloud; "": of what Virga has.
	Device string
	// Router says that it is made of virtual routers, so that it has an element that must be enabled first.
	Router bool
}

// Catalogue is every provider that there is a word for, with what each can do, as CloudStack knows them.
func Catalogue() []Kind { return catalogue }

var (
	yes   = func(name string) Capability { return Capability{Name: name, Values: "true"} }
	value = func(name, values string) Capability { return Capability{Name: name, Values: values} }
	pick  = func(name, values string) Capability { return Capability{Name: name, Values: values, Choose: true} }
)

var (
	dhcp     = Serving{"Dhcp", []Capability{yes("DhcpAccrossMultipleSubnets")}}
	dns      = Serving{"Dns", []Capability{yes("AllowDnsSuffixModification")}}
	userData = Serving{"UserData", nil}
	gateway  = Serving{"Gateway", nil}
	firewall = Serving{"Firewall", []Capability{
		value("SupportedProtocols", "tcp,udp,icmp"), value("SupportedEgressProtocols", "tcp,udp,icmp,all"), yes("MultipleIps"),
		value("TrafficStatistics", "per public ip"), value("SupportedTrafficDirection", "ingress,egress"),
	}}
	sourceNAT = Serving{"SourceNat", []Capability{pick("SupportedSourceNatTypes", "peraccount"), pick("RedundantRouter", "true,false")}}
	staticNAT = Serving{"StaticNat", nil}
	forward   = Serving{"PortForwarding", nil}
	vpn       = Serving{"Vpn", []Capability{value("SupportedVpnTypes", "removeaccess"), value("VpnTypes", "removeaccess")}}
	balance   = Serving{"Lb", []Capability{
		value("SupportedLbAlgorithms", "roundrobin,leastconn,source"), pick("SupportedLbIsolation", "dedicated"),
		value("SupportedProtocols", "tcp,udp,tcp-proxy"), value("SupportedStickinessMethods", "LbCookie,AppCookie,SourceBased"),
		pick("LbSchemes", "Public"), value("TrafficStatistics", "per public ip"),
	}}
	balanceInside = Serving{"Lb", []Capability{
		value("SupportedLbAlgorithms", "roundrobin,leastconn,source"), pick("SupportedLbIsolation", "dedicated"),
		value("SupportedProtocols", "tcp,udp"), value("SupportedStickinessMethods", "LbCookie,AppCookie,SourceBased"), pick("LbSchemes", "Internal"),
	}}
	acl      = Serving{"NetworkACL", []Capability{value("SupportedProtocols", "tcp,udp,icmp,all")}}
	groups   = Serving{"SecurityGroup", nil}
	connects = Serving{"Connectivity", nil}
	deviceLB = Serving{"Lb", []Capability{
		value("SupportedLbAlgorithms", "roundrobin,leastconn"), pick("SupportedLbIsolation", "dedicated,shared"),
		value("SupportedProtocols", "tcp,udp"), pick("InlineMode", "true,false"),
	}}
	elasticLB  = Serving{"Lb", append(slices.Clone(deviceLB.Capabilities), pick("ElasticLb", "true,false"))}
	elasticNAT = Serving{"StaticNat", []Capability{pick("ElasticIp", "true,false"), pick("AssociatePublicIP", "true,false")}}
	zoneNAT    = Serving{"SourceNat", []Capability{pick("SupportedSourceNatTypes", "peraccount,perzone")}}
)

var catalogue = []Kind{
	{Name: VirtualRouter, Single: true, Router: true, Services: []Serving{
		dhcp, dns, userData, gateway, firewall, sourceNAT, staticNAT, forward, balance, vpn,
	}},
	{Name: VPCVirtualRouter, Single: true, Router: true, Services: []Serving{
		dhcp, dns, userData, gateway, acl, sourceNAT, staticNAT, forward, balance, vpn,
	}},
	{Name: InternalLB, Services: []Serving{balanceInside}},
	{Name: ConfigDrive, Services: []Serving{dhcp, dns, userData}},
	{Name: SecurityGroupProvider, Services: []Serving{groups}},
	{Name: "Netscaler", Single: true, Device: "NetScaler load balancers", Services: []Serving{elasticLB, elasticNAT}},
	{Name: "F5BigIp", Device: "F5 BIG-IP load balancers", Services: []Serving{deviceLB}},
	{Name: "JuniperSRX", Single: true, Device: "Juniper SRX firewalls", Services: []Serving{gateway, firewall, zoneNAT, staticNAT, forward, vpn}},
	{Name: "PaloAlto", Single: true, Device: "Palo Alto firewalls", Services: []Serving{gateway, firewall, zoneNAT, staticNAT, forward}},
	{Name: "CiscoVnmc", Device: "Cisco ASA 1000v firewalls", Services: []Serving{gateway, firewall, zoneNAT, staticNAT, forward}},
	{Name: "NiciraNvp", Single: true, Device: "a Nicira NVP controller", Services: []Serving{connects, sourceNAT, staticNAT, forward}},
	{Name: "BigSwitchVns", Device: "a Big Switch VNS controller", Services: []Serving{connects}},
	{Name: "MidoNet", Device: "a MidoNet controller", Services: []Serving{connects, dhcp, sourceNAT, staticNAT, forward, firewall}},
	{Name: "Ovs", Single: true, Device: "an OVS controller", Services: []Serving{connects, sourceNAT, staticNAT, forward, balance}},
	{Name: "BaremetalDhcpProvider", Device: "a DHCP server for bare metal", Services: []Serving{dhcp}},
	{Name: "BaremetalPxeProvider", Device: "a PXE server for bare metal", Services: nil},
	{Name: "BaremetalUserdataProvider", Device: "a PXE server for bare metal", Services: []Serving{userData}},
}

// serviceNames are all services, in the order in which they are listed.
var serviceNames = strings.Fields(
	"Vpn Dhcp Dns Gateway Firewall Lb UserData SourceNat StaticNat PortForwarding SecurityGroup NetworkACL Connectivity")

// Named gives the provider of that name, in any case.
func Named(name string) (Kind, error) {
	var names []string
	for _, p := range catalogue {
		if strings.EqualFold(p.Name, name) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Kind{}, fault.Invalidf("there is no network service provider %q; there is: %s", name, strings.Join(names, ", "))
}

// ServiceNamed gives a service's name as it is spelled, from one in any case.
func ServiceNamed(name string) (string, error) {
	for _, known := range serviceNames {
		if strings.EqualFold(known, name) {
			return known, nil
		}
	}
	return "", fault.Invalidf("there is no network service %q; there is: %s", name, strings.Join(serviceNames, ", "))
}

// Serves gives a service as the provider has it.
func (p Kind) Serves(service string) (Serving, bool) {
	i := slices.IndexFunc(p.Services, func(s Serving) bool { return s.Service == service })
	if i < 0 {
		return Serving{}, false
	}
	return p.Services[i], true
}

// Names are the services that the provider has.
func (p Kind) Names() []string {
	out := make([]string, len(p.Services))
	for i, s := range p.Services {
		out[i] = s.Service
	}
	return out
}

// Service is a network service and who provides it.
type Service struct {
	Name         string
	Providers    []Kind
	Capabilities []Capability // of the first of them
}

// Supported gives the services that there are, of one name and of one provider where those are said.
func Supported(service, provider string) ([]Service, error) {
	of := catalogue
	if provider != "" {
		p, err := Named(provider)
		if err != nil {
			return nil, err
		}
		of = []Kind{p}
	}
	if service != "" {
		known, err := ServiceNamed(service)
		if err != nil {
			return nil, err
		}
		service = known
	}
	var out []Service
	for _, name := range serviceNames {
		if service != "" && service != name {
			continue
		}
		one := Service{Name: name}
		for _, p := range of {
			if s, ok := p.Serves(name); ok {
				if len(one.Providers) == 0 {
					one.Capabilities = s.Capabilities
				}
				one.Providers = append(one.Providers, p)
			}
		}
		if len(one.Providers) > 0 {
			out = append(out, one)
		}
	}
	return out, nil
}
