package wire

import (
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/zone"
)

// Zone shows a zone; domain is the name of the one that has it for itself.
func Zone(z zone.Zone, domain string) cs.Zone {
	return cs.Zone{
		ID: z.ID, Name: z.Name, DNS1: z.DNS1, DNS2: z.DNS2, InternalDNS1: z.InternalDNS1, InternalDNS2: z.InternalDNS2, IP6DNS1: z.IP6DNS1,
		IP6DNS2: z.IP6DNS2, GuestCIDR: z.GuestCIDR, NetworkDomain: z.NetworkDomain, NetworkType: string(z.NetworkType),
		SecurityGroups: z.SecurityGroups, AllocationState: string(z.Allocation), LocalStorage: z.LocalStorage, DHCPProvider: z.DHCPProvider,
		DomainID: z.Domain, DomainName: domain, Token: z.Token, SortKey: z.SortKey, Details: z.Details,
	}
}
