package cloudtest_test

import (
	"slices"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
)

// kindsOfThings says for each kind of thing that ids of the contract name where these are, and whose: "" for one of which there is none
// yet. The account and domain that own it come with the id, and the user that it is or belongs to.
var kindsOfThings = map[string]string{
	"domain":                          "select id, id as domain from domains where removed is null",
	"account":                         "select id, id as account, domain_id as domain from accounts where type <> 5 and id <> '" + systemAccount + "'",
	"user":                            "select id, account_id as account, domain_id as domain, id as user from users where account_id <> '" + systemAccount + "'",
	"API key pair":                    "select k.id, u.account_id as account, u.domain_id as domain, u.id as user from api_keys k join users u on u.id = k.user_id",
	"virtual machine":                 "select id, name, account_id as account, domain_id as domain from vms",
	"volume":                          "select id, account_id as account, domain_id as domain from volumes",
	"snapshot":                        "select id, account_id as account, domain_id as domain from snapshots",
	"VM snapshot":                     "select id, account_id as account, domain_id as domain from vm_snapshots",
	"network":                         "select id, account_id as account, domain_id as domain, account_id = '" + systemAccount + "' as public from networks",
	"IP address":                      "select id, account_id as account, domain_id as domain from public_ips where account_id is not null",
	"port forwarding rule":            "select id, account_id as account, domain_id as domain from port_rules where kind = 'PortForwarding'",
	"IP forwarding rule":              "select id, account_id as account, domain_id as domain from port_rules where kind = 'StaticNat'",
	"load balancer rule":              "select id, account_id as account, domain_id as domain from port_rules where kind = 'LoadBalancing'",
	"firewall rule":                   "select id, account_id as account, domain_id as domain from firewall_rules where address_id is not null",
	"egress firewall rule":            "select id, account_id as account, domain_id as domain from firewall_rules where address_id is null",
	"stickiness policy":               "select id, account_id as account, domain_id as domain from stickiness_policies",
	"virtual router":                  "select id, account_id as account, domain_id as domain from routers",
	"security group":                  "select id, account_id as account, domain_id as domain from security_groups",
	"rule of a security group":        "select id, account_id as account, domain_id as domain from security_group_rules where not egress",
	"egress rule of a security group": "select id, account_id as account, domain_id as domain from security_group_rules where egress",
	"SSH key pair":                    "select id, account_id as account, domain_id as domain from ssh_keypairs",
	"instance group":                  "select id, account_id as account, domain_id as domain from vm_groups",
	"template":                        "select id, account_id as account, domain_id as domain, is_public as public from templates",
	"event":                           "select id, account_id as account, domain_id as domain from events where account_id <> ''",
	"job":                             "select id, account_id as account, domain_id as domain from operations",
	"NIC":                             "select c.id, v.account_id as account, v.domain_id as domain from nics c join vms v on v.id = c.vm_id",
	"zone":                            "select id, domain_id as domain, domain_id is null as public from zones",
	"service offering":                "select id, x.domain_id as domain, x.domain_id is null as public from service_offerings o left join offering_domains x on x.offering_id = o.id",
	"disk offering":                   "select id, x.domain_id as domain, x.domain_id is null as public from disk_offerings o left join offering_domains x on x.offering_id = o.id",
	"network offering":                "select id, x.domain_id as domain, x.domain_id is null as public from network_offerings o left join offering_domains x on x.offering_id = o.id",
	"VPC offering":                    "select id, true as public from vpc_offerings",
	"OS type":                         "select id, true as public from os_types",
	"OS category":                     "select id, true as public from os_categories",
	"role":                            "select id from roles",
	"role permission":                 "select id from role_permissions",
	"pod":                             "select id from pods",
	"cluster":                         "select id from clusters",
	"host":                            "select id from hosts",
	"agent token":                     "select id from agent_tokens",
	"storage pool":                    "select id from storage_pools",
	"image store":                     "select id from image_stores",
	"physical network":                "select id from physical_networks",
	"traffic type":                    "select id from traffic_types",
	"network service provider":        "select id from network_providers",
	"virtual router element":          "select id from router_elements",
	"VLAN IP range":                   "select id from ip_ranges",
	"alert":                           "select id from alerts",
	"annotation":                      "select id, coalesce(account_id, '') as account, coalesce(domain_id, '') as domain, user_id as user from annotations",
	"OAuth provider":                  "select id, true as public from oauth_providers",
	"project":                         "select id, account_id as account, domain_id as domain from projects",
	"project invitation":              "select i.id, p.account_id as account, p.domain_id as domain from project_invitations i join projects p on p.id = i.project_id",
	"project role":                    "select r.id, p.account_id as account, p.domain_id as domain from project_roles r join projects p on p.id = r.project_id",
	"rule of a project role": `select x.id, p.account_id as account, p.domain_id as domain from project_role_permissions x
		join project_roles r on r.id = x.role_id join projects p on p.id = r.project_id`,
	"LDAP configuration": "select id from ldap_servers",
	"VPC":                "",
	"network ACL list":   "",
}

// noThings are tables whose rows have owners, and no ids by which anybody could name them.
var noThings = []string{
	"account_bytes", "api_windows", "audit_inbox", "audit_log", "console_tickets", "domain_counts", "extractions", "ldap_links", "once_keys", "resource_counts", "oauth_identities", "project_members", "saml_users", "sessions", "tags", "uploads",
}

const systemAccount = "00000000-0000-7000-8000-000000000002"

// plantKinds are the kinds of things that belong to no tenant: who may not list them doesn't get to know of them.
var plantKinds = map[string]api.Role{
	"LDAP configuration": api.RootAdmin,
	"role":               api.RootAdmin, "role permission": api.RootAdmin, "pod": infrastructure, "cluster": infrastructure, "host": infrastructure,
	"storage pool": infrastructure, "agent token": api.RootAdmin, "image store": api.RootAdmin, "traffic type": api.RootAdmin,
	"network service provider": api.RootAdmin, "virtual router element": api.RootAdmin, "alert": infrastructure,
	"physical network": api.Everyone, "VLAN IP range": api.Everyone, // networks and addresses show them
}

const infrastructure = api.RootAdmin | api.ResourceAdmin

// relation is what a thing is to a caller.
type relation int

const (
	stranger relation = iota // it is as if it were not there
	sees                     // it is there, and not the caller's to change
	shares                   // it is the caller's own account, or of it: some may be changed, and some not
	holds                    // it is the caller's, or below
)

// within tells whether a domain's path is another one's or below it.
func within(above, path string) bool { return strings.HasPrefix(path+"/", above+"/") }

// relationTo is the rule: what of a thing is whose. It knows of no command.
func relationTo(p person, x thing) relation {
	if p.root() {
		return holds
	}
	if who, ok := plantKinds[x.Kind]; ok {
		if who.Allows(p.role()) {
			return sees
		}
		return stranger
	}
	below := p.admin() && within(p.path, x.path)
	switch x.Kind {
	case "domain":
		switch {
		case below:
			return holds
		case x.Domain == p.domain:
			return sees
		}
		return stranger
	case "zone", "service offering", "disk offering", "network offering":
		if x.Public || below || within(x.path, p.path) {
			return sees // only root changes them
		}
		return stranger
	case "user", "API key pair", "account":
		switch {
		case x.User == p.user:
			return holds
		case x.Account == p.account && p.admin():
			return shares
		case below && covers(p.kind, x.of):
			return holds
		case below || x.Account == p.account:
			return sees // who is above, or beside
		}
		return stranger
	}
	member := x.project != "" && slices.Contains(p.joined, x.project)
	if x.Kind == "annotation" && (below || member || x.Account == p.account) && x.User != p.user {
		return sees // another's
	}
	if member {
		switch x.Kind {
		case "project", "project role", "rule of a project role":
			return sees // only who administers it changes them
		case "project invitation":
			return stranger // who administers it sees whom it invites
		}
		return holds
	}
	switch {
	case x.Public && x.Account != p.account && !below:
		return sees
	case x.Public && x.Account == "":
		return sees
	case below || x.Account == p.account:
		return holds
	}
	return stranger
}

// target is a parameter that names a thing.
type target struct {
	name string     // "" where a command names none
	kind string     // of the thing
	with api.Params // what goes with it
	list bool       // after one that is the caller's own
}

// targets are the parameters of a command that name things, in every way in which they do.
func targets(d *api.Description) (out []target) {
	for _, p := range d.Params() {
		if kind := kindIn(p); kind != "" {
			out = append(out, target{name: p.Name, kind: kind, with: togetherWith(d.Name, p.Name)})
			if p.Type == "list" && !readsOnly(d) {
				out = append(out, target{name: p.Name, kind: kind, with: togetherWith(d.Name, p.Name), list: true})
			}
		}
		for _, f := range p.Fields {
			if f.Of != "" {
				out = append(out, target{name: p.Name + "[0]." + f.Name, kind: f.Of})
			}
		}
		if p.Name == "entityid" && has(d, "entitytype") {
			for kind, of := range annotated {
				out = append(out, target{name: p.Name, kind: of, with: api.Params{"entitytype": kind}})
			}
		}
		if p.Name == "resourceids" || p.Name == "resourceid" {
			of := taggable
			if strings.HasSuffix(d.Name, "Detail") || strings.HasSuffix(d.Name, "Details") {
				of = detailed
			}
			for kind, of := range of {
				out = append(out, target{name: p.Name, kind: of, with: api.Params{"resourcetype": kind}})
				if p.Type == "list" {
					out = append(out, target{name: p.Name, kind: of, with: api.Params{"resourcetype": kind}, list: true})
				}
			}
		}
	}
	if len(out) == 0 {
		out = append(out, target{})
	}
	return out
}

func togetherWith(command, name string) api.Params {
	if with, ok := together[command+"."+name]; ok {
		return with
	}
	return together["*."+name]
}

// taggable are the kinds of things that tags are written on, by the word for them.
var taggable = map[string]string{
	"UserVm": "virtual machine", "Volume": "volume", "Network": "network", "SecurityGroup": "security group", "PublicIpAddress": "IP address",
	"LoadBalancer": "load balancer rule", "Template": "template", "Zone": "zone",
}

// kindIn is the kind of thing whose ids a parameter takes, also one that takes another word instead.
func kindIn(p api.Param) string {
	if p.Of != "" || p.Type != "string" && p.Type != "list" {
		return p.Of
	}
	return map[string]string{"zoneid": "zone", "zoneids": "zone", "domainid": "domain", "projectid": "project", "vpcid": "VPC"}[p.Name]
}

// noIDs are parameters that are called as if they took ids, and take other things, or what there is not yet; and those of which targets
// knows more.
var noIDs = []string{"clientid", "idpid", "entityid", "policyid", "affinitygroupids", "resourceid", "resourceids"}

// detailed are the kinds of things that details are noted of, by the word for them.
var detailed = map[string]string{
	"UserVm": "virtual machine", "Nic": "NIC", "Volume": "volume", "Template": "template", "Network": "network", "PublicIpAddress": "IP address",
	"User": "user", "Zone": "zone", "Storage": "storage pool", "ServiceOffering": "service offering", "DiskOffering": "disk offering",
	"NetworkOffering": "network offering",
}

// annotated are the kinds of things that remarks are made on, by the word for them.
var annotated = map[string]string{
	"VM": "virtual machine", "VOLUME": "volume", "NETWORK": "network", "INSTANCE_GROUP": "instance group", "SSH_KEYPAIR": "SSH key pair",
	"PUBLIC_IP_ADDRESS": "IP address", "TEMPLATE": "template", "DOMAIN": "domain", "ZONE": "zone", "POD": "pod", "CLUSTER": "cluster", "HOST": "host",
	"PRIMARY_STORAGE": "storage pool", "SECONDARY_STORAGE": "image store", "SERVICE_OFFERING": "service offering", "DISK_OFFERING": "disk offering",
	"NETWORK_OFFERING": "network offering",
}

// subjects are parameters that name what is changed, besides "id".
var subjects = []string{"deleteUserKeys.keypairid", "createTags.resourceids", "deleteTags.resourceids", "resetApiLimit.account"}

// isSubject tells whether a command changes what a parameter names.
func isSubject(d *api.Description, name string) bool {
	return name == "id" && d.Name != "attachIso" || slices.Contains(subjects, d.Name+"."+name) // the machine is changed, not the ISO
}

// readsOnly tells whether a command changes nothing: the words that CloudStack's begin with.
func readsOnly(d *api.Description) bool {
	for _, word := range []string{"list", "get", "query", "search", "find"} {
		if strings.HasPrefix(d.Name, word) {
			return !d.Creates
		}
	}
	return false
}

// covers tells whether accounts of one type may do all that accounts of another may, by the contract: only then they act for them.
func covers(kind, other auth.AccountType) bool {
	pair := [2]auth.AccountType{kind, other}
	known, ok := covered.Load(pair)
	if !ok {
		known = askContract(kind, other)
		covered.Store(pair, known)
	}
	return known.(bool)
}

var covered sync.Map // what askContract answered: it is asked a million times

func askContract(kind, other auth.AccountType) bool {
	if kind.Rank() < other.Rank() {
		return false
	}
	mine, theirs := person{kind: kind}.role(), person{kind: other}.role()
	return !slices.ContainsFunc(cs.All, func(one api.Command) bool {
		d := one.Describe()
		return d.Role.Allows(theirs) && !d.Role.Allows(mine)
	})
}

// isAbove tells of a domain that the caller's is in: the caller knows it from its own path, whatever else it may do with it.
func isAbove(p person, x thing) bool { return x.Kind == "domain" && within(x.path, p.path) }

// knowsFellows are parameters that take somebody who belongs to the same project: of what is in it the author is shown.
var knowsFellows = []string{"listAnnotations.userid"}

// knowsAbove are parameters that take such a domain: what is for it is for those below, too.
var knowsAbove = []string{
	"listDomainChildren.id", "listServiceOfferings.domainid", "listDiskOfferings.domainid", "listNetworkOfferings.domainid", "listZones.domainid",
}
