package wire

import (
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/tag"
)

// Pairs are keys with values, as they were said.
func Pairs(in []cs.KeyValue) []tag.Pair {
	out := make([]tag.Pair, len(in))
	for i, one := range in {
		out[i] = tag.Pair{Key: one.Key, Value: one.Value}
	}
	return out
}

// Wanted are the tags by which a list is asked to choose.
func Wanted(in cs.Tagged) tag.Wanted { return Pairs(in.Tags) }

// Tag shows a tag, which is its thing's owner's.
func Tag(t tag.Tag, owner cs.Owner) cs.Tag {
	return cs.Tag{
		Key: t.Key, Value: t.Value, ResourceType: string(t.Type), ResourceID: t.Resource, Customer: t.Customer, Owner: owner,
	}
}

// Tags shows a thing's tags, which are its owner's.
func Tags(tags []tag.Tag, owner cs.Owner) []cs.Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]cs.Tag, len(tags))
	for i, t := range tags {
		out[i] = Tag(t, owner)
	}
	return out
}
