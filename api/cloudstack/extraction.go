package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ExtractTemplate gives an address to download a template from.
var ExtractTemplate = api.Job[ExtractTemplateIn, Extraction]{
	Name: "extractTemplate", Noun: "Template", Role: api.Everyone, Object: "template", Event: "TEMPLATE.EXTRACT",
	Doc: "Gives an address at which a template of one's own can be downloaded for a while (setting extract.url.expiration.interval). Who has the " +
		"address needs nothing else; it is good as long as who asked for it may ask. A template that is not extractable only root admins have.",
}

// ExtractTemplateIn names the template.
type ExtractTemplateIn struct {
	ID     uid.Template `api:"id,required" doc:"The ID of the template."`
	Mode   string       `api:"mode,required,one=HTTP_DOWNLOAD|FTP_UPLOAD" doc:"HTTP_DOWNLOAD. FTP_UPLOAD, which would send it elsewhere in the clear, is refused."`
	URL    string       `api:"url,max=2048" doc:"Where FTP_UPLOAD is to go."`
	ZoneID uid.Zone     `api:"zoneid" doc:"The ID of the zone from whose image store to take it; any unless given."`
}

// ExtractIso gives an address to download an ISO from.
var ExtractIso = api.Job[ExtractIsoIn, Extraction]{
	Name: "extractIso", Noun: "ISO", Role: api.Everyone, Object: "iso", Event: "ISO.EXTRACT",
	Doc: "Gives an address at which an ISO of one's own can be downloaded for a while, as extractTemplate does for templates.",
}

// ExtractIsoIn names the ISO.
type ExtractIsoIn struct {
	ID     uid.Template `api:"id,required" doc:"The ID of the ISO."`
	Mode   string       `api:"mode,required,one=HTTP_DOWNLOAD|FTP_UPLOAD" doc:"HTTP_DOWNLOAD. FTP_UPLOAD, which would send it elsewhere in the clear, is refused."`
	URL    string       `api:"url,max=2048" doc:"Where FTP_UPLOAD is to go."`
	ZoneID uid.Zone     `api:"zoneid" doc:"The ID of the zone from whose image store to take it; any unless given."`
}

// ExtractVolume gives an address to download a volume from.
var ExtractVolume = api.Job[ExtractVolumeIn, Extraction]{
	Name: "extractVolume", Noun: "Volume", Role: api.Everyone, Object: "volume", Event: "VOLUME.EXTRACT",
	Doc: "Copies a volume, with which no machine runs, into an image store and gives an address at which the copy can be downloaded for a while, as " +
		"extractTemplate does for templates. The copy is removed afterwards, or when the volume is extracted again. What came from a template " +
		"that is not extractable only root admins have.",
}

// ExtractVolumeIn names the volume.
type ExtractVolumeIn struct {
	ID     uid.Volume `api:"id,required" doc:"The ID of the volume."`
	Mode   string     `api:"mode,required,one=HTTP_DOWNLOAD|FTP_UPLOAD" doc:"HTTP_DOWNLOAD. FTP_UPLOAD, which would send it elsewhere in the clear, is refused."`
	URL    string     `api:"url,max=2048" doc:"Where FTP_UPLOAD is to go."`
	ZoneID uid.Zone   `api:"zoneid,required" doc:"The ID of the zone that the volume is in."`
}

// Extraction is something that can be downloaded.
type Extraction struct {
	ID          string         `json:"id" doc:"The ID of the template, ISO or volume."`
	Name        string         `json:"name" doc:"Its name."`
	ExtractID   uid.Extraction `json:"extractId" doc:"The ID of the download."`
	Mode        string         `json:"extractMode" doc:"HTTP_DOWNLOAD."`
	State       string         `json:"state" doc:"DOWNLOAD_URL_CREATED."`
	Status      string         `json:"status" doc:"The same as state."`
	URL         string         `json:"url" doc:"Where it can be downloaded, in ranges, too. Whoever has the address can."`
	Created     api.Time       `json:"created,omitzero" doc:"When it was asked for."`
	Expires     api.Time       `json:"expires,omitzero" doc:"When the address ends."`
	AccountID   uid.Account    `json:"accountid" doc:"The ID of the account that owns the template, ISO or volume."`
	ZoneID      uid.Zone       `json:"zoneid" doc:"The ID of the zone."`
	ZoneName    string         `json:"zonename,omitempty" doc:"The name of the zone."`
	StorageType string         `json:"storagetype" doc:"SecondaryStorage: what is downloaded is in an image store."`
	Storage     string         `json:"storage" doc:"The same, as CloudStack called it in 4.1."`
	Percentage  int            `json:"uploadpercentage" doc:"How much of it is there to be downloaded: 100, for there is no address before."`
	Result      string         `json:"resultstring" doc:"What came of it, in words for people."`
}
