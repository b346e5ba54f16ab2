package cloudstack

import (
	"context"
	"slices"
	"strconv"
	"strings"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/vmgroup"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// The parts of a machine that a list can leave out, by the words of listVirtualMachines.
const (
	partNICs     = "nics"
	partOffering = "servoff"
	partTemplate = "tmpl"
	partVolume   = "volume"
	partISO      = "iso"
	partGroup    = "group"
	partSecurity = "secgrp"
	partStats    = "stats"
)

func allParts() []string {
	return []string{partNICs, partOffering, partTemplate, partVolume, partISO, partGroup, partSecurity, partStats}
}

// noParts are words for what no machine has yet: clients name them with the others.
var noParts = []string{"diskoff", "backoff", "affgrp"}

// partsOf reads the parameter details. What is left out is not looked up, either.
func partsOf(details []string) ([]string, error) {
	if len(details) == 0 {
		return allParts(), nil
	}
	var parts []string
	for _, word := range details {
		switch word = strings.ToLower(strings.TrimSpace(word)); {
		case word == "all":
			return allParts(), nil
		case word == "min", slices.Contains(noParts, word):
		case slices.Contains(allParts(), word):
			parts = append(parts, word)
		default:
			return nil, fault.Invalidf("details has no part %q; there is: all, min, %s", word, strings.Join(append(allParts(), noParts...), ", "))
		}
	}
	return parts, nil
}

// machinesOut shows machines, with one query for each kind of thing that they name, of each part of a large page.
func (f *Facade) machinesOut(ctx context.Context, vms []compute.VM, parts []string) ([]cs.VirtualMachine, error) {
	return look.InParts(vms, func(some []compute.VM) ([]cs.VirtualMachine, error) { return f.someMachinesOut(ctx, some, parts) })
}

func (f *Facade) someMachinesOut(ctx context.Context, vms []compute.VM, parts []string) ([]cs.VirtualMachine, error) {
	n, l := len(vms), look.In(f.DB.Read())
	ids := look.Distinct(n, func(i int) uid.VM { return vms[i].ID })
	out := make([]cs.VirtualMachine, n)
	for i, vm := range vms {
		out[i] = wire.Machine(vm)
	}
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return vms[i].Zone }, zone.ByID)
	hosts := look.Related(ctx, l, n, func(i int) uid.Host { return vms[i].Host }, host.Names)
	users := look.Related(ctx, l, n, func(i int) uid.User { return vms[i].User }, account.Usernames)
	systems := look.Related(ctx, l, n, func(i int) uid.OSType { return vms[i].OSType }, image.OSTypeNames)
	groups := look.Related(ctx, l, n, func(i int) uid.InstanceGroup { return vms[i].Group }, vmgroup.Names)
	tags := look.RelatedTo(ctx, l, ids, compute.TagsOf)
	templates := look.Related(ctx, l, 2*n, func(i int) uid.Template { // each machine's template, and then each one's ISO
		if i < n {
			return vms[i].Template
		}
		return vms[i-n].ISO
	}, image.ByID)
	var (
		security  map[uid.VM][]secgroup.Group
		offerings map[uid.ServiceOffering]offering.Compute
		roots     map[uid.VM]volume.Disk
		pools     map[uid.Pool]pool.Label
		cards     map[uid.VM][]network.Card
		stats     map[uid.VM]meter.Machine
	)
	if slices.Contains(parts, partSecurity) && anyGrouped(zones) {
		security = look.RelatedTo(ctx, l, ids, secgroup.Of)
	}
	if slices.Contains(parts, partOffering) {
		offerings = look.Related(ctx, l, n, func(i int) uid.ServiceOffering { return vms[i].Offering }, offering.ComputesByID)
	}
	if slices.Contains(parts, partVolume) {
		roots = look.RelatedTo(ctx, l, ids, volume.RootsOf)
		pools = look.Related(ctx, l, n, func(i int) uid.Pool { return roots[vms[i].ID].Pool }, pool.Labels)
	}
	if slices.Contains(parts, partNICs) {
		cards = look.RelatedTo(ctx, l, ids, network.CardsOf)
	}
	if slices.Contains(parts, partStats) {
		stats = look.RelatedTo(ctx, l, ids, f.Meter.OfMachines)
	}
	if l.Err != nil {
		return nil, l.Err
	}
	if err := f.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return vms[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	for i, vm := range vms {
		o := &out[i]
		o.ZoneName, o.HostName, o.Username, o.OSDisplayName = zones[vm.Zone].Name, hosts[vm.Host], users[vm.User], systems[vm.OSType]
		o.PasswordEnabled = templates[vm.Template].PasswordEnabled
		if slices.Contains(parts, partTemplate) {
			t := templates[vm.Template]
			o.TemplateName, o.TemplateDisplayText, o.TemplateFormat, o.TemplateType = t.Name, t.DisplayText, t.Format, t.Type
		}
		o.ServiceOfferingName = offerings[vm.Offering].Name
		if slices.Contains(parts, partGroup) {
			o.GroupID, o.Group = vm.Group, groups[vm.Group]
		}
		if iso, has := templates[vm.ISO]; has && slices.Contains(parts, partISO) {
			o.ISOID, o.ISOName, o.ISODisplayText = iso.ID, iso.Name, iso.DisplayText
		}
		if root, ok := roots[vm.ID]; ok {
			o.RootDeviceID, o.RootDeviceType = new(int64(root.Device)), pools[root.Pool].Type
		}
		for _, g := range security[vm.ID] { // they are its owner's
			o.SecurityGroups = append(o.SecurityGroups, cs.GroupOfMachine{ID: g.ID, Name: g.Name, Description: g.Description, Owner: o.Owner})
		}
		if used, measured := stats[vm.ID]; measured {
			o.Stats = wire.Stats(vm, used)
		}
		o.Tags = wire.Tags(tags[vm.ID], o.Owner)
		o.NICs = nicsOut(cards[vm.ID])
		for _, nic := range o.NICs {
			if nic.Default {
				o.IPAddress, o.ForVirtualNetwork = nic.IPAddress, new(nic.Type == string(offering.Isolated))
			}
		}
	}
	return out, f.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(vms[i].ID), &out[i].Pending })
}

// anyGrouped tells whether machines of some zones can be in security groups.
func anyGrouped(zones map[uid.Zone]zone.Zone) bool {
	for _, z := range zones {
		if z.SecurityGroups {
			return true
		}
	}
	return false
}

// nicsOut shows a machine's NICs.
func nicsOut(cards []network.Card) []cs.NIC {
	if len(cards) == 0 {
		return nil
	}
	out := make([]cs.NIC, len(cards))
	for i, c := range cards {
		out[i] = cs.NIC{
			ID: c.ID, NetworkID: c.Network, NetworkName: c.NetworkName, DeviceID: strconv.Itoa(c.Device), Default: c.Default,
			IPAddress: c.IP.String(), Netmask: c.Netmask, Gateway: c.Gateway, IP6Address: c.IP6, IP6CIDR: c.IP6CIDR, IP6Gateway: c.IP6Gateway,
			MACAddress: c.MAC, TrafficType: c.TrafficType, Type: string(c.GuestType),
			BroadcastURI: wire.VLANURI(c.VLAN), IsolationURI: wire.VLANURI(c.VLAN),
		}
	}
	return out
}
