package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddAnnotation writes a remark on a thing.
var AddAnnotation = api.Call[AddAnnotationIn, Annotation]{
	Name: "addAnnotation", Noun: "Annotation", Role: api.Everyone, Object: "annotation", Event: "ANNOTATION.CREATE", Since: "4.11", Creates: true,
	Doc: "Writes a remark on a thing, for whoever else may see the thing.",
}

// AddAnnotationIn names the thing and the remark.
type AddAnnotationIn struct {
	api.Once
	EntityType string `api:"entitytype" doc:"The type of the thing: VM, VOLUME, INSTANCE_GROUP, SSH_KEYPAIR, NETWORK, PUBLIC_IP_ADDRESS, TEMPLATE, ISO, for admins of domains DOMAIN, and for root admins ZONE, POD, CLUSTER, HOST, PRIMARY_STORAGE, SECONDARY_STORAGE, SERVICE_OFFERING, DISK_OFFERING or NETWORK_OFFERING. Required."`
	EntityID   string `api:"entityid" doc:"The ID of the thing. Required."`
	Annotation string `api:"annotation" doc:"The remark. Required."`
	AdminsOnly bool   `api:"adminsonly,since=4.16.0" doc:"Whether root admins alone see it. Only they may say so."`
}

// RemoveAnnotation takes a remark away.
var RemoveAnnotation = api.Call[AnnotationID, Annotation]{
	Name: "removeAnnotation", Noun: "Annotation", Role: api.Everyone, Object: "annotation", Event: "ANNOTATION.REMOVE", Since: "4.11",
	Doc: "Takes a remark away. Its writer may, and root admins.",
}

// AnnotationID names a remark.
type AnnotationID struct {
	ID uid.Annotation `api:"id,required" doc:"The ID of the remark."`
}

// UpdateAnnotationVisibility says who sees a remark.
var UpdateAnnotationVisibility = api.Call[UpdateAnnotationVisibilityIn, Annotation]{
	Name: "updateAnnotationVisibility", Noun: "Annotation", Role: api.RootOnly, Object: "annotation", Event: "ANNOTATION.UPDATE", Since: "4.16",
	Doc: "Says whether root admins alone see a remark.",
}

// UpdateAnnotationVisibilityIn names the remark and says who sees it.
type UpdateAnnotationVisibilityIn struct {
	ID         uid.Annotation `api:"id,required" doc:"The ID of the remark."`
	AdminsOnly bool           `api:"adminsonly,required" doc:"Whether root admins alone see it."`
}

// ListAnnotations shows remarks.
var ListAnnotations = api.List[ListAnnotationsIn, Annotation]{
	Name: "listAnnotations", Noun: "Annotation", Role: api.Everyone, Object: "annotation", Since: "4.11",
	Doc: "Lists the remarks on things that the caller may see, the latest first.",
}

// ListAnnotationsIn chooses remarks.
type ListAnnotationsIn struct {
	api.Paging
	ID         uid.Annotation `api:"id" doc:"Shows only the remark with this ID."`
	EntityType string         `api:"entitytype" doc:"Shows only remarks on things of this type, as in addAnnotation."`
	EntityID   string         `api:"entityid" doc:"Shows only remarks on the thing with this ID. Goes together with entitytype."`
	UserID     uid.User       `api:"userid,since=4.16.0" doc:"Shows only remarks of this user."`
	Filter     string         `api:"annotationfilter,since=4.16.0,one=self|all" doc:"Shows only the caller's own remarks (self), or those of all users (all), as without it."`
}

// Annotation is a remark on a thing.
type Annotation struct {
	ID         uid.Annotation `json:"id" doc:"The ID of the remark."`
	Annotation string         `json:"annotation" doc:"The remark."`
	EntityType string         `json:"entitytype" doc:"The type of the thing that it is on."`
	EntityID   string         `json:"entityid" doc:"The ID of the thing that it is on."`
	EntityName string         `json:"entityname,omitempty" doc:"What the thing is called."`
	UserID     uid.User       `json:"userid" doc:"The ID of who wrote it."`
	Username   string         `json:"username" doc:"The name of who wrote it."`
	AdminsOnly bool           `json:"adminsonly" doc:"Whether root admins alone see it."`
	Created    api.Time       `json:"created,omitzero" doc:"When it was written."`
	Removed    api.Time       `json:"removed,omitzero" doc:"When it was taken away, in the answer to that."`
	Pending
}
