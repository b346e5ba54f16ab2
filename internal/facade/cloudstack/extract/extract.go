package extract

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/extraction"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// prefix is what all addresses begin with, before a link and the file's name.
const prefix = "/client/extract/"

const (
	download  = "HTTP_DOWNLOAD" // the mode that there is
	created   = "DOWNLOAD_URL_CREATED"
	secondary = "SecondaryStorage" // where it is
	whole     = 100                // percent of it are there when there is an address
)

// Translator translates for the service that gives things out.
type Translator struct {
	DB          *db.DB
	Extractions *extraction.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	shown := look.Subject(look.Show(t.DB.Read, extraction.ByID, t.out))
	api.HandleJob(m, cs.ExtractTemplate, func(ctx context.Context, in cs.ExtractTemplateIn) (api.Started, error) {
		if err := check(in.Mode, in.URL); err != nil {
			return api.Started{}, err
		}
		return started(t.Extractions.OfTemplate(ctx, extraction.Template, in.ID, in.ZoneID))
	}, shown)
	api.HandleJob(m, cs.ExtractIso, func(ctx context.Context, in cs.ExtractIsoIn) (api.Started, error) {
		if err := check(in.Mode, in.URL); err != nil {
			return api.Started{}, err
		}
		return started(t.Extractions.OfTemplate(ctx, extraction.ISO, in.ID, in.ZoneID))
	}, shown)
	api.HandleJob(m, cs.ExtractVolume, func(ctx context.Context, in cs.ExtractVolumeIn) (api.Started, error) {
		if err := check(in.Mode, in.URL); err != nil {
			return api.Started{}, err
		}
		return started(t.Extractions.OfVolume(ctx, in.ID, in.ZoneID))
	}, shown)
}

func started(_ uid.Extraction, job op.ID, err error) (api.Started, error) {
	return api.Started{JobID: job}, err
}

// check refuses to send things elsewhere.
func check(mode, to string) error {
	switch {
	case mode != download:
		return fault.Invalidf("mode %s sends what is extracted, and a password, over the network in the clear, and to anywhere: want %s", mode,
			download)
	case to != "":
		return fault.Invalidf("url says where mode FTP_UPLOAD goes: leave it out, the answer has the address to download from")
	}
	return nil
}

func (t Translator) out(ctx context.Context, all []extraction.Extraction) ([]cs.Extraction, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(all), func(i int) uid.Zone { return all[i].Zone }, zone.Names)
	out := make([]cs.Extraction, len(all))
	for i, e := range all {
		at := front.Base(ctx)
		at.Path = prefix + t.Extractions.Link(e) + "/" + e.FileName()
		out[i] = cs.Extraction{
			ID: string(e.Volume) + string(e.Template), Name: e.Name, ExtractID: e.ID, Mode: download, State: created,
			Status: created, URL: at.String(), Created: api.At(e.Created), Expires: api.At(e.Expires), AccountID: e.Account,
			ZoneID: e.Zone, ZoneName: zones[e.Zone], StorageType: secondary, Storage: secondary, Percentage: whole,
			Result: fmt.Sprintf("%s can be downloaded until %s", e.Name, e.Expires.UTC().Format(time.RFC3339)),
		}
	}
	return out, l.Err
}
