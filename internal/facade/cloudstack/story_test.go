package cloudstack

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

var update = flag.Bool("update", false, "write the answers into testdata/*.txtar")

// A story is a file of requests and their answers. A request's first line is
//
//	GET|POST who [path]
//
// where who is nobody, a tenant (who signs), or session:tenant (who signs in, and then sends cookies and session key), and its
// second line the parameters, in which ${user:NAME}, ${account:NAME}, ${domain:NAME}, ${job} (of the last answer that had
// one) and ${id:WORD} (the first in the answer to the request that is named by this word) are replaced. An answer has the status, the headers that matter, and the body, with ids, times and keys made the same
// every time.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := &story{cloud: newCloud(t), sessions: map[string]*session{}, ids: map[string]string{}, made: map[string]string{}}
			s.tell(t, file)
		})
	}
}

// Stories in testdata/plant are told where there is a zone with all that belongs into it; ${zone}, ${ostype}, ${offering}, ${disk} and
// ${template} are the plant's, and ${routed} makes networks whose routers do all that there is.
func TestPlantStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/plant/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, dbtest.SQLite(t))
			s := &story{cloud: p.cloud, sessions: map[string]*session{}, ids: map[string]string{}, made: map[string]string{}}
			s.known = map[string]string{"zone": string(p.zone.ID), "ostype": string(p.osType), "offering": string(p.small.ID),
				"disk": string(p.disk.ID), "template": string(p.template.ID), "routed": string(p.routed())}
			s.tell(t, file)
		})
	}
}

// routed makes a network offering whose router does all that there is.
func (p *running) routed() uid.NetworkOffering {
	in := offering.Network{
		Name: "routed", DisplayText: "with all services", GuestType: offering.Isolated, TrafficType: "Guest", Availability: "Optional",
		State: offering.Enabled, ConserveMode: true, NetworkRate: 200, EgressOpen: true,
	}
	for _, service := range []string{"Dhcp", "Dns", "UserData", "SourceNat", "StaticNat", "PortForwarding", "Lb", "Firewall"} {
		in.Services = append(in.Services, offering.NetworkService{Name: service, Provider: "VirtualRouter"})
	}
	return made(p, p.facade.Offerings.CreateNetwork, in).ID
}

type story struct {
	*cloud
	sessions map[string]*session
	job      string
	ids      map[string]string
	made     map[string]string // the first id in the answer to a request, by the request's name
	known    map[string]string // what a plant has
	now      string            // the request's name
}

func (s *story) tell(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	s.must(err)
	archive := txtar.Parse(text)
	told := &txtar.Archive{Comment: archive.Comment}
	for i := range archive.Files {
		request := archive.Files[i]
		name, isRequest := strings.CutSuffix(request.Name, " >")
		if !isRequest {
			continue
		}
		s.now = name
		got := txtar.File{Name: name + " <", Data: []byte(s.ask(string(request.Data)))}
		told.Files = append(told.Files, request, got)
		if *update {
			continue
		}
		if i+1 == len(archive.Files) || archive.Files[i+1].Name != got.Name || !bytes.Equal(archive.Files[i+1].Data, got.Data) {
			t.Errorf("%s: %s\n%s", file, got.Name, got.Data)
		}
	}
	if *update {
		s.must(os.WriteFile(file, txtar.Format(told), 0o644))
	}
}

func (s *story) ask(request string) string {
	head, params, _ := strings.Cut(strings.TrimSpace(request), "\n")
	words := append(strings.Fields(head), "/client/api")
	method, who, path := words[0], words[1], words[2]
	if r := s.send(method, path, who, s.fill(strings.TrimSpace(params))); r.status != 0 {
		if found := regexp.MustCompile(`jobid"?[:>]"?([0-9a-f-]{36})`).FindStringSubmatch(r.body); found != nil {
			s.job = found[1]
			s.await(uid.Op(s.job))
		}
		if found := regexp.MustCompile(`"id":"([0-9a-f-]{36})"`).FindStringSubmatch(r.body); found != nil {
			s.made[s.now] = found[1]
		}
		return s.show(r)
	}
	return "no answer\n"
}

func (s *story) fill(params string) string {
	return regexp.MustCompile(`\$\{(\w+):?([\w-]*)\}`).ReplaceAllStringFunc(params, func(ref string) string {
		kind, name, _ := strings.Cut(strings.Trim(ref, "${}"), ":")
		who := s.tenants[name]
		if id, known := s.known[kind]; known {
			return id
		}
		return map[string]string{
			"id": s.made[name], "user": string(who.User), "account": string(who.Account), "domain": string(who.Domain), "job": s.job, "password": password,
		}[kind]
	})
}

func (s *story) send(method, path, who, params string) reply {
	var cookies []*http.Cookie
	if tenant, ok := strings.CutPrefix(who, "session:"); ok {
		one := s.sessions[tenant]
		if one == nil {
			one = s.login(tenant)
			s.sessions[tenant] = one
		}
		params += "&sessionkey=" + one.key
		cookies = append(cookies, one.cookies["JSESSIONID"])
	} else if keys := s.tenants[who].keys; keys.APIKey != "" {
		p := paramsOf(s.request("GET", "/?"+params, ""))
		p["apiKey"] = keys.APIKey
		inPath, alias := strings.CutPrefix(path, "/client/api/")
		if alias {
			p["command"] = inPath // it is signed wherever it stands
		}
		p["signature"] = api.Sign(p, keys.Secret.Reveal())
		if alias {
			delete(p, "command")
		}
		params = encode(p)
	}
	r := s.request(method, path+"?"+params, "")
	if method == "POST" {
		r = s.request(method, path, params)
	}
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return s.do(r)
}

// paramsOf gives the parameters of a request's query, as a client has them before it signs; a name that is repeated counts once.
func paramsOf(r *http.Request) api.Params {
	p := api.Params{}
	for name, values := range r.URL.Query() {
		p[name] = values[len(values)-1]
	}
	return p
}

var (
	anID      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	aTime     = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000`)
	aKey      = regexp.MustCompile(`("?(?:apikey|secretkey|sessionkey|password)"?[>:=] ?"?)[\w-]{16,}`)
	aTaking   = regexp.MustCompile(`_VS_\d{14}(_\d+)?`)     // in what VM snapshots are called on their hosts
	aPlace    = regexp.MustCompile(`("hostname": )"h[12]"`) // either of a plant's hosts is as good
	sessionID = regexp.MustCompile(`JSESSIONID=[\w-]+`)
)

func (s *story) show(r reply) string {
	var out strings.Builder
	fmt.Fprintln(&out, r.status)
	for _, name := range []string{"Content-Type", "X-Description", "Allow", "Set-Cookie"} {
		for _, value := range r.header[name] {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(r.body), "", "  ") == nil {
		r.body = pretty.String()
	}
	fmt.Fprintf(&out, "\n%s\n", r.body)
	text := aTaking.ReplaceAllString(out.String(), "_VS_TIME")
	text = aPlace.ReplaceAllString(text, `${1}"HOST"`)
	text = aKey.ReplaceAllString(aTime.ReplaceAllString(text, "TIME"), "${1}KEY")
	text = strings.ReplaceAll(sessionID.ReplaceAllString(text, "JSESSIONID=KEY"), r.header.Get(requestID), "REQUEST")
	return anID.ReplaceAllStringFunc(text, func(id string) string {
		if s.ids[id] == "" {
			s.ids[id] = fmt.Sprintf("ID-%d", len(s.ids)+1)
		}
		return s.ids[id]
	})
}
