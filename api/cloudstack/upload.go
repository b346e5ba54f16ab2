package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// howToSend ends what the commands that announce uploads say.
const howToSend = " The file is then sent to postURL, as multipart/form-data by POST, with the headers X-signature, X-metadata and X-expires " +
	"from this answer: once, and before it expires (setting upload.operation.timeout)."

// GetUploadParamsForTemplate announces a template.
var GetUploadParamsForTemplate = api.Call[GetUploadParamsForTemplateIn, UploadParams]{
	Name: "getUploadParamsForTemplate", Noun: "Template", Role: api.Everyone, Object: "getuploadparams", Event: "TEMPLATE.CREATE", Creates: true,
	Doc: "Registers a template that the caller sends, and says where to." + howToSend,
}

// GetUploadParamsForTemplateIn says what template.
type GetUploadParamsForTemplateIn struct {
	api.Once
	Name            string            `api:"name,required" doc:"The name of the template."`
	DisplayText     string            `api:"displaytext" doc:"What the template is; its name unless given."`
	Format          string            `api:"format,required" doc:"The format of the image: QCOW2, RAW, VHD, OVA or VMDK, as far as the hypervisor knows it."`
	Hypervisor      string            `api:"hypervisor,required" doc:"The hypervisor the template is for."`
	OSTypeID        uid.OSType        `api:"ostypeid" doc:"The ID of the operating system inside; Other (64-bit) unless given."`
	ZoneID          uid.Zone          `api:"zoneid,required" doc:"The ID of the zone that it is to be in."`
	Checksum        string            `api:"checksum" doc:"The MD5 or SHA sum of the file in hex, with {MD5} or {SHA-256} before it if you like. A file with another one is refused."`
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

// GetUploadParamsForIso announces an ISO.
var GetUploadParamsForIso = api.Call[GetUploadParamsForIsoIn, UploadParams]{
	Name: "getUploadParamsForIso", Noun: "ISO", Role: api.Everyone, Object: "getuploadparams", Event: "ISO.CREATE", Creates: true,
	Doc: "Registers an ISO that the caller sends, and says where to." + howToSend,
}

// GetUploadParamsForIsoIn says what ISO.
type GetUploadParamsForIsoIn struct {
	api.Once
	Name        string      `api:"name,required" doc:"The name of the ISO."`
	DisplayText string      `api:"displaytext" doc:"What the ISO is; its name unless given."`
	Format      string      `api:"format,required" doc:"The format of the file: ISO."`
	OSTypeID    uid.OSType  `api:"ostypeid" doc:"The ID of the operating system inside; Other (64-bit) unless given."`
	ZoneID      uid.Zone    `api:"zoneid,required" doc:"The ID of the zone that it is to be in."`
	Bootable    *bool       `api:"bootable" doc:"Whether machines can start from it; they can unless this is false."`
	Checksum    string      `api:"checksum" doc:"The MD5 or SHA sum of the file in hex, with {MD5} or {SHA-256} before it if you like. A file with another one is refused."`
	Extractable bool        `api:"isextractable" doc:"Whether it may be downloaded."`
	Featured    bool        `api:"isfeatured" doc:"Whether it is recommended to everybody; for root admins only."`
	Public      bool        `api:"ispublic" doc:"Whether everyone may use it."`
	Account     string      `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID    uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID   uid.Project `api:"projectid" doc:"The ID of the project that is to own it."`
}

// GetUploadParamsForVolume announces a volume.
var GetUploadParamsForVolume = api.Call[GetUploadParamsForVolumeIn, UploadParams]{
	Name: "getUploadParamsForVolume", Noun: "Volume", Role: api.Everyone, Object: "getuploadparams", Event: "VOLUME.UPLOAD", Creates: true,
	Doc: "Makes a data volume whose content the caller sends, and says where to. It can be attached when it is Uploaded; what was sent is in an " +
		"image store until then." + howToSend,
}

// GetUploadParamsForVolumeIn says what volume.
type GetUploadParamsForVolumeIn struct {
	api.Once
	Name           string           `api:"name,required" doc:"The name of the volume."`
	Format         string           `api:"format,required" doc:"The format of the file: QCOW2, RAW, VHD, OVA or VMDK, as far as the zone's hosts know it."`
	ZoneID         uid.Zone         `api:"zoneid,required" doc:"The ID of the zone that it is to be in."`
	DiskOfferingID uid.DiskOffering `api:"diskofferingid" doc:"The ID of a disk offering that leaves the size open; none unless given."`
	ImageStoreID   uid.ImageStore   `api:"imagestoreuuid,admin" doc:"The ID of the image store to keep it in until it has a disk; one of the zone's unless given."`
	Checksum       string           `api:"checksum" doc:"The MD5 or SHA sum of the file in hex, with {MD5} or {SHA-256} before it if you like. A file with another one is refused."`
	Account        string           `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID       uid.Domain       `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID      uid.Project      `api:"projectid" doc:"The ID of the project that is to own it."`
}

// UploadParams say where a file is to be sent, and with what.
type UploadParams struct {
	ID        string `json:"id" doc:"The ID of the template, ISO or volume."`
	PostURL   string `json:"postURL" doc:"Where to send the file, as multipart/form-data by POST."`
	Metadata  string `json:"metadata" doc:"What the header X-metadata is to say."`
	Signature string `json:"signature" doc:"What the header X-signature is to say."`
	Expires   string `json:"expires" doc:"What the header X-expires is to say: until when the sending can begin."`
}
