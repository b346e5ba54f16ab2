package cloudtest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/cloudtest"
)

// The sandbox has what suites for CloudStack's simulator look up by name, word for word: the names are the contract.
func TestSandboxNames(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true}, func(t *testing.T, c *cloudtest.Cloud) {
		must(t, c.Seed(t.Context(), cloud.SeedIn{Hosts: 4, Pods: 2, Basic: true})) // as "virga dev --basic" does
		has := func(what string, got []string, want ...string) {
			t.Helper()
			slices.Sort(got)
			slices.Sort(want)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s:\n%s", what, d)
			}
		}
		zones := itemsOf(t, c, cs.ListZones, cs.ListZonesIn{})
		has("zones", names(zones, func(z cs.Zone) string { return z.Name + " " + z.NetworkType + " " + z.AllocationState }),
			"Sandbox-simulator Advanced Enabled", "Sandbox-simulator-basic Basic Enabled")
		has("templates", names(itemsOf(t, c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured", ZoneID: zones[0].ID}),
			func(i cs.Template) string { return i.Name + ", " + i.OSTypeName }),
			"CentOS 5.6 (64-bit) no GUI (Simulator), CentOS 5.6 (64-bit)")
		if isos := itemsOf(t, c, cs.ListIsos, cs.ListIsosIn{Filter: "featured", ZoneID: zones[0].ID}); len(isos) != 1 {
			t.Errorf("%d ISOs", len(isos))
		}
		has("service offerings", names(itemsOf(t, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{}),
			func(o cs.ServiceOffering) string { return o.Name }), "Small Instance", "Medium Instance")
		has("disk offerings", names(itemsOf(t, c, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{}),
			func(o cs.DiskOffering) string { return o.Name }), "Small", "Medium", "Large", "Custom")
		has("network offerings", names(itemsOf(t, c, cs.ListNetworkOfferings, cs.ListNetworkOfferingsIn{}),
			func(o cs.NetworkOffering) string { return o.Name + " " + o.State }),
			"DefaultIsolatedNetworkOfferingWithSourceNatService Enabled", "DefaultIsolatedNetworkOffering Enabled",
			"DefaultSharedNetworkOffering Enabled", "DefaultSharedNetworkOfferingWithSGService Enabled",
			"DefaultSharedNetscalerEIPandELBNetworkOffering Enabled", "DefaultIsolatedNetworkOfferingForVpcNetworks Enabled",
			"DefaultIsolatedNetworkOfferingForVpcNetworksNoLB Enabled", "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB Enabled",
			"DefaultL2NetworkOffering Enabled", "QuickCloudNoServices Enabled")
		has("VPC offerings", names(itemsOf(t, c, cs.ListVPCOfferings, cs.ListVPCOfferingsIn{}),
			func(o cs.VPCOffering) string { return o.Name + " " + o.State }), "Default VPC offering Enabled", "Redundant VPC offering Enabled")

		for _, z := range zones {
			size := 2
			traffic, run := []string{"Guest", "Public", "Management", "Storage"}, []string{"VirtualRouter", "VpcVirtualRouter", "InternalLbVm"}
			if z.NetworkType == "Basic" {
				size = 1
				traffic, run = []string{"Guest", "Management", "Storage"}, []string{"VirtualRouter"}
				if !z.SecurityGroups {
					t.Errorf("%s has no security groups", z.Name)
				}
			}
			pods, clusters := itemsOf(t, c, cs.ListPods, cs.ListPodsIn{ZoneID: z.ID}), itemsOf(t, c, cs.ListClusters, cs.ListClustersIn{ZoneID: z.ID})
			pools, stores := itemsOf(t, c, cs.ListStoragePools, cs.ListStoragePoolsIn{ZoneID: z.ID}), itemsOf(t, c, cs.ListImageStores, cs.ListImageStoresIn{ZoneID: z.ID})
			if len(pods) != size || len(clusters) != size || len(pools) != size || len(stores) != 1 {
				t.Errorf("%s has %d pods, %d clusters, %d pools, %d image stores", z.Name, len(pods), len(clusters), len(pools), len(stores))
			}
			for _, h := range itemsOf(t, c, cs.ListHosts, cs.ListHostsIn{ZoneID: z.ID}) {
				if h.State != "Up" {
					t.Errorf("%s is %s", h.Name, h.State)
				}
			}
			if ranges := itemsOf(t, c, cs.ListVLANIPRanges, cs.ListVLANIPRangesIn{ZoneID: z.ID}); len(ranges) != 1 {
				t.Errorf("%s has %d ranges of addresses", z.Name, len(ranges))
			}
			wires := itemsOf(t, c, cs.ListPhysicalNetworks, cs.ListPhysicalNetworksIn{ZoneID: z.ID})
			if len(wires) != 1 || wires[0].State != "Enabled" || z.NetworkType == "Advanced" && wires[0].VLAN == "" {
				t.Fatalf("%s has the physical networks %+v", z.Name, wires)
			}
			has("traffic of "+z.Name, names(itemsOf(t, c, cs.ListTrafficTypes, cs.ListTrafficTypesIn{PhysicalNetworkID: wires[0].ID}),
				func(tt cs.TrafficType) string { return tt.TrafficType }), traffic...)
			has("providers of "+z.Name, names(itemsOf(t, c, cs.ListNetworkServiceProviders, cs.ListNetworkServiceProvidersIn{
				PhysicalNetworkID: wires[0].ID, State: "Enabled",
			}), func(p cs.NetworkServiceProvider) string { return p.Name }), append(run, "SecurityGroupProvider", "ConfigDrive")...)
		}
	})
}

func names[T any](all []T, name func(T) string) (out []string) {
	for _, one := range all {
		out = append(out, name(one))
	}
	return out
}
