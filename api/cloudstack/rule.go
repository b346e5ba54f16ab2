package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RuleOf names a rule, and whose it must be.
type RuleOf[ID ~string] struct {
	ID        ID          `api:"id,required" doc:"The ID of the rule."`
	AccountID uid.Account `api:"accountid" doc:"The ID of the account that owns it; it must be that, where it is given."`
}

// RulesOn chooses rules on public addresses.
type RulesOn[ID ~string] struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID          ID           `api:"id" doc:"Shows only the rule with this ID."`
	IPAddressID uid.PublicIP `api:"ipaddressid" doc:"Shows only rules on this address."`
	NetworkID   uid.Network  `api:"networkid,since=4.3" doc:"Shows only rules of this network."`
	Display     *bool        `api:"fordisplay,admin,since=4.4" doc:"Shows only rules that their users see (true), or only others (false)."`
}

// Shown says under which ID something is known from now on, and whether its users see it.
type Shown[ID ~string] struct {
	ID       ID    `api:"id,required" doc:"Its ID."`
	CustomID ID    `api:"customid,admin,since=4.4" doc:"Its new ID, under which it is known from then on. No job may be working on its network."`
	Display  *bool `api:"fordisplay,admin,since=4.4" doc:"Whether its users see it."`
}
