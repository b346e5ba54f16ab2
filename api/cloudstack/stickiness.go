package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateLBStickinessPolicy keeps the clients of a load balancer at one machine each.
var CreateLBStickinessPolicy = api.Job[CreateLBStickinessPolicyIn, LBStickiness]{
	Name: "createLBStickinessPolicy", Noun: "Load balancer", Role: api.Everyone, Object: "stickinesspolicies", Event: "LB.STICKINESSPOLICY.CREATE",
	Since: "3.0.0", Creates: true,
	Doc: "Keeps each client of a load balancer at one machine. A load balancer has one such policy at most.",
}

// CreateLBStickinessPolicyIn says how.
type CreateLBStickinessPolicyIn struct {
	api.Once
	RuleID      uid.LoadBalancer `api:"lbruleid,required" doc:"The ID of the load balancer."`
	Name        string           `api:"name,required" doc:"The name of the policy."`
	Description string           `api:"description" doc:"What it is for."`
	Method      string           `api:"methodname,required" doc:"By what clients are known: LbCookie, AppCookie or SourceBased."`
	Params      []NamedValue     `api:"param,map" doc:"More about the method: param[0].name and param[0].value. LbCookie has cookie-name, mode, nocache, indirect, postonly and domain; AppCookie cookie-name, length, holdtime, request-learn, prefix and mode; SourceBased tablesize and expire."`
	Display     *bool            `api:"fordisplay,admin,since=4.4" doc:"Whether its users see it; yes unless given."`
}

// NamedValue is a name and its value.
type NamedValue struct {
	Name  string `api:"name,required" doc:"The name."`
	Value string `api:"value" doc:"The value."`
}

// UpdateLBStickinessPolicy changes what a policy is known by.
var UpdateLBStickinessPolicy = api.Job[UpdateLBStickinessPolicyIn, LBStickiness]{
	Name: "updateLBStickinessPolicy", Noun: "Load balancer", Role: api.Everyone, Object: "stickinesspolicies", Event: "LB.STICKINESSPOLICY.UPDATE",
	Since: "4.4",
	Doc:   "Changes the ID of a stickiness policy, or whether its users see it. Its method and parameters stay: for others, make another policy.",
}

// UpdateLBStickinessPolicyIn says what to change.
type UpdateLBStickinessPolicyIn = Shown[uid.StickinessPolicy]

// DeleteLBStickinessPolicy takes a policy away.
var DeleteLBStickinessPolicy = api.Job[DeleteLBStickinessPolicyIn, api.Success]{
	Name: "deleteLBStickinessPolicy", Noun: "Load balancer", Role: api.Everyone, Event: "LB.STICKINESSPOLICY.DELETE", Since: "3.0.0",
	Doc: "Lets the clients of a load balancer go to any of its machines again.",
}

// DeleteLBStickinessPolicyIn names the policy.
type DeleteLBStickinessPolicyIn struct {
	ID uid.StickinessPolicy `api:"id,required" doc:"The ID of the policy."`
}

// ListLBStickinessPolicies shows policies.
var ListLBStickinessPolicies = api.List[ListLBStickinessPoliciesIn, LBStickiness]{
	Name: "listLBStickinessPolicies", Noun: "Load balancer", Role: api.Everyone, Object: "stickinesspolicies", Since: "3.0.0",
	Doc: "Lists stickiness policies, each with its load balancer.",
}

// ListLBStickinessPoliciesIn chooses policies.
type ListLBStickinessPoliciesIn struct {
	api.Paging
	RuleID  uid.LoadBalancer     `api:"lbruleid" doc:"Shows only the policy of this load balancer."`
	ID      uid.StickinessPolicy `api:"id,since=4.4" doc:"Shows only the policy with this ID."`
	Display *bool                `api:"fordisplay,admin,since=4.4" doc:"Shows only those that their users see (true), or only others (false)."`
}

// LBStickiness is a load balancer with its stickiness policy.
type LBStickiness struct {
	RuleID      uid.LoadBalancer `json:"lbruleid" doc:"The ID of the load balancer."`
	Name        string           `json:"name" doc:"The name of the load balancer."`
	Description string           `json:"description" doc:"What the load balancer is for."`
	State       string           `json:"state" doc:"The state of the load balancer."`
	ZoneID      uid.Zone         `json:"zoneid" doc:"The ID of the zone."`
	Owner
	Policies []StickinessPolicy `json:"stickinesspolicy" doc:"The policy."`
	Pending
}

// StickinessPolicy is a stickiness policy.
type StickinessPolicy struct {
	ID          uid.StickinessPolicy `json:"id" doc:"The ID of the policy."`
	Name        string               `json:"name" doc:"Its name."`
	Description string               `json:"description" doc:"What it is for."`
	Method      string               `json:"methodname" doc:"By what clients are known."`
	Params      map[string]string    `json:"params,omitempty" doc:"More about the method."`
	State       string               `json:"state" doc:"Add, Active or Revoke."`
	Display     *bool                `json:"fordisplay,omitempty" api:"admin" doc:"Whether its users see it."`
}
