package wire

import (
	"fmt"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/image"
)

// status says how far an image has come. What is ready is "Download Complete": CloudStack's words, which clients wait for.
func status(t image.Template) string {
	switch {
	case t.Ready:
		return "Download Complete"
	case t.Place.State == image.Waiting:
		return coming(t.Place)
	case t.Place.State == image.Deleting:
		return "Deleting"
	case t.Place.State == image.NotUploaded:
		return "Waiting for its upload"
	case t.Place.State == image.UploadInProgress:
		return "Uploading"
	}
	return t.Place.Problem
}

// coming says how much of an image has come that is being fetched.
func coming(p image.Place) string {
	switch {
	case p.Come == 0:
		return "Downloading"
	case p.ComeOf <= 0: // who sends it does not say how large it is
		return fmt.Sprintf("%d MB Downloaded", p.Come>>20)
	case p.Come >= p.ComeOf: // it is looked at, and put where it belongs
		return "Installing Template"
	}
	return fmt.Sprintf("%d%% Downloaded", p.Come*100/p.ComeOf)
}

// Template shows what the rows of an image and of its place in a zone say.
func Template(t image.Template) cs.Template {
	return cs.Template{
		ID: t.ID, Name: t.Name, DisplayText: t.DisplayText, AccountID: t.Account, ZoneID: t.Zone,
		CrossZones: t.CrossZones, HostID: t.Place.Store,
		OSTypeID: t.OSType, Hypervisor: t.Hypervisor, Format: t.Format, Type: t.Type, Tag: t.Tag,
		URL: t.URL, Checksum: t.Checksum, Size: t.Size, PhysicalSize: t.Place.Stored, Bits: t.Bits, Bootable: t.Bootable,
		RequiresHVM: t.RequiresHVM, Scalable: t.Scalable, Public: t.Public, Featured: t.Featured, Extractable: t.Extractable, Ready: t.Ready,
		Status: status(t), PasswordEnabled: t.PasswordEnabled, SSHKeyEnabled: t.SSHKeyEnabled, Details: t.Details, SourceID: t.Source,
		Created: api.At(t.Created), Removed: api.At(t.Removed),
	}
}
