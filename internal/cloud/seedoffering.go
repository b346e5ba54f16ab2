package cloud

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/vpc"
)

// seedOfferings makes the offerings, under the names that users of CloudStack's simulator look for.
func (cl *Cloud) seedOfferings(ctx context.Context) error {
	for _, seed := range []func(context.Context) error{
		cl.seedComputes, cl.seedSystemComputes, cl.seedDisks, cl.seedNetworkOfferings, cl.seedVPCOfferings,
	} {
		if err := seed(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (cl *Cloud) seedComputes(ctx context.Context) error {
	have, _, err := cl.Offerings.Computes(ctx, offering.Filter{})
	return absent(err, have, func(o offering.Compute) string { return o.Name }, []offering.Compute{
		{Name: "Small Instance", DisplayText: "Small Instance: 1 core, 512 MB", CPUNumber: 1, CPUSpeed: 500, MemoryMB: 512},
		{Name: "Medium Instance", DisplayText: "Medium Instance: 1 core, 1 GB", CPUNumber: 1, CPUSpeed: 1000, MemoryMB: 1024},
	}, func(o offering.Compute) error {
		_, err := cl.Offerings.CreateCompute(ctx, o)
		return err
	})
}

// seedSystemComputes makes what the cloud's own machines are made from.
func (cl *Cloud) seedSystemComputes(ctx context.Context) error {
	have, _, err := cl.Offerings.Computes(ctx, offering.Filter{System: new(true)})
	return absent(err, have, func(o offering.Compute) string { return o.Name }, []offering.Compute{
		{Name: "System Offering For Software Router", SystemType: offering.DomainRouter, MemoryMB: 256},
		{Name: "System Offering For Internal LB VM", SystemType: offering.InternalLoadBalancer, MemoryMB: 256},
		{Name: "System Offering For Console Proxy", SystemType: offering.ConsoleProxy, MemoryMB: 1024},
		{Name: "System Offering For Secondary Storage VM", SystemType: offering.SecondaryStorage, MemoryMB: 512},
	}, func(o offering.Compute) error {
		o.DisplayText, o.IsSystem, o.IsDefault, o.OfferHA, o.CPUNumber, o.CPUSpeed = o.Name, true, true, true, 1, 500
		_, err := cl.Offerings.CreateCompute(ctx, o)
		return err
	})
}

func (cl *Cloud) seedDisks(ctx context.Context) error {
	have, _, err := cl.Offerings.Disks(ctx, offering.Filter{})
	return absent(err, have, func(o offering.Disk) string { return o.Name }, []offering.Disk{
		{Name: "Small", DisplayText: "Small disk, 5 GB", SizeGB: 5},
		{Name: "Medium", DisplayText: "Medium disk, 20 GB", SizeGB: 20},
		{Name: "Large", DisplayText: "Large disk, 100 GB", SizeGB: 100},
		{Name: "Custom", DisplayText: "Disk of a size that the user says", Customized: true},
	}, func(o offering.Disk) error {
		_, err := cl.Offerings.CreateDisk(ctx, o)
		return err
	})
}

// by are services and who provides them.
func by(provider string, names ...string) []offering.NetworkService {
	services := make([]offering.NetworkService, len(names))
	for i, n := range names {
		services[i] = offering.NetworkService{Name: n, Provider: provider}
	}
	return services
}

func and(lists ...[]offering.NetworkService) (all []offering.NetworkService) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// The providers of the sandbox's services.
const (
	virtualRouter    = "VirtualRouter"
	vpcVirtualRouter = "VpcVirtualRouter"
	securityGroups   = "SecurityGroupProvider"
	internalLB       = "InternalLbVm"
	netscaler        = "Netscaler"
)

func (cl *Cloud) seedNetworkOfferings(ctx context.Context) error {
	addresses := []string{"Dhcp", "Dns", "UserData"}
	tier := and(by(vpcVirtualRouter, addresses...), by(vpcVirtualRouter, "SourceNat", "StaticNat", "PortForwarding", "Vpn", "NetworkACL"))
	have, _, err := cl.Offerings.Networks(ctx, offering.Filter{})
	return absent(err, have, func(o offering.Network) string { return o.Name }, []offering.Network{
		{
			Name: "DefaultIsolatedNetworkOfferingWithSourceNatService", DisplayText: "Isolated network with a router and source NAT",
			GuestType: offering.Isolated, Availability: offering.Required,
			Services: by(virtualRouter, append(addresses, "SourceNat", "StaticNat", "PortForwarding", "Lb", "Firewall", "Vpn")...),
		},
		{
			Name: "DefaultIsolatedNetworkOffering", DisplayText: "Isolated network with a router, without source NAT",
			GuestType: offering.Isolated, Services: by(virtualRouter, addresses...),
		},
		{
			Name: "DefaultSharedNetworkOffering", DisplayText: "Shared network", GuestType: offering.Shared,
			SpecifyVLAN: true, SpecifyIPRanges: true, Services: by(virtualRouter, addresses...),
		},
		{
			Name: "DefaultSharedNetworkOfferingWithSGService", DisplayText: "Shared network with security groups", GuestType: offering.Shared,
			SpecifyVLAN: true, SpecifyIPRanges: true, Services: and(by(virtualRouter, addresses...), by(securityGroups, "SecurityGroup")),
		},
		{
			Name:        "DefaultSharedNetscalerEIPandELBNetworkOffering",
			DisplayText: "Shared network with security groups, elastic addresses and load balancing",
			GuestType:   offering.Shared, SpecifyIPRanges: true,
			Services: and(by(virtualRouter, addresses...), by(securityGroups, "SecurityGroup"), by(netscaler, "StaticNat", "Lb")),
		},
		{
			Name: "DefaultIsolatedNetworkOfferingForVpcNetworks", DisplayText: "Tier of a VPC", GuestType: offering.Isolated, ForVPC: true,
			Services: and(tier, by(vpcVirtualRouter, "Lb")),
		},
		{
			Name: "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB", DisplayText: "Tier of a VPC, without load balancing",
			GuestType: offering.Isolated, ForVPC: true, Services: tier,
		},
		{
			Name: "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB", DisplayText: "Tier of a VPC, with load balancing inside it",
			GuestType: offering.Isolated, ForVPC: true, Services: and(tier, by(internalLB, "Lb")),
		},
		{Name: "DefaultL2NetworkOffering", DisplayText: "Layer 2 network without addresses", GuestType: offering.L2},
		{
			Name: "QuickCloudNoServices", DisplayText: "Shared network without services", GuestType: offering.Shared, SpecifyIPRanges: true,
		},
	}, func(o offering.Network) error {
		o.TrafficType, o.State, o.NetworkRate, o.IsDefault = "Guest", offering.Enabled, 200, true
		if o.Availability == "" {
			o.Availability = "Optional"
		}
		o.ConserveMode = o.GuestType == offering.Isolated && !o.ForVPC
		_, err := cl.Offerings.CreateNetwork(ctx, o)
		return err
	})
}

func (cl *Cloud) seedVPCOfferings(ctx context.Context) error {
	services := by(vpcVirtualRouter, "Dhcp", "Dns", "UserData", "SourceNat", "StaticNat", "PortForwarding", "Lb", "Vpn", "NetworkACL", "Gateway")
	have, _, err := cl.VPCs.Offerings(ctx, vpc.Filter{})
	return absent(err, have, func(o vpc.Offering) string { return o.Name }, []vpc.Offering{
		{Name: "Default VPC offering", DisplayText: "VPC with one router"},
		{Name: "Redundant VPC offering", DisplayText: "VPC with two routers, of which one stands by", Redundant: true},
	}, func(o vpc.Offering) error {
		o.State, o.IsDefault, o.Services = offering.Enabled, true, and(services, by(internalLB, "Lb"))
		_, err := cl.VPCs.CreateOffering(ctx, o)
		return err
	})
}

// absent makes those of some things that are not there yet, by their names. err is that of asking what is.
func absent[T any](err error, have []T, name func(T) string, want []T, create func(T) error) error {
	there := map[string]bool{}
	for _, t := range have {
		there[name(t)] = true
	}
	for _, t := range want {
		if err != nil {
			return err
		}
		if there[name(t)] {
			continue
		}
		if err = create(t); err != nil {
			err = fmt.Errorf("make %s: %w", name(t), err)
		}
	}
	return err
}
