package cloudtest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// No tenant finds, names or touches what is another's, whatever the command and the parameter: the lists of the contract are asked
// in all ways there are, and each parameter that takes an id is given the other's. New commands are covered as soon as they are
// declared; what is for everybody (zones, offerings, featured templates) is left out by itself, since a stranger sees it, too.
func TestTenantsAreAlone(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	stranger, _ := c.Tenant(t, "green", "green-admin", auth.DomainAdmin)
	red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
	for _, e := range []*estate{red, blue} {
		e.survey(t, c, stranger)
		for kind := range strings.SplitSeq("virtual machine,volume,network,IP address,security group,SSH key pair,template,instance group,NIC,annotation,event,job,user,account,"+
			"domain,zone,service offering,disk offering,network offering", ",") {
			if len(e.ids[kind]) == 0 {
				t.Fatalf("%s has no %s of its own: %v", e.name, kind, e.ids)
			}
		}
	}
	_, err := red.user.Call(t.Context(), "stopVirtualMachine", api.Params{"id": red.ids["virtual machine"][0]}) // so that more can be done to it
	must(t, err)
	for who, by := range map[string]*api.Client{"user": red.user, "domain admin": red.admin} {
		role := api.User
		if who == "domain admin" {
			role = api.DomainAdmin
		}
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			s := sweep{Cloud: c, by: by, mine: red, theirs: blue, box: box}
			for _, one := range cs.All {
				d := one.Describe()
				switch {
				case !openTo(d, role):
				case d.Kind == api.KindList && !d.Creates:
					s.list(t, d)
				default:
					s.command(t, d)
				}
			}
		})
	}
}

// sweep is one tenant who tries everything on another one's things.
type sweep struct {
	*cloudtest.Cloud
	by           *api.Client
	mine, theirs *estate
	box          cloudtest.Sandbox
}

// list asks a list in every way in which it might show what is the other tenant's.
func (s sweep) list(t *testing.T, d *api.Description) {
	t.Helper()
	for _, params := range wide(d) {
		ways := []api.Params{params}
		if has(d, "listall") {
			ways = append(ways, with(params, "listall", "false"), with(params, "isrecursive", "true"))
		}
		if has(d, "account") {
			ways = append(ways, with(params, "account", s.theirs.account(), "domainid", string(s.theirs.domain)), with(params, "account", s.theirs.account()))
		}
		for _, p := range d.Params() {
			for _, value := range s.values(p) {
				ways = append(ways, with(params, p.Name, value))
				if has(d, "listall") {
					ways = append(ways, with(params, p.Name, value, "listall", "false"))
				}
				if p.Name == "resourceid" {
					ways = append(ways, with(params, p.Name, value, "resourcetype", "VirtualMachine"))
				}
			}
		}
		for _, way := range ways {
			found, err := items(t, s.by, d, way)
			if err != nil && d.Name == "listApis" {
				continue // a word is no command
			}
			if err != nil {
				refusedFor(t, d, way, err)
				continue
			}
			for _, item := range found {
				s.inspect(t, d, way, item)
			}
		}
	}
}

// values are what of the other tenant a parameter could name.
func (s sweep) values(p api.Param) (out []string) {
	switch {
	case p.Of != "":
		if ids := s.theirs.ids[p.Of]; len(ids) > 0 {
			out = append(out, ids[0])
		}
	case p.Name == "resourceid":
		out = append(out, s.theirs.ids["virtual machine"][0])
	case p.Name == "resourcetype":
	case p.Type == "string" && p.OneOf == nil && p.Name != "account" && !strings.HasPrefix(p.Name, "project"):
		out = append(out, s.theirs.name)
		for _, item := range s.theirs.shown {
			if text, ok := item[p.Name].(string); ok && len(out) < 4 {
				out = append(out, text)
			}
		}
	}
	return out
}

// inspect looks for anything of the other tenant's in what was answered, at any depth.
func (s sweep) inspect(t *testing.T, d *api.Description, way api.Params, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for _, v := range value {
			s.inspect(t, d, way, v)
		}
	case []any:
		for _, v := range value {
			s.inspect(t, d, way, v)
		}
	case string:
		for kind, ids := range s.theirs.ids {
			for _, id := range ids {
				if value == id {
					t.Errorf("%s %v shows the other tenant's %s %s", d.Name, way, kind, id)
				}
			}
		}
		if strings.Contains(value, s.theirs.name+"-") {
			t.Errorf("%s %v shows the other tenant's %q", d.Name, way, value)
		}
	}
}

// kindIn is the kind of thing whose ids a parameter takes, also one that takes another word instead.
func kindIn(p api.Param) string {
	if p.Of == "" && (p.Name == "zoneid" || p.Name == "zoneids") {
		return "zone"
	}
	return p.Of
}

// together are parameters that are asked for beside another one.
var together = map[string]string{"detachVolume.virtualmachineid": "deviceid"}

// command gives the other tenant's ids to each parameter of a command that takes one of that kind.
func (s sweep) command(t *testing.T, d *api.Description) {
	t.Helper()
	for _, p := range d.Params() {
		names := map[string]string{p.Name: kindIn(p)}
		for _, f := range p.Fields {
			names[p.Name+"[0]."+f.Name] = f.Of
		}
		for name, kind := range names {
			if ids := s.theirs.ids[kind]; kind != "" && len(ids) > 0 {
				params := with(s.fill(d), name, ids[0])
				if more := together[d.Name+"."+name]; more != "" {
					params[more] = "0"
				}
				if name == "zoneids" {
					delete(params, "zoneid") // one of the two
				}
				if name == "domainid" && has(d, "account") {
					params["account"] = s.theirs.account()
				}
				s.refuses(t, d, params, ids[0])
			}
		}
	}
	for kind, of := range map[string]string{"UserVm": "virtual machine", "Volume": "volume", "Network": "network", "SecurityGroup": "security group",
		"PublicIpAddress": "IP address", "Template": "template"} {
		if has(d, "resourceids") {
			params := with(s.fill(d), "resourcetype", kind, "tags[0].key", "x", "tags[0].value", "x")
			id := s.theirs.ids[of][0]
			s.refuses(t, d, with(params, "resourceids", id), id)
			s.refuses(t, d, with(params, "resourceids", s.mine.ids[of][0]+","+id), id) // and the own one stays as it is
		}
	}
	if has(d, "entityid") {
		for kind, of := range map[string]string{"VM": "virtual machine", "VOLUME": "volume", "NETWORK": "network", "INSTANCE_GROUP": "instance group",
			"SSH_KEYPAIR": "SSH key pair", "PUBLIC_IP_ADDRESS": "IP address", "TEMPLATE": "template", "DOMAIN": "domain"} {
			id := s.theirs.ids[of][0]
			s.refuses(t, d, with(s.fill(d), "annotation", "x", "entitytype", kind, "entityid", id), id)
		}
	}
	if has(d, "account") && has(d, "domainid") {
		s.refuses(t, d, with(s.fill(d), "account", s.theirs.account()), s.theirs.account())
	}
}

// refuses wants a command to be refused because of what it names, and to have changed nothing.
func (s sweep) refuses(t *testing.T, d *api.Description, params api.Params, named string) {
	t.Helper()
	before := s.deeds(t)
	answer, err := s.by.Call(t.Context(), d.Name, params)
	if err == nil {
		t.Errorf("%s %v was done: %s", d.Name, params, answer)
		return
	}
	refusedFor(t, d, params, err)
	if text := err.Error(); !strings.Contains(text, named) && !strings.Contains(text, "only administrators may") && !strings.Contains(text, "only root admins may") {
		t.Errorf("%s %v was refused, but not for %s: %v", d.Name, params, named, err)
	}
	if after := s.deeds(t); after != before {
		t.Errorf("%s %v was refused, and %d events, jobs and sessions are new: %v", d.Name, params, after-before, err)
	}
}

func refusedFor(t *testing.T, d *api.Description, params api.Params, err error) {
	t.Helper()
	e, ok := errors.AsType[*api.RemoteError](err)
	if !ok || e.Code != 431 && e.Code != 531 {
		t.Errorf("%s %v: %v", d.Name, params, err)
	}
}

// deeds counts what every change leaves.
func (s sweep) deeds(t *testing.T) (n int) {
	t.Helper()
	must(t, s.DB.Read().NewRaw("select (select count(*) from events) + (select count(*) from operations)").Scan(t.Context(), &n))
	return n
}

// texts are what commands must be told besides ids, by the parameter's name.
var texts = map[string]string{
	"publickey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIiSvG3VqDxTq0qkWVJ0mZ0mXcG2gQY2mWb6mA8jS1pU",
	"url":       "http://192.0.2.1/x.qcow2", "format": "QCOW2", "hypervisor": "Simulator",
}

// fill gives what a command must be told, so that it could be done: things of the tenant's own, or everybody's.
func (s sweep) fill(d *api.Description) api.Params {
	params := api.Params{}
	for _, p := range d.Params() {
		if !p.Required && !needed[d.Name+"."+p.Name] {
			continue
		}
		switch {
		case p.Fields != nil: // said where they are tried
		case kindIn(p) == "zone":
			params[p.Name] = string(s.box.Zone)
		case p.Of == "template" && d.Name != "deleteTemplate":
			params[p.Name] = string(s.box.Template)
		case p.Of == "service offering":
			params[p.Name] = string(s.box.Small)
		case p.Of == "disk offering":
			params[p.Name] = string(s.box.DiskOffering["Small"])
		case p.Of == "network offering":
			params[p.Name] = string(s.box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"])
		case p.Of != "":
			params[p.Name] = s.mine.ids[p.Of][0]
		case p.OneOf != nil:
			params[p.Name] = p.OneOf[0]
		case texts[p.Name] != "":
			params[p.Name] = texts[p.Name]
		case p.Type == "string":
			params[p.Name] = "x"
		default:
			params[p.Name] = "1"
		}
	}
	return params
}

// needed are parameters that commands need although CloudStack's contract calls them optional.
var needed = map[string]bool{
	"deployVirtualMachine.templateid": true, "createVolume.zoneid": true, "createVolume.diskofferingid": true, "registerTemplate.zoneid": true,
	"deleteSecurityGroup.id": true,
}
