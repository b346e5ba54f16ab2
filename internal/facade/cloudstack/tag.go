package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerTags(m *api.Mux) {
	api.HandleJob(m, cs.CreateTags, func(ctx context.Context, in cs.CreateTagsIn) (api.Started, error) {
		job, err := f.Tags.Create(ctx, tag.In{
			Type: tag.Type(in.ResourceType), Resources: in.ResourceIDs, Tags: wire.Pairs(in.Tags), Customer: in.Customer,
		})
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleJob(m, cs.DeleteTags, func(ctx context.Context, in cs.DeleteTagsIn) (api.Started, error) {
		job, err := f.Tags.Delete(ctx, tag.In{Type: tag.Type(in.ResourceType), Resources: in.ResourceIDs, Tags: wire.Pairs(in.Tags)})
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleList(m, cs.ListTags, f.listTags)
}

func (f *Facade) listTags(ctx context.Context, in cs.ListTagsIn) (none api.Page[cs.Tag], err error) {
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ResourceID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := tag.Filter{
		Scope: scope, Type: tag.Type(in.ResourceType), Resource: in.ResourceID, Key: in.Key, Value: in.Value, Customer: in.Customer,
		Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	tags, total, err := f.Tags.List(ctx, filter)
	if err != nil {
		return none, err
	}
	out := make([]cs.Tag, len(tags))
	for i, t := range tags {
		out[i] = wire.Tag(t, cs.Owner{})
	}
	err = f.Owned.Owners(ctx, len(out), func(i int) (uid.Account, *cs.Owner) { return tags[i].Account, &out[i].Owner })
	if err != nil {
		return none, err
	}
	// What is at work on a tag is at work on its thing.
	err = f.Owned.Pending(ctx, len(out), func(i int) (string, *cs.Pending) { return tags[i].Resource, &out[i].Pending })
	return api.Page[cs.Tag]{Count: total, Items: out}, err
}
