package cloudtest_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/uid"
)

// noAnswer is what a row of listingRules wants where there is to be no answer.
const noAnswer = "noAnswer"

// listingRules are the sentences about lists of what belongs to somebody: who asks, with what, sees the things of which accounts and projects.
// The tree is ROOT (admin), below it red (red-user, red-admin, red-mate) and blue (blue-user, blue-admin), and low (low-user) below red.
// The project shop is red-user's, and red-mate belongs to it; stall is blue-user's.
var listingRules = []struct {
	rule, who string
	params    api.Params
	want      string
}{
	{"without a word everybody sees the own things", "red-user", nil, "red-user"},
	{"so does the admin of a domain", "red-admin", nil, "red-admin"},
	{"so does the root admin", "admin", nil, "admin"},
	{"isrecursive alone adds nothing", "admin", api.Params{"isrecursive": "true"}, "admin"},

	{"account with domainid shows that account's", "admin", api.Params{"account": "blue-user", "domainid": "$blue"}, "blue-user"},
	{"account alone is one of the own domain", "red-admin", api.Params{"account": "red-user"}, "red-user"},
	{"a user names the own account", "red-user", api.Params{"account": "red-user", "domainid": "$red"}, "red-user"},
	{"and no other one of its domain", "red-user", api.Params{"account": "red-admin", "domainid": "$red"}, noAnswer},
	{"nor of another", "red-user", api.Params{"account": "blue-user", "domainid": "$blue"}, noAnswer},
	{"a domain's admin names those of the domain", "red-admin", api.Params{"account": "red-user", "domainid": "$red"}, "red-user"},
	{"and those of domains below", "red-admin", api.Params{"account": "low-user", "domainid": "$low"}, "low-user"},
	{"but none beside", "red-admin", api.Params{"account": "blue-user", "domainid": "$blue"}, noAnswer},
	{"nor above", "red-admin", api.Params{"account": "admin", "domainid": "$root"}, noAnswer},

	{"domainid shows that domain's alone", "admin", api.Params{"domainid": "$red"}, "red-admin red-user"},
	{"with isrecursive those below, too", "admin", api.Params{"domainid": "$red", "isrecursive": "true"}, "low-user red-admin red-user"},
	{"of ROOT that is everything", "admin", api.Params{"domainid": "$root", "isrecursive": "true"},
		"admin blue-admin blue-user low-user red-admin red-user"},
	{"of ROOT alone the root admin's", "admin", api.Params{"domainid": "$root"}, "admin"},
	{"a domain's admin names the own domain", "red-admin", api.Params{"domainid": "$red", "isrecursive": "true"}, "low-user red-admin red-user"},
	{"or one below", "red-admin", api.Params{"domainid": "$low"}, "low-user"},
	{"none beside", "red-admin", api.Params{"domainid": "$blue"}, noAnswer},
	{"none above", "red-admin", api.Params{"domainid": "$root", "isrecursive": "true"}, noAnswer},
	{"a user sees the own things in the own domain", "red-user", api.Params{"domainid": "$red", "isrecursive": "true"}, "red-user"},
	{"and names no other", "red-user", api.Params{"domainid": "$blue"}, noAnswer},
	{"not even below", "red-user", api.Params{"domainid": "$low"}, noAnswer},

	{"listall shows all that one may see: a user's own", "red-user", api.Params{"listall": "true"}, "red-user"},
	{"a domain's admin that of the domain and below", "red-admin", api.Params{"listall": "true"}, "low-user red-admin red-user"},
	{"the root admin everything", "admin", api.Params{"listall": "true"}, "admin blue-admin blue-user low-user red-admin red-user"},
	{"with domainid it is the domain's", "admin", api.Params{"listall": "true", "domainid": "$low"}, "low-user"},
	{"with account it is the account's", "admin", api.Params{"listall": "true", "account": "red-user", "domainid": "$red"}, "red-user"},
	{"listall=false is as nothing", "admin", api.Params{"listall": "false"}, "admin"},

	{"projectid shows that project's: who administers it", "red-user", api.Params{"projectid": "$shop"}, "shop"},
	{"a member of it", "red-mate", api.Params{"projectid": "$shop"}, "shop"},
	{"the admin of its domain", "red-admin", api.Params{"projectid": "$shop"}, "shop"},
	{"the root admin", "admin", api.Params{"projectid": "$stall"}, "stall"},
	{"no stranger to it", "red-user", api.Params{"projectid": "$stall"}, noAnswer},
	{"not a member of another one", "red-mate", api.Params{"projectid": "$stall"}, noAnswer},
	{"nor the admin of another domain", "red-admin", api.Params{"projectid": "$stall"}, noAnswer},
	{"listall adds nothing to it", "admin", api.Params{"projectid": "$shop", "listall": "true"}, "shop"},
	{"isrecursive neither", "red-admin", api.Params{"projectid": "$shop", "isrecursive": "true"}, "shop"},
	{"it goes with no account", "red-user", api.Params{"projectid": "$shop", "account": "red-user", "domainid": "$red"}, noAnswer},
	{"projectid=-1 shows those of all projects: that one administers", "red-user", api.Params{"projectid": "-1"}, "shop"},
	{"that one belongs to", "red-mate", api.Params{"projectid": "-1"}, "shop"},
	{"that are in the domain and below", "red-admin", api.Params{"projectid": "-1"}, "shop"},
	{"that there are", "admin", api.Params{"projectid": "-1"}, "shop stall"},
	{"with listall, too", "red-mate", api.Params{"projectid": "-1", "listall": "true"}, "shop"},
	{"and nothing to who is in none", "low-user", api.Params{"projectid": "-1"}, ""},
}

// Every list of what belongs to somebody obeys the same sentences, whatever it lists.
func TestListingRules(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
	call := func(by *api.Client, command string, params api.Params) {
		t.Helper()
		_, err := by.Call(t.Context(), command, params)
		must(t, err)
	}
	call(c.Client, "createDomain", api.Params{"name": "low", "parentdomainid": string(red.domain)})
	low := one(t, c.Client, cs.ListDomains, cs.ListDomainsIn{Name: "low"}).ID
	call(c.Client, "createAccount", api.Params{"username": "low-user", "password": "p", "firstname": "f", "lastname": "l", "email": "e@example.org",
		"accounttype": "0", "domainid": string(low)})
	for account, domain := range map[string]uid.Domain{
		"admin": auth.System().Domain, "red-admin": red.domain, "blue-admin": blue.domain, "low-user": low,
	} {
		with := func(params api.Params) api.Params {
			params = maps.Clone(params)
			params["account"], params["domainid"] = account, string(domain)
			return params
		}
		call(c.Client, "deployVirtualMachine", with(api.Params{"name": account, "zoneid": string(box.Zone), "templateid": string(box.Template),
			"serviceofferingid": string(box.Small)}))
		call(c.Client, "createSSHKeyPair", with(api.Params{"name": "key"}))
	}
	mate, _ := c.Tenant(t, "red-domain", "red-mate", auth.User)
	keys, err := c.Accounts.RegisterKeys(auth.With(t.Context(), auth.System()),
		uid.User(ownID(t, c.Client, "listUsers", api.Params{"listall": "true", "username": "low-user"}, func(map[string]any) bool { return true })))
	must(t, err)
	ids := map[string]string{"$root": string(auth.System().Domain), "$red": string(red.domain), "$blue": string(blue.domain), "$low": string(low)}
	for name, by := range map[string]*api.Client{"shop": red.user, "stall": blue.user} {
		call(by, "createProject", api.Params{"name": name})
		id := firstID(t, by, "listProjects")
		furnishFor(t, c, by, box, name, id, func(item map[string]any) bool { return item["projectid"] == id })
		ids["$"+name] = id
	}
	call(red.user, "addAccountToProject", api.Params{"projectid": ids["$shop"], "account": "red-mate"})
	callers := map[string]*api.Client{"admin": c.Client, "red-user": red.user, "red-admin": red.admin, "red-mate": mate, "low-user": c.ClientOf(keys)}
	known := []string{"admin", "blue-admin", "blue-user", "low-user", "red-admin", "red-user", "shop", "stall"}

	// shown are the accounts whose things a list shows.
	shown := func(by *api.Client, d *api.Description, params api.Params) (string, error) {
		all := maps.Clone(bases[d.Name])
		if all == nil {
			all = api.Params{}
		}
		if has(d, "templatefilter") {
			all["templatefilter"] = "self"
		}
		if has(d, "isofilter") {
			all["isofilter"] = "self"
		}
		maps.Copy(all, params)
		found, err := items(t, by, d, all)
		seen := map[string]bool{}
		for _, item := range found {
			for _, of := range []string{"account", "project"} {
				if owner, _ := item[of].(string); slices.Contains(known, owner) {
					seen[owner] = true
				}
			}
		}
		return strings.Join(slices.Sorted(maps.Keys(seen)), " "), err
	}
	tried := 0
	for _, one := range cs.All {
		d := one.Describe()
		if d.Kind != api.KindList || d.Creates || d.Session || !has(d, "listall") || !has(d, "account") || !has(d, "isrecursive") {
			continue
		}
		if not := noListingRules[d.Name]; not != "" {
			continue
		}
		everybody, err := shown(c.Client, d, api.Params{"listall": "true"})
		must(t, err)
		byProject := slices.ContainsFunc(d.Params(), func(p api.Param) bool { return p.Name == "projectid" && p.Of == "" }) // which takes -1, too
		if byProject {
			projects, err := shown(c.Client, d, api.Params{"projectid": "-1"})
			must(t, err)
			everybody += " " + projects
		}
		if everybody == "" {
			t.Logf("%s: nobody has any", d.Name)
			continue
		}
		tried++
		for _, r := range listingRules {
			params := api.Params{}
			for name, value := range r.params {
				if id, ok := ids[value]; ok {
					value = id
				}
				params[name] = value
			}
			role := map[string]api.Role{"admin": api.RootAdmin, "red-admin": api.DomainAdmin}[r.who]
			if role == 0 {
				role = api.User
			}
			if !openTo(d, role) || params["projectid"] != "" && !byProject {
				continue
			}
			var want []string
			for owner := range strings.FieldsSeq(r.want) {
				if strings.Contains(" "+everybody+" ", " "+owner+" ") {
					want = append(want, owner)
				}
			}
			got, err := shown(callers[r.who], d, params)
			switch {
			case r.want == noAnswer && err == nil:
				t.Errorf("%s: %s: %s %v shows what belongs to %q, want a refusal", d.Name, r.rule, r.who, r.params, got)
			case r.want != noAnswer && err != nil:
				t.Errorf("%s: %s: %s %v: %v", d.Name, r.rule, r.who, r.params, err)
			case r.want != noAnswer && got != strings.Join(want, " "):
				t.Errorf("%s: %s: %s %v shows what belongs to %q, want %q", d.Name, r.rule, r.who, r.params, got, want)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d lists of what belongs to somebody", tried)
	}
	t.Logf("%d sentences, %d lists", len(listingRules), tried)
}

// noListingRules are the lists with the same parameters that are not of what belongs to somebody, with the reason.
var noListingRules = map[string]string{
	"listResourceLimits": "with domainid alone it shows the domain's own limits, which TestLimits tries",
}

// Templates have filters of their own, and things are found by their ids and by their tags.
func TestTemplateFilters(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
	for _, name := range []string{"red-late", "red-open"} {
		_, err := red.user.Call(t.Context(), "registerTemplate", api.Params{"name": name, "displaytext": name, "format": "QCOW2", "hypervisor": "Simulator",
			"url": "http://192.0.2.1/" + name + ".qcow2", "zoneid": string(box.Zone)})
		must(t, err)
	}
	waitForJobs(t, c) // which say themselves, in the end, that templates are ready
	change(t, c, "update template_zones set state = '"+string(image.Ready)+"'",
		"update template_zones set state = '"+string(image.Waiting)+"' where template_id in (select id from templates where name = 'red-late')",
		"update templates set is_public = true where name in ('red-open', 'blue-template')")
	callers := map[string]*api.Client{"admin": c.Client, "red-user": red.user, "red-admin": red.admin}
	own := "red-late red-open red-template"
	for _, r := range []struct{ rule, who, filter, want string }{
		{"featured: public ones that admins feature", "red-user", "featured", "(featured)"},
		{"self: what the caller has registered", "red-user", "self", own},
		{"self: an admin's are the own, too", "red-admin", "self", ""},
		{"selfexecutable: those of them that are ready", "red-user", "selfexecutable", "red-open red-template"},
		{"sharedexecutable: what others have granted", "red-user", "sharedexecutable", ""},
		{"executable: the own and public ones, ready", "red-user", "executable", "(featured) blue-template red-open red-template"},
		{"community: public and not featured", "red-user", "community", "blue-template red-open"},
		{"all: everything, ready or not", "admin", "all", "(featured) blue-template " + own},
		{"all: for admins only", "red-user", "all", noAnswer},
	} {
		found, err := items(t, callers[r.who], described("listTemplates"), api.Params{"templatefilter": r.filter, "listall": strconv.FormatBool(r.filter == "all")})
		if (err != nil) != (r.want == noAnswer) {
			t.Errorf("%s: %v", r.rule, err)
		}
		seen := map[string]bool{}
		for _, item := range found {
			name := item["name"].(string)
			if item["isfeatured"] == true {
				name = "(featured)"
			}
			seen[name] = true
		}
		if got := strings.Join(slices.Sorted(maps.Keys(seen)), " "); r.want != noAnswer && got != r.want {
			t.Errorf("%s: %s sees %q, want %q", r.rule, r.who, got, r.want)
		}
	}
	mine, theirs := firstID(t, red.user, "listVirtualMachines"), firstID(t, blue.user, "listVirtualMachines")
	for _, r := range []struct {
		rule, who string
		params    api.Params
		want      string
	}{
		{"an id is looked for in all that one may see", "admin", api.Params{"id": mine}, "red-vm"},
		{"by the admin of its domain, too", "red-admin", api.Params{"id": mine}, "red-vm"},
		{"but by no other", "red-admin", api.Params{"id": theirs}, ""},
		{"of several ids those are shown that one may see", "red-user", api.Params{"ids": mine + "," + theirs}, "red-vm"},
		{"to the root admin all of them", "admin", api.Params{"ids": mine + "," + theirs}, "blue-vm red-vm"},
		{"a tag shows what has it", "red-user", api.Params{"tags[0].key": "red-UserVm"}, "red-vm"},
		{"of the own things only", "admin", api.Params{"tags[0].key": "red-UserVm"}, ""},
		{"unless all are asked for", "admin", api.Params{"tags[0].key": "red-UserVm", "listall": "true"}, "red-vm"},
		{"another tenant's tag shows nothing", "red-user", api.Params{"tags[0].key": "blue-UserVm", "listall": "true"}, ""},
		{"a value narrows it", "red-user", api.Params{"tags[0].key": "red-UserVm", "tags[0].value": "other"}, ""},
	} {
		found, err := items(t, callers[r.who], described("listVirtualMachines"), r.params)
		must(t, err)
		var names []string
		for _, item := range found {
			names = append(names, item["name"].(string))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != r.want {
			t.Errorf("%s: %s sees %q, want %q", r.rule, r.who, got, r.want)
		}
	}
}
