package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RegisterTemplate fetches a template.
var RegisterTemplate = api.List[RegisterTemplateIn, Template]{
	Name: "registerTemplate", Noun: "Template", Role: api.Everyone, Object: "template", Event: "TEMPLATE.CREATE", Creates: true,
	Doc: "Registers a template, which is then fetched into an image store of each of its zones. It can be used in a zone when isready says so; status says how far it has come, or why it can't be had.",
}

// RegisterTemplateIn says what template.
type RegisterTemplateIn struct {
	api.Once
	Name            string            `api:"name,required" doc:"The name of the template."`
	DisplayText     string            `api:"displaytext" doc:"What the template is; its name unless given."`
	URL             string            `api:"url,required,max=2048" doc:"Where the image is: an http or https URL that ends as images of its format do."`
	Format          string            `api:"format,required" doc:"The format of the image: QCOW2, RAW, VHD, OVA or VMDK, as far as the hypervisor knows it."`
	Hypervisor      string            `api:"hypervisor,required" doc:"The hypervisor the template is for."`
	OSTypeID        uid.OSType        `api:"ostypeid" doc:"The ID of the operating system inside; Other (64-bit) unless given."`
	ZoneID          string            `api:"zoneid" doc:"The ID of the zone that it is to be in, or -1 for all zones."`
	ZoneIDs         []string          `api:"zoneids,since=4.10,max=4096" doc:"The IDs of the zones that it is to be in, or -1 for all zones. Instead of zoneid."`
	ImageStoreID    uid.ImageStore    `api:"imagestoreuuid,admin" doc:"The ID of the image store to keep it in; one of the zone's unless given."`
	Checksum        string            `api:"checksum" doc:"The MD5 or SHA sum of the image in hex, with {MD5} or {SHA-256} before it if you like. An image with another one is refused."`
	Bits            int               `api:"bits" doc:"32 or 64, which it is unless given."`
	RequiresHVM     *bool             `api:"requireshvm" doc:"Whether the guest needs full virtualisation; it does unless this is false."`
	PasswordEnabled bool              `api:"passwordenabled" doc:"Whether the guest takes a password from the cloud."`
	SSHKeyEnabled   bool              `api:"sshkeyenabled" doc:"Whether the guest takes SSH keys from the cloud."`
	Scalable        bool              `api:"isdynamicallyscalable" doc:"Whether the guest's CPU and memory can grow while it runs."`
	Extractable     bool              `api:"isextractable" doc:"Whether it may be downloaded."`
	Featured        bool              `api:"isfeatured" doc:"Whether it is recommended to everybody; for root admins only."`
	Public          bool              `api:"ispublic" doc:"Whether everyone may use it."`
	Tag             string            `api:"templatetag,admin" doc:"The tag that hosts must have to run its machines."`
	Details         map[string]string `api:"details,map" doc:"What else is to be noted of the template, by name."`
	Account         string            `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID        uid.Domain        `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID       uid.Project       `api:"projectid" doc:"The ID of the project that is to own it."`
}

// CreateTemplate makes a template of a disk.
var CreateTemplate = api.Job[CreateTemplateIn, Template]{
	Name: "createTemplate", Noun: "Template", Role: api.Everyone, Object: "template", Event: "TEMPLATE.CREATE", Creates: true,
	Doc: "Makes a template of a snapshot, or of a volume with which no machine runs, in an image store of its zone.",
}

// CreateTemplateIn says of what.
type CreateTemplateIn struct {
	api.Once
	Name            string            `api:"name,required" doc:"The name of the template."`
	DisplayText     string            `api:"displaytext" doc:"What the template is; its name unless given."`
	SnapshotID      uid.Snapshot      `api:"snapshotid" doc:"The ID of the snapshot to make it of. Either this or volumeid."`
	VolumeID        uid.Volume        `api:"volumeid" doc:"The ID of the volume to make it of. Either this or snapshotid."`
	VMID            uid.VM            `api:"virtualmachineid" doc:"The ID of a bare-metal machine to make it of; there are none here."`
	URL             string            `api:"url,max=2048" doc:"Where the image of a bare-metal machine is to go. Goes together with virtualmachineid."`
	ZoneID          uid.Zone          `api:"zoneid,since=4.19" doc:"The ID of the zone that the snapshot or volume must be in."`
	OSTypeID        uid.OSType        `api:"ostypeid" doc:"The ID of the operating system inside; unless given, that of the template that the volume came from."`
	Bits            int               `api:"bits" doc:"32 or 64, which it is unless given."`
	RequiresHVM     *bool             `api:"requireshvm" doc:"Whether the guest needs full virtualisation; it does unless this is false."`
	PasswordEnabled bool              `api:"passwordenabled" doc:"Whether the guest takes a password from the cloud."`
	SSHKeyEnabled   bool              `api:"sshkeyenabled" doc:"Whether the guest takes SSH keys from the cloud."`
	Scalable        bool              `api:"isdynamicallyscalable" doc:"Whether the guest's CPU and memory can grow while it runs."`
	Featured        bool              `api:"isfeatured" doc:"Whether it is recommended to everybody; for root admins only."`
	Public          bool              `api:"ispublic" doc:"Whether everyone may use it."`
	Tag             string            `api:"templatetag,admin" doc:"The tag that hosts must have to run its machines."`
	Details         map[string]string `api:"details,map" doc:"What else is to be noted of the template, by name."`
	Account         string            `api:"account,since=4.19" doc:"The name of the account that is to own it. Goes together with domainid. The owner of the snapshot or volume unless given."`
	DomainID        uid.Domain        `api:"domainid,since=4.19" doc:"The ID of that account's domain."`
	ProjectID       uid.Project       `api:"projectid" doc:"The ID of the project that is to own it."`
}

// DeleteTemplate removes a template.
var DeleteTemplate = api.Job[DeleteTemplateIn, api.Success]{
	Name: "deleteTemplate", Noun: "Template", Role: api.Everyone, Event: "TEMPLATE.DELETE",
	Doc: "Deletes a template, in one zone or everywhere. Machines that were made from it go on running.",
}

// DeleteTemplateIn names the template.
type DeleteTemplateIn struct {
	ID     uid.Template `api:"id,required" doc:"The ID of the template."`
	ZoneID uid.Zone     `api:"zoneid" doc:"The ID of the zone in which to delete it; everywhere unless given."`
	Forced bool         `api:"forced,since=4.9" doc:"Delete it although there are machines that were made from it."`
}

// ListTemplates shows templates.
var ListTemplates = api.List[ListTemplatesIn, Template]{
	Name: "listTemplates", Noun: "Template", Role: api.Everyone, Object: "template",
	Doc: "Lists templates: the images that machines start from. One that is in several zones is shown once for each.",
}

// ListTemplatesIn chooses templates.
type ListTemplatesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	Filter       string         `api:"templatefilter,required,one=featured|self|selfexecutable|sharedexecutable|executable|community|all" doc:"Which templates: featured by the admins, one's own (self), ready ones of one's own, shared with one, ready to be deployed, public but not featured, or all (admins only)."`
	ID           uid.Template   `api:"id" doc:"Shows only the template with this ID."`
	IDs          []uid.Template `api:"ids,since=4.9" doc:"Shows only the templates with these IDs."`
	Name         string         `api:"name" doc:"Shows only templates of this name."`
	ZoneID       uid.Zone       `api:"zoneid" doc:"Shows only templates of this zone."`
	Hypervisor   string         `api:"hypervisor" doc:"Shows only templates for this hypervisor."`
	Type         string         `api:"templatetype,since=4.19" doc:"Shows only templates of this type: USER, BUILTIN or SYSTEM."`
	ImageStoreID uid.ImageStore `api:"imagestoreid,since=4.19,admin" doc:"Shows only templates in this image store."`
	OSCategoryID uid.OSCategory `api:"oscategoryid,since=4.21" doc:"Shows only templates with an operating system of this category inside."`
	Ready        *bool          `api:"isready,since=4.21" doc:"Shows only templates that are ready (true), or only others (false)."`
	ShowRemoved  bool           `api:"showremoved" doc:"Shows deleted templates, too."`
}

// Template is a template or an ISO in one zone.
type Template struct {
	ID          uid.Template `json:"id" doc:"The ID of the image."`
	Name        string       `json:"name" doc:"The name of the image."`
	DisplayText string       `json:"displaytext" doc:"What the image is."`
	Owner
	AccountID       uid.Account       `json:"accountid,omitempty" doc:"The ID of the account that owns it."`
	ZoneID          uid.Zone          `json:"zoneid" doc:"The ID of the zone."`
	ZoneName        string            `json:"zonename,omitempty" doc:"The name of the zone."`
	CrossZones      bool              `json:"crossZones" doc:"Whether it is for all zones."`
	HostID          uid.ImageStore    `json:"hostid,omitempty" api:"admin" doc:"The ID of the image store that it is in."`
	HostName        string            `json:"hostname,omitempty" api:"admin" doc:"The name of the image store that it is in."`
	OSTypeID        uid.OSType        `json:"ostypeid" doc:"The ID of the operating system inside."`
	OSTypeName      string            `json:"ostypename,omitempty" doc:"The name of the operating system inside."`
	Hypervisor      string            `json:"hypervisor,omitempty" doc:"The hypervisor it is for; absent of ISOs, which are for all."`
	Format          string            `json:"format" doc:"The format of the image: RAW, QCOW2 or ISO, for instance."`
	Type            string            `json:"templatetype" doc:"USER, SYSTEM or BUILTIN."`
	Tag             string            `json:"templatetag,omitempty" doc:"The tag that hosts must have to run its machines."`
	URL             string            `json:"url,omitempty" api:"admin" doc:"Where the image came from."`
	Checksum        string            `json:"checksum,omitempty" doc:"The checksum of the image."`
	Size            int64             `json:"size,omitempty" doc:"The size of a disk made from it, in bytes; absent until it is known."`
	PhysicalSize    int64             `json:"physicalsize,omitempty" doc:"How many bytes it takes in its image store."`
	Bits            int               `json:"bits" doc:"32 or 64."`
	Bootable        bool              `json:"bootable" doc:"Whether machines can start from it."`
	RequiresHVM     bool              `json:"requireshvm" doc:"Whether the guest needs full virtualisation."`
	Scalable        bool              `json:"isdynamicallyscalable" doc:"Whether the guest's CPU and memory can grow while it runs."`
	Public          bool              `json:"ispublic" doc:"Whether everyone may use it."`
	Featured        bool              `json:"isfeatured" doc:"Whether the admins recommend it."`
	Extractable     bool              `json:"isextractable" doc:"Whether it may be downloaded."`
	Ready           bool              `json:"isready" doc:"Whether it can be used now."`
	Status          string            `json:"status,omitempty" doc:"How far the image has come: 40% Downloaded, Installing Template, Download Complete, or what is the matter."`
	PasswordEnabled bool              `json:"passwordenabled" doc:"Whether the guest takes a password from the cloud."`
	SSHKeyEnabled   bool              `json:"sshkeyenabled" doc:"Whether the guest takes SSH keys from the cloud."`
	SourceID        uid.Template      `json:"sourcetemplateid,omitempty" doc:"The ID of the template that it was made from, where it was."`
	Details         map[string]string `json:"details,omitempty" doc:"What is noted of the image."`
	Created         api.Time          `json:"created,omitzero" doc:"When the image was registered."`
	Removed         api.Time          `json:"removed,omitzero" doc:"When the image was deleted."`
	Tags            []Tag             `json:"tags,omitempty" api:"set" doc:"The tags on the image."`
	Pending
}
