package cloudtest

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/uid"
)

// Sandbox are the ids of the seed's things that tests work with.
type Sandbox struct {
	Zone            uid.Zone
	Template        uid.Template
	Small, Medium   uid.ServiceOffering
	NetworkOffering map[string]uid.NetworkOffering // by name
	DiskOffering    map[string]uid.DiskOffering    // by name
}

// Sandbox looks the sandbox up through the API.
func (c *Cloud) Sandbox(t testing.TB) Sandbox {
	t.Helper()
	return c.sandbox(t, cloud.SandboxZone)
}

// Basic is Sandbox with the zone of basic networking.
func (c *Cloud) Basic(t testing.TB) Sandbox {
	t.Helper()
	return c.sandbox(t, cloud.BasicZone)
}

func (c *Cloud) sandbox(t testing.TB, zone string) Sandbox {
	t.Helper()
	s := Sandbox{NetworkOffering: map[string]uid.NetworkOffering{}, DiskOffering: map[string]uid.DiskOffering{}}
	for z, err := range api.All(t.Context(), c.Client, cs.ListZones, cs.ListZonesIn{}) {
		must(t, err)
		if z.Name == zone {
			s.Zone = z.ID
		}
	}
	for tpl, err := range api.All(t.Context(), c.Client, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured", ZoneID: s.Zone}) {
		must(t, err)
		if tpl.Name == cloud.SandboxTemplate {
			s.Template = tpl.ID
		}
	}
	for o, err := range api.All(t.Context(), c.Client, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{}) {
		must(t, err)
		switch o.Name {
		case "Small Instance":
			s.Small = o.ID
		case "Medium Instance":
			s.Medium = o.ID
		}
	}
	for o, err := range api.All(t.Context(), c.Client, cs.ListNetworkOfferings, cs.ListNetworkOfferingsIn{}) {
		must(t, err)
		s.NetworkOffering[o.Name] = o.ID
	}
	for o, err := range api.All(t.Context(), c.Client, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{}) {
		must(t, err)
		s.DiskOffering[o.Name] = o.ID
	}
	return s
}

// Deploy asks for the smallest machine of the sandbox.
func (s Sandbox) Deploy() cs.DeployVirtualMachineIn {
	return cs.DeployVirtualMachineIn{ZoneID: s.Zone, TemplateID: s.Template, ServiceOfferingID: s.Small}
}
