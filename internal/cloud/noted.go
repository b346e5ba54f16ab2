package cloud

import (
	"net/netip"
	"strconv"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/certificate"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
)

// note makes the services for what is noted of things, and for certificates.
func (cl *Cloud) note(c Config, box *secret.Box) {
	cl.Details = detail.New(cl.DB, cl.Engine, compute.Detailed, compute.DetailedNIC, volume.Detailed, image.Detailed, network.Detailed,
		network.DetailedAddress, account.DetailedUser, zone.Detailed, pool.Detailed, offering.DetailedCompute, offering.DetailedDisk,
		offering.DetailedNetwork, image.DetailedOS)
	cl.Annotations = annotation.New(cl.DB, account.Usernames, annotated...)
	cl.Certificates = certificate.New(cl.DB, cl.Engine, box, c.Log)
}

// annotated is what can have annotations.
var annotated = []annotation.Kind{
	{Type: "VM", Table: "vms", Name: "name", Live: "removed is null"},
	{Type: "VOLUME", Table: "volumes", Name: "name", Live: "removed is null"},
	{Type: "INSTANCE_GROUP", Table: "vm_groups", Name: "name"},
	{Type: "SSH_KEYPAIR", Table: "ssh_keypairs", Name: "name"},
	{Type: "NETWORK", Table: "networks", Name: "name", Live: "removed is null"},
	{Type: annotation.PublicIP, Table: "public_ips", Name: "ip", Show: dotted, Live: "state <> 'Free' and vm_id is null"},
	{Type: "TEMPLATE", Table: "templates", Name: "name", Live: "removed is null and format <> '" + image.ISO + "'"},
	{Type: "ISO", Table: "templates", Name: "name", Live: "removed is null and format = '" + image.ISO + "'"},
	// A domain is its own: its admins write on it.
	{Type: "DOMAIN", Table: "(select id, name, id as domain_id, null as account_id from domains where removed is null)", Name: "name"},
	{Type: "ZONE", Table: "zones", Name: "name", Live: "removed is null", Common: true},
	{Type: "POD", Table: "pods", Name: "name", Live: "removed is null", Common: true},
	{Type: "CLUSTER", Table: "clusters", Name: "name", Live: "removed is null", Common: true},
	{Type: "HOST", Table: "hosts", Name: "name", Live: "removed is null", Common: true},
	{Type: "PRIMARY_STORAGE", Table: "storage_pools", Name: "name", Live: "removed is null", Common: true},
	{Type: annotation.ImageStore, Table: "image_stores", Name: "name", Live: "removed is null", Common: true},
	{Type: "SERVICE_OFFERING", Table: "service_offerings", Name: "name", Live: "removed is null", Common: true},
	{Type: "DISK_OFFERING", Table: "disk_offerings", Name: "name", Live: "removed is null", Common: true},
	{Type: "NETWORK_OFFERING", Table: "network_offerings", Name: "name", Live: "removed is null", Common: true},
}

// dotted is an IPv4 address that is kept as a number.
func dotted(number string) string {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return number
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}
