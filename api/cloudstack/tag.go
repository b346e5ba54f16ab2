package cloudstack

import "github.com/virga-cloud/virga/uid"

// InProject keeps, in a list, the things of one project.
type InProject struct {
	ProjectID string `api:"projectid" doc:"Shows only what belongs to this project; -1 for the things of every project that you are in."`
}

// Tagged keeps, in a list, the things that have certain tags.
type Tagged struct {
	Tags []KeyValue `api:"tags,map" doc:"Shows only what has these tags."`
}

// KeyValue is a key and its value.
type KeyValue struct {
	Key   string `api:"key,required" doc:"The key."`
	Value string `api:"value" doc:"The value."`
}

// Tag is a tag on a thing.
type Tag struct {
	Key          string     `json:"key" doc:"The key."`
	Value        string     `json:"value" doc:"The value."`
	ResourceType string     `json:"resourcetype" doc:"The kind of thing it is on."`
	ResourceID   string     `json:"resourceid" doc:"The ID of the thing it is on."`
	Account      string     `json:"account,omitempty" doc:"The name of the account that owns the thing."`
	DomainID     uid.Domain `json:"domainid,omitempty" doc:"The ID of the owner's domain."`
	Domain       string     `json:"domain,omitempty" doc:"The name of the owner's domain."`
}
