package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListTemplates shows templates.
var ListTemplates = api.List[ListTemplatesIn, Template]{
	Name: "listTemplates", Noun: "Template", Role: api.Everyone, Object: "template",
	Doc: "Lists templates: the images that machines start from.",
}

// ListTemplatesIn chooses templates.
type ListTemplatesIn struct {
	api.Paging
	api.Scope
	Filter     string         `api:"templatefilter,required,one=featured|self|selfexecutable|sharedexecutable|executable|community|all" doc:"Which templates: featured by the admins, one's own (self), ready ones of one's own, shared with one, ready to be deployed, public but not featured, or all (admins only)."`
	ID         uid.Template   `api:"id" doc:"Shows only the template with this ID."`
	IDs        []uid.Template `api:"ids,since=4.9" doc:"Shows only the templates with these IDs."`
	Name       string         `api:"name" doc:"Shows only templates of this name."`
	ZoneID     uid.Zone       `api:"zoneid" doc:"Shows only templates of this zone."`
	Hypervisor string         `api:"hypervisor" doc:"Shows only templates for this hypervisor."`
}

// Template is an image that machines start from, in one zone.
type Template struct {
	ID          uid.Template `json:"id" doc:"The ID of the template."`
	Name        string       `json:"name" doc:"The name of the template."`
	DisplayText string       `json:"displaytext" doc:"What the template is."`
	Owner
	AccountID       uid.Account `json:"accountid,omitempty" doc:"The ID of the account that owns it."`
	ZoneID          uid.Zone    `json:"zoneid" doc:"The ID of the template's zone."`
	ZoneName        string      `json:"zonename,omitempty" doc:"The name of the template's zone."`
	OSTypeID        uid.OSType  `json:"ostypeid" doc:"The ID of the operating system inside."`
	OSTypeName      string      `json:"ostypename,omitempty" doc:"The name of the operating system inside."`
	Hypervisor      string      `json:"hypervisor" doc:"The hypervisor the template is for."`
	Format          string      `json:"format" doc:"The format of the image: RAW or QCOW2, for instance."`
	Type            string      `json:"templatetype" doc:"USER, SYSTEM or BUILTIN."`
	URL             string      `json:"url,omitempty" api:"admin" doc:"Where the image came from."`
	Checksum        string      `json:"checksum,omitempty" doc:"The checksum of the image."`
	Size            int64       `json:"size" doc:"The size of a disk made from it, in bytes."`
	Public          bool        `json:"ispublic" doc:"Whether everyone may use it."`
	Featured        bool        `json:"isfeatured" doc:"Whether the admins recommend it."`
	Extractable     bool        `json:"isextractable" doc:"Whether it may be downloaded."`
	Ready           bool        `json:"isready" doc:"Whether machines can be deployed from it now."`
	Status          string      `json:"status,omitempty" doc:"How far the image has come."`
	PasswordEnabled bool        `json:"passwordenabled" doc:"Whether the guest takes a password from the cloud."`
	Created         api.Time    `json:"created,omitzero" doc:"When the template was registered."`
}

// ListOsTypes shows operating systems.
var ListOsTypes = api.List[ListOsTypesIn, OSType]{
	Name: "listOsTypes", Noun: "Template", Role: api.Everyone, Object: "ostype",
	Doc: "Lists the operating systems that templates can have inside.",
}

// ListOsTypesIn chooses operating systems.
type ListOsTypesIn struct {
	api.Paging
	ID          uid.OSType     `api:"id" doc:"Shows only the operating system with this ID."`
	CategoryID  uid.OSCategory `api:"oscategoryid" doc:"Shows only operating systems of this category."`
	Description string         `api:"description,since=3.0.1" doc:"Shows only the operating system of this name."`
}

// OSType is an operating system.
type OSType struct {
	ID           uid.OSType     `json:"id" doc:"The ID of the operating system."`
	Name         string         `json:"name" doc:"The name of the operating system."`
	Description  string         `json:"description" doc:"The name of the operating system."`
	CategoryID   uid.OSCategory `json:"oscategoryid" doc:"The ID of its category."`
	CategoryName string         `json:"oscategoryname,omitempty" doc:"The name of its category."`
}
