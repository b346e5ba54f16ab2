package note

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/certificate"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for these services.
type Translator struct {
	DB           *db.DB
	Owned        owned.Lists
	Details      *detail.Service
	Annotations  *annotation.Service
	Certificates *certificate.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleJob(m, cs.AddResourceDetail, func(ctx context.Context, in cs.AddResourceDetailIn) (api.Started, error) {
		job, err := t.Details.Add(ctx, detail.In{
			Type: in.ResourceType, Resource: in.ResourceID, Details: in.Details, Hidden: in.ForDisplay != nil && !*in.ForDisplay,
		})
		return api.Started{JobID: job}, err
	}, succeeded)
	api.HandleJob(m, cs.RemoveResourceDetail, func(ctx context.Context, in cs.RemoveResourceDetailIn) (api.Started, error) {
		job, err := t.Details.Remove(ctx, detail.In{Type: in.ResourceType, Resource: in.ResourceID}, in.Key)
		return api.Started{JobID: job}, err
	}, succeeded)
	api.HandleList(m, cs.ListResourceDetails, t.listDetails)

	show := look.Show(t.DB.Read, t.Annotations.ByID, func(_ context.Context, found []annotation.Annotation) ([]cs.Annotation, error) {
		return look.Page(found, len(found), annotationOut).Items, nil
	})
	api.HandleCreate(m, cs.AddAnnotation, t.addAnnotation, show)
	api.HandleCall(m, cs.RemoveAnnotation, func(ctx context.Context, in cs.AnnotationID) (cs.Annotation, error) {
		a, err := t.Annotations.Remove(ctx, in.ID)
		return annotationOut(a), err
	})
	api.HandleCall(m, cs.UpdateAnnotationVisibility, func(ctx context.Context, in cs.UpdateAnnotationVisibilityIn) (cs.Annotation, error) {
		a, err := t.Annotations.Show(ctx, in.ID, in.AdminsOnly)
		return annotationOut(a), err
	})
	api.HandleList(m, cs.ListAnnotations, t.listAnnotations)

	api.HandleJob(m, cs.UploadCustomCertificate, func(ctx context.Context, in cs.UploadCustomCertificateIn) (api.Started, error) {
		job, err := t.Certificates.Upload(ctx, certificate.In{
			Suffix: in.DomainSuffix, Name: in.Name, Position: in.ID, PEM: in.Certificate, Key: secret.New(in.PrivateKey),
		})
		return api.Started{JobID: job}, err
	}, func(context.Context, string) (cs.CustomCertificate, error) {
		return cs.CustomCertificate{
			Message: "The certificate is kept. Servers that serve HTTPS present it to who asks for a name below its domainsuffix.",
		}, nil
	})
}

// succeeded is the outcome of jobs that have nothing to show.
func succeeded(context.Context, string) (api.Success, error) { return api.Success{Success: true}, nil }

func (t Translator) listDetails(ctx context.Context, in cs.ListResourceDetailsIn) (none api.Page[cs.ResourceDetail], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ResourceID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := detail.Filter{
		Scope: scope, Type: in.ResourceType, Resource: in.ResourceID, Key: in.Key, Value: in.Value, Display: in.ForDisplay, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	details, total, err := t.Details.List(ctx, filter)
	if err != nil {
		return none, err
	}
	page := look.Page(details, total, func(d detail.Detail) cs.ResourceDetail {
		return cs.ResourceDetail{ResourceType: d.Type, ResourceID: d.Resource, Key: d.Key, Value: d.Value, ForDisplay: &d.Display}
	})
	err = t.Owned.Owners(ctx, len(details), func(i int) (uid.Account, *cs.Owner) { return details[i].Account, &page.Items[i].Owner })
	if err != nil {
		return none, err
	}
	// What is at work on a detail is at work on its thing.
	err = t.Owned.Pending(ctx, len(details), func(i int) (string, *cs.Pending) { return details[i].Resource, &page.Items[i].Pending })
	return page, err
}

func (t Translator) addAnnotation(ctx context.Context, in cs.AddAnnotationIn) (uid.Annotation, error) {
	a, err := t.Annotations.Add(ctx, annotation.In{Type: in.EntityType, Entity: in.EntityID, Text: in.Annotation, AdminsOnly: in.AdminsOnly})
	return a.ID, err
}

func (t Translator) listAnnotations(ctx context.Context, in cs.ListAnnotationsIn) (api.Page[cs.Annotation], error) {
	filter := annotation.Filter{Type: in.EntityType, Entity: in.EntityID, User: in.UserID, Keyword: in.Keyword}
	if in.ID != "" {
		filter.IDs = []uid.Annotation{in.ID}
	}
	if in.Filter == "self" {
		own := auth.From(ctx).User
		if in.UserID != "" && in.UserID != own {
			return api.Page[cs.Annotation]{}, fault.Invalidf("annotationfilter self shows the own annotations: leave out userid")
		}
		filter.User = own
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Annotations.List(ctx, filter)
	return look.Page(found, total, annotationOut), err
}

func annotationOut(a annotation.Annotation) cs.Annotation {
	return cs.Annotation{
		ID: a.ID, Annotation: a.Text, EntityType: a.Type, EntityID: a.Entity, EntityName: a.EntityName, UserID: a.User, Username: a.Username,
		AdminsOnly: a.AdminsOnly, Created: api.At(a.Created), Removed: api.At(a.Removed),
	}
}
