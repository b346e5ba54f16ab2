package cloudstack

import "github.com/virga-cloud/virga/api"

// InProject keeps, in a list, the things of one project.
type InProject struct {
	ProjectID string `api:"projectid" doc:"Shows only what belongs to this project; -1 for the things of every project that you are in."`
}

// Tagged keeps, in a list, the things that have one of certain tags.
type Tagged struct {
	Tags []KeyValue `api:"tags,map" doc:"Shows only what has one of these tags; a key without a value stands for any value."`
}

// KeyValue is a key and its value.
type KeyValue struct {
	Key   string `api:"key,required" doc:"The key."`
	Value string `api:"value" doc:"The value."`
}

// Tag is a tag on a thing.
type Tag struct {
	Key          string `json:"key" doc:"The key."`
	Value        string `json:"value" doc:"The value."`
	ResourceType string `json:"resourcetype" doc:"The type of the thing that it is on."`
	ResourceID   string `json:"resourceid" doc:"The ID of the thing that it is on."`
	Customer     string `json:"customer,omitempty" doc:"Whose own tag it is, in the words of who set it."`
	Owner
	Pending
}

// CreateTags writes tags on things.
var CreateTags = api.Job[CreateTagsIn, api.Success]{
	Name: "createTags", Noun: "Tag", Role: api.Everyone, Event: "CREATE_TAGS", Since: "4.0.0",
	Doc: "Writes tags on things: all of them on each of the things, or none at all. A tag that is there already is not changed: delete it first.",
}

// CreateTagsIn names the things and the tags.
type CreateTagsIn struct {
	ResourceType string     `api:"resourcetype,required" doc:"The type of the things: UserVm, Volume, Template, ISO, Network, PublicIpAddress, SecurityGroup, or for root admins Zone."`
	ResourceIDs  []string   `api:"resourceids,required,max=18500" doc:"The IDs of the things, with commas between them."`
	Tags         []KeyValue `api:"tags,required,map" doc:"The tags, each with a value."`
	Customer     string     `api:"customer" doc:"Whose own tags they are, in words of your choice."`
}

// DeleteTags takes tags off things.
var DeleteTags = api.Job[DeleteTagsIn, api.Success]{
	Name: "deleteTags", Noun: "Tag", Role: api.Everyone, Event: "DELETE_TAGS", Since: "4.0.0",
	Doc: "Takes tags off things.",
}

// DeleteTagsIn names the things and the tags.
type DeleteTagsIn struct {
	ResourceType string     `api:"resourcetype,required" doc:"The type of the things, as in createTags."`
	ResourceIDs  []string   `api:"resourceids,required,max=18500" doc:"The IDs of the things, with commas between them."`
	Tags         []KeyValue `api:"tags,map" doc:"The tags: with a value only those that have it, without one those of the key. All tags unless given."`
}

// ListTags shows tags.
var ListTags = api.List[ListTagsIn, Tag]{
	Name: "listTags", Noun: "Tag", Role: api.Everyone, Object: "tag", Since: "4.0.0",
	Doc: "Lists tags.",
}

// ListTagsIn chooses tags.
type ListTagsIn struct {
	api.Paging
	api.Scope
	InProject
	ResourceType string `api:"resourcetype" doc:"Shows only tags on things of this type."`
	ResourceID   string `api:"resourceid" doc:"Shows only tags on the thing with this ID."`
	Key          string `api:"key" doc:"Shows only tags with this key."`
	Value        string `api:"value" doc:"Shows only tags with this value."`
	Customer     string `api:"customer" doc:"Shows only tags that are this one's own, in the words of who set them."`
}
