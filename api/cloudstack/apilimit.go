package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// GetAPILimit shows how many requests the caller may still send.
var GetAPILimit = api.Call[api.None, APILimit]{
	Name: "getApiLimit", Noun: "API limit", Role: api.Everyone, Object: "apilimit",
	Doc: "Shows how many requests the caller's account has sent in the present interval, and how many more it may send. Without api.throttling.enabled there is no such command.",
}

// ResetAPILimit lets accounts begin anew.
var ResetAPILimit = api.Call[ResetAPILimitIn, api.Success]{
	Name: "resetApiLimit", Noun: "API limit", Role: api.RootOnly, Event: "API.LIMIT.RESET",
	Doc: "Counts the requests of an account, or of all accounts, from 0 again; on servers other than the one that is asked, within two seconds. Without api.throttling.enabled there is no such command.",
}

// ResetAPILimitIn names the account.
type ResetAPILimitIn struct {
	Account uid.Account `api:"account" doc:"The ID of the account. Without it all are reset."`
}

// APILimit is how an account stands.
type APILimit struct {
	AccountID   uid.Account `json:"accountid" doc:"The ID of the account."`
	Account     string      `json:"account" doc:"The name of the account."`
	Issued      int         `json:"apiIssued" doc:"The requests of this interval so far, this one and those that were refused among them."`
	Allowed     int         `json:"apiAllowed" doc:"How many more are let through by the server that answers."`
	ExpireAfter int64       `json:"expireAfter" doc:"After how many milliseconds the next interval begins."`
	Pending
}
