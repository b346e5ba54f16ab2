package cloud

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// SeedIn says what sandbox to make.
type SeedIn struct {
	Hosts int // simulated ones
	Pods  int // at least so many, each with a cluster; 0: as many as the hosts need
	// Basic adds a zone of basic networking, with security groups and two hosts of its own.
	Basic bool
	// Of each host; zero is the simulator's own.
	Capacity hypervisor.Capacity
}

// The names of the sandbox are those that users of CloudStack's simulator expect.
const (
	SandboxZone     = "Sandbox-simulator"
	BasicZone       = "Sandbox-simulator-basic"
	SandboxTemplate = "CentOS 5.6 (64-bit) no GUI (Simulator)"
	SandboxISO      = "CentOS 5.6 (64-bit) installation CD (Simulator)"
)

// perCluster is how many hosts a cluster of the sandbox has at most.
const perCluster = 1000

// Seed makes the sandbox: a zone with simulated hosts, offerings and a template, through the same services as any caller.
// What is there already is left as it is, so a seed that was broken off is completed by the next one.
func (cl *Cloud) Seed(ctx context.Context, in SeedIn) error {
	ctx = auth.With(ctx, auth.System())
	if err := cl.SeedDefaults(ctx); err != nil {
		return err
	}
	z, err := cl.seedZone(ctx)
	if err != nil {
		return err
	}
	if err := cl.seedTemplate(ctx, z.ID); err != nil {
		return err
	}
	pods := max(in.Pods, (in.Hosts+perCluster-1)/perCluster)
	for i := range pods {
		hosts := (in.Hosts + pods - 1 - i) / pods // the first ones get what can't be shared out evenly
		if err := cl.seedPod(ctx, z, i, hosts, in.Capacity); err != nil {
			return err
		}
	}
	if !in.Basic {
		return nil
	}
	return cl.seedBasic(ctx, in.Capacity)
}

// sandboxOS is what the sandbox's template holds.
const sandboxOS = "CentOS 5.6 (64-bit)"

// SeedDefaults makes what every cloud begins with: offerings, and the operating systems that templates may hold. Those that are
// there stay as they are.
func (cl *Cloud) SeedDefaults(ctx context.Context) error {
	ctx = auth.With(ctx, auth.System())
	if err := cl.seedOfferings(ctx); err != nil {
		return err
	}
	_, known, err := cl.Images.OSTypes(ctx, image.OSFilter{Description: sandboxOS})
	if err != nil || known > 0 {
		return err
	}
	_, err = cl.Images.CreateOSTypes(ctx, image.Catalogue())
	return err
}

// oneZone gives the zone of that name, made if it is not there.
func (cl *Cloud) oneZone(ctx context.Context, z zone.Zone) (zone.Zone, error) {
	have, _, err := cl.Zones.Zones(ctx, zone.Filter{Name: z.Name})
	if err != nil {
		return zone.Zone{}, err
	}
	if len(have) > 0 {
		return have[0], nil
	}
	z.Allocation, z.DNS1, z.InternalDNS1 = zone.Enabled, "10.147.28.6", "10.147.28.6"
	return cl.Zones.CreateZone(ctx, z)
}

func (cl *Cloud) seedZone(ctx context.Context) (zone.Zone, error) {
	z, err := cl.oneZone(ctx, zone.Zone{Name: SandboxZone, NetworkType: zone.Advanced, GuestCIDR: "10.1.1.0/24"})
	if err != nil {
		return zone.Zone{}, err
	}
	_, wired, err := cl.PhysNets.List(ctx, physnet.Filter{Zone: z.ID})
	if err != nil || wired > 0 {
		return z, err
	}
	_, err = cl.Networks.Wire(ctx, network.WireIn{
		WireIn: physnet.WireIn{CreateIn: physnet.CreateIn{Zone: z.ID, Name: "Sandbox-pnet", VLANs: "100-4094"}},
		Public: network.CreateRangeIn{
			VLAN: "50", Gateway: "192.168.0.1", Netmask: "255.255.240.0", StartIP: "192.168.0.2", EndIP: "192.168.15.250",
		},
	})
	return z, err
}

// basicNetwork is what CloudStack's own set-up calls a basic zone's network, and "virga apply", too.
const basicNetwork = "guestNetworkForBasicZone"

// seedBasic makes a zone in which all machines share one network and security groups keep them apart.
func (cl *Cloud) seedBasic(ctx context.Context, capacity hypervisor.Capacity) error {
	z, err := cl.oneZone(ctx, zone.Zone{Name: BasicZone, NetworkType: zone.Basic, SecurityGroups: true})
	if err != nil {
		return err
	}
	if err := cl.seedTemplate(ctx, z.ID); err != nil {
		return err
	}
	const pod = 15 // of the pods' address ranges, one that no small sandbox uses
	if err := cl.seedPod(ctx, z, pod, 2, capacity); err != nil {
		return err
	}
	_, wired, err := cl.PhysNets.List(ctx, physnet.Filter{Zone: z.ID})
	if err != nil || wired > 0 {
		return err
	}
	_, err = cl.Networks.Wire(ctx, network.WireIn{WireIn: physnet.WireIn{
		CreateIn: physnet.CreateIn{Zone: z.ID, Name: "Sandbox-pnet-basic"},
		Traffic:  []string{physnet.TrafficGuest, physnet.TrafficManagement, physnet.TrafficStorage},
	}})
	if err != nil {
		return err
	}
	offerings, _, err := cl.Offerings.Networks(ctx, offering.Filter{Name: "DefaultSharedNetworkOfferingWithSGService"})
	if err != nil {
		return err
	}
	guests, err := cl.Networks.Create(ctx, network.CreateIn{
		Name: basicNetwork, DisplayText: "All machines of the zone", Offering: offerings[0].ID, Zone: z.ID,
	})
	if err != nil {
		return err
	}
	pods, _, err := cl.Zones.Pods(ctx, zone.Filter{Zone: z.ID})
	if err != nil {
		return err
	}
	_, err = cl.Networks.CreateRange(ctx, network.CreateRangeIn{
		Zone: z.ID, Network: guests.ID, Pod: pods[0].ID, VLAN: "untagged", Public: new(false),
		Gateway: "10.20.0.1", Netmask: "255.255.252.0", StartIP: "10.20.0.10", EndIP: "10.20.3.250",
	})
	return err
}

func (cl *Cloud) seedTemplate(ctx context.Context, z uid.Zone) error {
	types, _, err := cl.Images.OSTypes(ctx, image.OSFilter{Description: sandboxOS})
	if err != nil {
		return err
	}
	id := types[0].ID
	have, _, err := cl.Images.Templates(ctx, image.Filter{Which: image.Featured, Name: SandboxTemplate, Zone: z})
	if err != nil || len(have) > 0 {
		return err
	}
	_, err = cl.Images.AddStore(ctx, image.Store{Zone: z, URL: "file:///virga/sandbox/images"})
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	system := auth.System()
	_, err = cl.Images.Create(ctx, image.Template{
		Account: system.Account, Domain: system.Domain, Zone: z, OSType: id, Name: SandboxISO, DisplayText: SandboxISO, Format: image.ISO,
		Type: image.Builtin, Size: 600 << 20, Public: true, Featured: true, Ready: true, Bootable: true,
	})
	if err != nil {
		return err
	}
	_, err = cl.Images.Create(ctx, image.Template{
		Account: system.Account, Domain: system.Domain, Zone: z, OSType: id, Name: SandboxTemplate, DisplayText: SandboxTemplate,
		Hypervisor: "Simulator", Format: "VHD", Type: image.Builtin, Size: 2 * volume.GB, Public: true, Featured: true, Ready: true,
		Bootable: true, RequiresHVM: true,
	})
	return err
}

// seedPod makes a pod with one cluster, its hosts and its primary storage.
func (cl *Cloud) seedPod(ctx context.Context, z zone.Zone, i, hosts int, capacity hypervisor.Capacity) error {
	name := fmt.Sprintf("POD%d", i)
	pods, _, err := cl.Zones.Pods(ctx, zone.Filter{Zone: z.ID, Name: name})
	if err != nil {
		return err
	}
	var p zone.Pod
	if len(pods) > 0 {
		p = pods[0]
	} else if p, err = cl.Zones.CreatePod(ctx, zone.Pod{
		Zone: z.ID, Name: name, Gateway: podNetwork(i) + ".0.1", Netmask: "255.255.0.0", StartIP: podNetwork(i) + ".0.2",
		EndIP: podNetwork(i) + ".255.200", Allocation: zone.Enabled,
	}); err != nil {
		return err
	}
	clusters, _, err := cl.Zones.Clusters(ctx, zone.Filter{Pod: p.ID})
	if err != nil {
		return err
	}
	var c zone.Cluster
	if len(clusters) > 0 {
		c = clusters[0]
	} else if c, err = cl.Zones.CreateCluster(ctx, zone.Cluster{
		Zone: z.ID, Pod: p.ID, Name: fmt.Sprintf("C%d", i), Hypervisor: "Simulator", Type: "CloudManaged", Allocation: zone.Enabled,
		Managed: "Managed", CPUOvercommit: 1, MemoryOvercommit: 1,
	}); err != nil {
		return err
	}
	if err := cl.seedPool(ctx, c); err != nil {
		return err
	}
	return cl.seedHosts(ctx, c, i, hosts, capacity)
}

// podNetwork is the first half of the addresses in the ith pod.
func podNetwork(i int) string {
	if i < 16 {
		return fmt.Sprintf("172.%d", 16+i)
	}
	return fmt.Sprintf("10.%d", 112+i)
}

func (cl *Cloud) seedPool(ctx context.Context, c zone.Cluster) error {
	have, err := pool.OfCluster(ctx, cl.DB.Read(), c.ID)
	if err != nil || len(have) > 0 {
		return err
	}
	_, err = cl.Pools.Create(ctx, pool.Pool{
		Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Name: "PS-" + c.Name, URL: "file:///virga/sandbox/" + c.Name, Type: "Filesystem",
		Scope: "CLUSTER", State: "Up", BytesPhysical: 1 << 50,
	})
	return err
}

func (cl *Cloud) seedHosts(ctx context.Context, c zone.Cluster, pod, hosts int, capacity hypervisor.Capacity) error {
	have, _, err := cl.Hosts.List(ctx, host.Filter{Cluster: c.ID})
	if err != nil || len(have) >= hosts {
		return err
	}
	in := host.AddIn{Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Hypervisor: c.Hypervisor, Capacity: capacity}
	for i := len(have); i < hosts; i++ {
		in.Names = append(in.Names, fmt.Sprintf("SimulatedAgent.%d.%d", pod, i))
		in.Addresses = append(in.Addresses, fmt.Sprintf("%s.%d.%d", podNetwork(pod), (i+2)/250, (i+2)%250+1))
	}
	_, err = cl.Hosts.Add(ctx, in)
	return err
}
