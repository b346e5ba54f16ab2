package house

import (
	"path"
	"slices"
	"strings"
)

// domain is the domain, bottom to top. A package imports those before it and never one after it. An arrow that wants to run
// upward is turned round: the upper package writes into the lower one's table, or implements an interface that it declares.
var domain = strings.Fields(`
	role detail firmware annotation certificate limit account ldap oidc saml apilimit keypair tag project grant zone offering provider vlan subnet physnet network host inquest document peer secgroup agent router rule address vpc vpn pool image volume snapshot vmsnapshot vmgroup extraction upload placement relocation migration compute guarded guest credential console upkeep failover meter autoscale
	usage quota order closing capacity
`)

// rules say who may import whom of our own packages, and which of Go's packages are out of bounds. The first rule that a
// package matches is its rule; a package without one fails. DOMAIN stands for any package of the domain, BELOW for those
// before the importing one; "X/..." is everything below X. Tests may in addition import the aids.
var rules = []rule{
	{"uid", "", "net/http", "ids are shared by contract, domain and clients: they lean on nothing of ours"},
	{"api", "uid", "", "what a command is must be known without any service: clients in other modules import it"},
	{"api/...", "api uid", "", "a contract that needed a service could not describe one"},

	{"internal/porttest", "", "net/http", "ports for programs that tests start"},
	{"internal/filelock", "", "net/http", "what is locked is not the business of the lock"},
	{"internal/fault", "", "net/http", "an error's kind is not yet an HTTP status: facades translate"},
	{"internal/secret", "internal/fault uid", "net/http", "whoever holds a secret should be small enough to be read in one go"},
	{"internal/db", "internal/fault internal/filelock uid", "net/http", "the database knows no table's meaning"},
	{"internal/bus", "internal/fault uid internal/secret", "", "what is carried is not the carrier's business"},
	{"internal/bus/bustest", "", "", "what both ends of a bus trust, for tests"},
	{"internal/auth", "internal/db internal/secret internal/fault uid", "net/http", "every facade asks it in its own words"},
	{"internal/audit", "internal/auth internal/db internal/secret internal/fault uid", "net/http", "what is changed by all is recorded by all, so it imports none"},
	{"internal/directory", "internal/secret internal/fault", "net/http", "a directory is asked without knowing for whom"},
	{"internal/directory/directorytest", "internal/directory internal/porttest internal/secret", "", "a real directory for tests"},
	{"internal/event", "internal/audit internal/auth internal/db internal/fault uid", "net/http", "events are written by all, so they import none"},
	{"internal/alert", "internal/db internal/fault uid", "net/http", "alerts are raised by all, so they import none"},
	{"internal/setting", "internal/event internal/auth internal/db internal/secret internal/fault uid", "net/http",
		"settings are read by all, so they import nothing that has any"},
	{"internal/once", "internal/auth internal/db internal/fault uid", "net/http", "whoever makes something records it, so it imports none of them"},
	{"internal/op", "internal/once internal/auth internal/bus internal/db internal/fault uid", "net/http", "the engine runs plans that it knows nothing of"},
	{"internal/crew", "", "net/http", "workers know things by their ids, not what they do for them"},
	{"internal/keep", "internal/auth internal/bus internal/db internal/fault uid", "net/http", "keepers know their holder, not their work"},

	{"internal/oidc", "BELOW " + mechanics + " internal/outside/openid internal/outside/fetch", "net/http os/exec",
		"who somebody is says a provider, and only how it is asked is known outside"},
	{"internal/saml", "BELOW " + mechanics + " internal/outside/fetch internal/outside/idp", "net/http os/exec", "metadata come from elsewhere; all else comes with the browser"},
	{"internal/ldap", "internal/directory internal/account internal/role " + mechanics, "net/http os/exec", "as the domain, over directories"},
	{"internal/DOMAIN", "BELOW " + mechanics + " internal/hypervisor", "net/http os/exec",
		"a service decides the same for every facade, over drivers it knows by interface only"},

	{"internal/hypervisor", "internal/secret internal/fault uid", "net/http", "what is asked of a driver, without saying which"},
	{"internal/hypervisor/vnet", "internal/hypervisor internal/fault uid", "net/http", "links and packet filters are told what to be; they ask nobody"},
	{"internal/hypervisor/metadata", "internal/fault uid", "", "what guests are told comes to it ready; it is asked by guests, so it is small"},
	{"internal/hypervisor/vrouter", "internal/hypervisor internal/hypervisor/vnet internal/hypervisor/metadata internal/secret internal/fault uid", "net/http",
		"a router is what its document says"},
	{"internal/hypervisor/vnet/vnettest", "internal/hypervisor/vnet", "", "networks of a test's own"},
	{"internal/hypervisor/kvm", "internal/hypervisor internal/hypervisor/kvm/... internal/secret internal/fault internal/filelock uid", "net/http",
		"what a host does for its machines; how images come to it is somebody else's, behind an interface"},
	{"internal/hypervisor/node", "internal/hypervisor internal/hypervisor/remote internal/hypervisor/kvm internal/hypervisor/vnet internal/hypervisor/vrouter api/agent internal/bus internal/fault internal/filelock uid", "net/http",
		"an agent puts together what its host can do, and does what it is asked"},
	{"internal/hypervisor/buckets", "internal/hypervisor internal/hypervisor/remote internal/outside/bucket internal/bus internal/secret internal/fault uid", "net/http",
		"hosts are spared what a bucket is: who speaks with both is small"},
	{"internal/hypervisor/...", "internal/hypervisor api/agent internal/bus internal/secret internal/fault uid", "",
		"drivers act on what they are told; a driver that could look things up would decide"},
	{"internal/tinyimage", "", "database/sql net/http", "an image is made of what is on the machine"},
	{"internal/tinyimage/tinyimagetest", "internal/tinyimage", "", "a guest for tests"},
	{"internal/outside/idp/idptest", "", "", "an identity provider for tests"},
	{"internal/outside/bucket/buckettest", "internal/porttest", "", "a bucket for tests"},
	{"internal/outside/idp", "internal/outside/fetch internal/fault internal/secret", "net/http", "what providers say comes with a browser"},
	{"internal/outside/openid", "internal/outside/fetch internal/fault internal/secret", "", "providers are asked within the same bounds as anybody"},
	{"internal/outside/...", "internal/fault internal/secret", "", "what leaves the machine is behind an interface its user declares"},

	{"internal/facade/cloudstack/front", "api api/cloudstack internal/account internal/project internal/apilimit internal/role internal/audit internal/setting internal/once internal/db internal/auth internal/secret internal/fault uid",
		"database/sql os/exec", "what is the same for every command knows no noun: all that it asks services is who calls, and what they may"},
	{"internal/facade/cloudstack/wire", "api api/cloudstack DOMAIN uid", "net/http", "what a thing is called needs neither who asks nor a database"},
	{"internal/facade/cloudstack/look", "api internal/db internal/fault uid", "database/sql os/exec", "what all translators do alike knows no noun"},
	{"internal/facade/cloudstack/owned", "internal/facade/cloudstack/look internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/plant", "internal/facade/cloudstack/front internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/agents", "internal/facade/cloudstack/look api api/agent api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/address", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/balancer", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/disk", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/router", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/vmsnapshot", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/secgroup", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/rule", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/ldap", "internal/facade/cloudstack/look api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/console", "internal/facade/cloudstack/front api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/extract", "internal/facade/cloudstack/front internal/facade/cloudstack/look api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/upload", "internal/facade/cloudstack/front internal/facade/cloudstack/look api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/machine", "internal/facade/cloudstack/look internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/offer", "internal/facade/cloudstack/look internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/note", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/project", "internal/facade/cloudstack/look internal/facade/cloudstack/owned internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/region", "internal/facade/cloudstack/look internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack/signon", "internal/outside/idp internal/facade/cloudstack/front internal/facade/cloudstack/look api api/cloudstack DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudstack", "internal/facade/cloudstack/address internal/facade/cloudstack/balancer internal/facade/cloudstack/console internal/facade/cloudstack/disk internal/facade/cloudstack/extract internal/facade/cloudstack/router internal/facade/cloudstack/rule internal/facade/cloudstack/vmsnapshot internal/facade/cloudstack/secgroup internal/facade/cloudstack/agents internal/facade/cloudstack/signon internal/facade/cloudstack/upload internal/facade/cloudstack/front internal/facade/cloudstack/ldap internal/facade/cloudstack/look internal/facade/cloudstack/machine internal/facade/cloudstack/note internal/facade/cloudstack/offer internal/facade/cloudstack/owned internal/facade/cloudstack/plant internal/facade/cloudstack/project internal/facade/cloudstack/region internal/facade/cloudstack/wire api api/cloudstack DOMAIN " + mechanics + " internal/hypervisor", "database/sql os/exec", facades},
	{"internal/facade/vcloud", "api api/vcloud DOMAIN " + mechanics, "database/sql os/exec", facades},
	{"internal/facade/cloudbolt", "api api/cloudbolt DOMAIN " + mechanics, "database/sql os/exec", facades},

	{"internal/datacenter", "api api/cloudstack uid", "database/sql", "a data centre's file is applied by a client like any other"},
	{"internal/remote", "api", "database/sql", "a cloud as programs see it that know no contract: any will do"},
	{"internal/bench", "internal/remote api", "database/sql", "what is measured is what a client meets"},
	{"internal/doctor", "internal/remote api api/cloudstack", "database/sql", "the doctor sees what a user sees; databases are looked at by who may open them"},
	{"internal/dump", "internal/remote api", "database/sql", "what a bug report has in it is what a user could have asked for"},
	{"internal/cli", "internal/bench internal/doctor internal/dump internal/remote api api/cloudstack uid", "database/sql",
		"the command line is a client like any other"},
	{"internal/cloud", "api/... DOMAIN internal/facade/... internal/hypervisor/... internal/hypervisor internal/outside/bucket internal/bus web api " + mechanics, "",
		"the one place where everything meets; the binary and the tests of the whole share it"},
	{"internal/cloudtest", aids + " internal/cloud internal/datacenter internal/facade/... internal/hypervisor api api/... DOMAIN " + mechanics, "",
		"a whole cloud in a test's process, reached the way clients reach it"},
	{"internal/db/dbtest", "internal/db uid", "", "test databases"},
	{"internal/op/optest", "internal/op internal/auth internal/db internal/fault uid", "", "the storm knows plans, not what they do"},

	{"web", "", "", "the console is files; it knows the API as any other client does"},
	{"cmd/...", "internal/outside/bucket internal/outside/download internal/tinyimage DOMAIN internal/facade/... internal/hypervisor/... internal/hypervisor internal/cloud internal/cli internal/datacenter internal/doctor web api api/... " + mechanics,
		"", "the binary hands everything what it needs from flags, files and the environment"},
	{"internal/tools/...", "api api/... internal/setting", "", "generators read what is declared, commands and settings, and nothing that serves it"},
	{"internal/house", "", "", "rules about the code must not depend on it"},
}

// mechanics are what every service may use.
const mechanics = "internal/audit internal/crew internal/op internal/once internal/keep internal/db internal/auth internal/event internal/alert internal/setting internal/secret internal/fault uid"

const facades = "facades translate; a rule that two of them need lives in a service, so none imports another or a driver"

// aids are what tests may import besides what their package may.
const aids = "internal/porttest internal/bus/bustest internal/db/dbtest internal/outside/idp/idptest internal/outside/bucket/buckettest internal/directory/directorytest internal/op/optest internal/hypervisor/hypervisortest internal/hypervisor/sim internal/hypervisor/kvm internal/hypervisor/vnet/vnettest internal/cloudtest internal/tinyimage/tinyimagetest internal/outside/download"

type rule struct {
	packages string
	may      string // our packages, separated by spaces
	never    string // Go's packages
	why      string
}

// ruleOf gives the rule of a package, nil where there is none.
func ruleOf(dir string) *rule {
	for i, r := range rules {
		if matches(r.packages, dir) {
			return &rules[i]
		}
	}
	return nil
}

func matches(pattern, dir string) bool {
	if above, deep := strings.CutSuffix(pattern, "/..."); deep {
		return strings.HasPrefix(dir, above+"/")
	}
	if pattern == "internal/DOMAIN" {
		return level(dir) >= 0
	}
	return pattern == dir
}

// level is a package's place in the domain, -1 outside.
func level(dir string) int {
	name, inside := strings.CutPrefix(dir, "internal/")
	if !inside {
		return -1
	}
	return slices.Index(domain, name)
}

// allows tells whether a package with this rule may import another one of ours.
func (r *rule) allows(from, to string) bool {
	return slices.ContainsFunc(strings.Fields(r.may), func(may string) bool {
		switch may {
		case "DOMAIN":
			return level(to) >= 0
		case "BELOW":
			return level(to) >= 0 && level(to) < level(from)
		}
		return matches(may, to)
	})
}

func checkImports(t *tree, found *findings) {
	for dir, files := range t.packages() {
		r := ruleOf(dir)
		if r == nil {
			found.in(dir, 0, "no rule says what this package may import: give it one in internal/house/imports_test.go")
			continue
		}
		for _, f := range files {
			for imported, pos := range f.imports {
				to, own := strings.CutPrefix(imported, module)
				switch {
				case !own && slices.Contains(strings.Fields(r.never), imported) && !f.test:
					found.at(pos, "%s must not import %s: %s", dir, imported, r.why)
				case own && support(to) && !f.test:
					found.at(pos, "%s is for tests", to)
				case !own, to == dir && f.Name.Name == path.Base(dir)+"_test", r.allows(dir, to):
				case f.test && slices.Contains(strings.Fields(aids), to):
				default:
					found.at(pos, "%s must not import %s: %s", dir, to, r.why)
				}
			}
		}
	}
}

// parts are the modules of others that we build on, and where. A new one is a decision: it gets a line, and where it is more
// than a detail, a record in docs/decisions.
var parts = []part{
	{"github.com/google/uuid", "uid", "ids are made in one place"},
	{"github.com/uptrace/bun", "internal/...", "queries; checkSQL says in which files"},
	{"github.com/jackc/pgx/v5", "internal/db internal/db/dbtest", "PostgreSQL's driver"},
	{"modernc.org/sqlite", "internal/db internal/hypervisor/sim", "SQLite's driver; the simulated world is a file of its own"},
	{"zombiezen.com/go/sqlite", "internal/db", "the same SQLite without database/sql, for rows of lists"},
	{"github.com/pressly/goose/v3", "internal/db", "migrations"},
	{"github.com/go-ldap/ldap/v3", "internal/directory internal/directory/directorytest", "asks directories"},
	{"github.com/go-asn1-ber/asn1-ber", "internal/directory", "how long an answer of a directory can be"},
	{"software.sslmate.com/src/go-pkcs12", "internal/directory", "reads truststores as Java makes them"},
	{"github.com/coreos/go-oidc/v3", "internal/outside/openid", "OpenID Connect"},
	{"golang.org/x/oauth2", "internal/outside/openid", "OAuth 2.0"},
	{"github.com/go-jose/go-jose/v4", "TESTS", "tokens, made by a test's provider"},
	{"github.com/russellhaering/goxmldsig", "internal/saml internal/outside/idp internal/outside/idp/idptest", "signatures of XML"},
	{"github.com/beevik/etree", "internal/saml internal/outside/idp internal/outside/idp/idptest", "XML as what is signed has it"},
	{"github.com/mattermost/xml-roundtrip-validator", "internal/outside/idp", "refuses XML that two readers could read differently"},
	{"github.com/crewjam/saml", "internal/saml internal/outside/idp internal/outside/idp/idptest", "SAML's messages and metadata as types; the checks are our own, on what was signed and nothing else"},
	{"github.com/pquerna/otp", "internal/auth", "codes of authenticator apps"},
	{"golang.org/x/crypto/argon2", "internal/auth", "password hashes"},
	{"golang.org/x/crypto/ssh", "internal/keypair", "reads and writes SSH keys as every client and guest does"},
	{"github.com/alecthomas/kong", "cmd/... internal/cli", "flags and help"},
	{"github.com/peterh/liner", "cmd/...", "lines typed into virga shell: editing, history, completion"},
	{"golang.org/x/term", "cmd/...", "passwords are typed unseen; what is a terminal and what is not"},
	{"github.com/goccy/go-yaml", "internal/datacenter", "data centres are described in YAML; errors tell line and column"},
	{"github.com/prometheus/client_golang", "internal/facade/cloudstack/front internal/cloud", "metrics, served beside the API"},
	{"github.com/vishvananda/netlink", "internal/hypervisor/vnet internal/hypervisor/vnet/vnettest internal/hypervisor/vrouter internal/hypervisor/metadata", "links, addresses, routes: the kernel's own protocol, and no program's output"},
	{"github.com/vishvananda/netns", "internal/hypervisor/vnet", "network namespaces"},
	{"golang.org/x/sys/unix", "internal/hypervisor/...", "what the kernel has no other words for: taps"},
	{"golang.org/x/net/ipv6", "TESTS", "asks a network for its routers"},
	{"github.com/coder/websocket", "internal/facade/cloudstack/console", "browsers' connections to screens"},
	{"github.com/minio/minio-go/v7", "internal/outside/bucket", "speaks with buckets of S3"},
	{"github.com/johannesboyne/gofakes3", "internal/outside/bucket/buckettest", "what S3 answers, in memory; that requests are signed we check ourselves"},
	{"github.com/nats-io", "internal/bus", "messages between servers and agents"},
	{"github.com/apache/cloudstack-go/v2", "TESTS", "the library that most Go tools for CloudStack are made with, as a client of ours"},
	{"pgregory.net/rapid", "TESTS", "properties"},
	{"github.com/google/go-cmp", "TESTS", "differences"},
	{"github.com/rogpeppe/go-internal", "TESTS", "stories of the command line"},
	{"go.uber.org/goleak", "TESTS", "goroutines left behind"},
	{"golang.org/x/tools/txtar", "TESTS", "stories in one file"},
}

type part struct{ module, where, why string }

func checkParts(t *tree, found *findings) {
	for _, f := range t.files {
		for imported, pos := range f.imports {
			host, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(host, ".") || strings.HasPrefix(imported, module) {
				continue
			}
			i := slices.IndexFunc(parts, func(p part) bool {
				return imported == p.module || strings.HasPrefix(imported, p.module+"/")
			})
			switch {
			case i < 0:
				found.at(pos, "%s is new here: give it a line in internal/house/imports_test.go, with where and why", imported)
			case f.test:
			case !slices.ContainsFunc(strings.Fields(parts[i].where), func(where string) bool { return matches(where, f.dir) }):
				found.at(pos, "%s belongs in %s (%s)", imported, parts[i].where, parts[i].why)
			}
		}
	}
}
