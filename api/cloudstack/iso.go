package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RegisterIso fetches an ISO.
var RegisterIso = api.List[RegisterIsoIn, Template]{
	Name: "registerIso", Noun: "ISO", Role: api.Everyone, Object: "iso", Event: "ISO.CREATE", Creates: true,
	Doc: "Registers an ISO, which is then fetched into an image store of each of its zones. It can be used in a zone when isready says so; status says how far it has come, or why it can't be had.",
}

// RegisterIsoIn says what ISO.
type RegisterIsoIn struct {
	api.Once
	Name            string         `api:"name,required" doc:"The name of the ISO."`
	DisplayText     string         `api:"displaytext" doc:"What the ISO is; its name unless given."`
	URL             string         `api:"url,required,max=2048" doc:"Where the image is: an http or https URL that ends with .iso, or that and .gz, .bz2, .xz or .zip."`
	ZoneID          string         `api:"zoneid,required" doc:"The ID of the zone that it is to be in, or -1 for all zones."`
	OSTypeID        uid.OSType     `api:"ostypeid" doc:"The ID of the operating system inside; Other (64-bit) unless given."`
	Bootable        *bool          `api:"bootable" doc:"Whether machines can start from it; they can unless this is false."`
	Checksum        string         `api:"checksum" doc:"The MD5 or SHA sum of the image in hex, with {MD5} or {SHA-256} before it if you like. An image with another one is refused."`
	Extractable     bool           `api:"isextractable" doc:"Whether it may be downloaded."`
	Featured        bool           `api:"isfeatured" doc:"Whether it is recommended to everybody; for root admins only."`
	Public          bool           `api:"ispublic" doc:"Whether everyone may use it."`
	PasswordEnabled bool           `api:"passwordenabled,since=4.20" doc:"Whether the guest that is installed from it takes a password from the cloud."`
	Scalable        bool           `api:"isdynamicallyscalable,since=4.20" doc:"Whether that guest's CPU and memory can grow while it runs."`
	ImageStoreID    uid.ImageStore `api:"imagestoreuuid,admin" doc:"The ID of the image store to keep it in; one of the zone's unless given."`
	Account         string         `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID        uid.Domain     `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID       uid.Project    `api:"projectid" doc:"The ID of the project that is to own it."`
}

// DeleteIso removes an ISO.
var DeleteIso = api.Job[DeleteIsoIn, api.Success]{
	Name: "deleteIso", Noun: "ISO", Role: api.Everyone, Event: "ISO.DELETE",
	Doc: "Deletes an ISO, in one zone or everywhere. One that is in the CD drive of a machine stays.",
}

// DeleteIsoIn names the ISO.
type DeleteIsoIn struct {
	ID     uid.Template `api:"id,required" doc:"The ID of the ISO."`
	ZoneID uid.Zone     `api:"zoneid" doc:"The ID of the zone in which to delete it; everywhere unless given."`
}

// AttachIso puts an ISO into a machine's CD drive.
var AttachIso = api.Job[AttachIsoIn, VirtualMachine]{
	Name: "attachIso", Noun: "ISO", Role: api.Everyone, Object: "virtualmachine", Event: "ISO.ATTACH",
	Doc: "Puts an ISO into the CD drive of a machine that is Running or Stopped, in the place of what is there.",
}

// AttachIsoIn names both.
type AttachIsoIn struct {
	ID   uid.Template `api:"id,required" doc:"The ID of the ISO."`
	VMID uid.VM       `api:"virtualmachineid,required" doc:"The ID of the machine."`
}

// DetachIso takes the ISO out of a machine's CD drive.
var DetachIso = api.Job[DetachIsoIn, VirtualMachine]{
	Name: "detachIso", Noun: "ISO", Role: api.Everyone, Object: "virtualmachine", Event: "ISO.DETACH",
	Doc: "Takes the ISO out of the CD drive of a machine that is Running or Stopped.",
}

// DetachIsoIn names the machine.
type DetachIsoIn struct {
	VMID uid.VM `api:"virtualmachineid,required" doc:"The ID of the machine."`
}

// ListIsos shows ISOs.
var ListIsos = api.List[ListIsosIn, Template]{
	Name: "listIsos", Noun: "ISO", Role: api.Everyone, Object: "iso",
	Doc: "Lists ISOs: images of CDs, which machines can be installed from. One that is in several zones is shown once for each.",
}

// ListIsosIn chooses ISOs.
type ListIsosIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	Filter       string         `api:"isofilter,one=featured|self|selfexecutable|sharedexecutable|executable|community|all" doc:"Which ISOs: featured by the admins, one's own (self), ready ones of one's own (which is what is shown unless said otherwise), shared with one, ready to be used, public but not featured, or all (admins only)."`
	ID           uid.Template   `api:"id" doc:"Shows only the ISO with this ID."`
	Name         string         `api:"name" doc:"Shows only ISOs of this name."`
	ZoneID       uid.Zone       `api:"zoneid" doc:"Shows only ISOs of this zone."`
	Hypervisor   string         `api:"hypervisor" doc:"Shows only ISOs for this hypervisor."`
	Bootable     *bool          `api:"bootable" doc:"Shows only ISOs that machines can start from (true), or only others (false)."`
	Public       *bool          `api:"ispublic" doc:"Shows only ISOs that everyone may use (true), or only others (false)."`
	Ready        *bool          `api:"isready" doc:"Shows only ISOs that are ready (true), or only others (false)."`
	ImageStoreID uid.ImageStore `api:"imagestoreid,since=4.19,admin" doc:"Shows only ISOs in this image store."`
	OSCategoryID uid.OSCategory `api:"oscategoryid,since=4.21" doc:"Shows only ISOs with an operating system of this category inside."`
	ShowRemoved  bool           `api:"showremoved" doc:"Shows deleted ISOs, too."`
}
