package upload

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// prefix is what all addresses begin with, before an upload's id.
const prefix = "/client/upload/"

// Translator translates for the service that takes things in.
type Translator struct {
	DB      *db.DB
	Uploads *upload.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	shown := look.Show(t.DB.Read, upload.ByID, t.out)
	api.HandleCreate(m, cs.GetUploadParamsForTemplate, func(ctx context.Context, in cs.GetUploadParamsForTemplateIn) (uid.Upload, error) {
		return t.Uploads.OfImage(ctx, image.RegisterIn{
			Template: image.Template{
				Name: in.Name, DisplayText: in.DisplayText, Format: in.Format, Hypervisor: in.Hypervisor, OSType: in.OSTypeID, Checksum: in.Checksum,
				Bits: in.Bits, RequiresHVM: in.RequiresHVM == nil || *in.RequiresHVM, PasswordEnabled: in.PasswordEnabled,
				SSHKeyEnabled: in.SSHKeyEnabled, Scalable: in.Scalable, Extractable: in.Extractable, Featured: in.Featured, Public: in.Public,
				Tag: in.Tag, Details: in.Details,
			},
			Zones: []uid.Zone{in.ZoneID}, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
		})
	}, shown)
	api.HandleCreate(m, cs.GetUploadParamsForIso, func(ctx context.Context, in cs.GetUploadParamsForIsoIn) (uid.Upload, error) {
		return t.Uploads.OfImage(ctx, image.RegisterIn{
			Template: image.Template{
				Name: in.Name, DisplayText: in.DisplayText, Format: in.Format, OSType: in.OSTypeID, Checksum: in.Checksum,
				Bootable: in.Bootable == nil || *in.Bootable, Extractable: in.Extractable, Featured: in.Featured, Public: in.Public,
			},
			ISO: true, Zones: []uid.Zone{in.ZoneID}, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
		})
	}, shown)
	api.HandleCreate(m, cs.GetUploadParamsForVolume, func(ctx context.Context, in cs.GetUploadParamsForVolumeIn) (uid.Upload, error) {
		return t.Uploads.OfVolume(ctx, upload.VolumeIn{
			CreateIn: volume.CreateIn{
				Name: in.Name, Zone: in.ZoneID, Offering: in.DiskOfferingID,
				Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
			},
			Format: in.Format, Checksum: in.Checksum, Store: in.ImageStoreID,
		})
	}, shown)
}

func (t Translator) out(ctx context.Context, all []upload.Upload) ([]cs.UploadParams, error) {
	out := make([]cs.UploadParams, len(all))
	for i, u := range all {
		at, c := front.Base(ctx), t.Uploads.ClaimOf(u)
		at.Path = prefix + string(u.ID)
		out[i] = cs.UploadParams{ID: u.Thing(), PostURL: at.String(), Metadata: c.Metadata, Signature: c.Signature, Expires: c.Expires}
	}
	return out, nil
}
