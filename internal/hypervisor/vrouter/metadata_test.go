package vrouter_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// fetch asks a router by HTTP from a guest: the status and the body, 0 where nobody answers.
func (s *site) fetch(from *vnet.Space, url string, header ...string) (int, string) {
	s.t.Helper()
	return s.fetchWithin(vnettest.Long, from, url, header...)
}

// denied asks a router that is not to answer.
func (s *site) denied(from *vnet.Space, url string) (int, string) {
	s.t.Helper()
	return s.fetchWithin(vnettest.Short, from, url)
}

func (s *site) fetchWithin(patience time.Duration, from *vnet.Space, url string, header ...string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	must(s.t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	c, err := s.lab.Dial(from, "tcp", request.URL.Host, patience)
	if err != nil {
		return 0, ""
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}}
	answer, err := client.Do(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(s.t, err)
	return answer.StatusCode, string(body)
}

// ask asks for the password, as scripts in templates do.
func (s *site) ask(from *vnet.Space, what string) string {
	_, body := s.fetch(from, "http://10.1.1.1:8080/", "DomU_Request", what)
	return body
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g1, g2 := guest(11), guest(12)
	g1.Password, g2.UserData = secret.New("Wait-4-me"), nil
	doc := s.doc(g1, g2)
	s.apply(doc)
	vm1, vm2 := s.up(g1), s.up(g2)
	for path, want := range map[string]string{
		"80/latest/user-data":                     "#!/bin/sh\necho 11\n",
		"80/latest/meta-data/":                    "availability-zone\ninstance-id\nlocal-hostname\nlocal-ipv4\npublic-keys\nservice-offering",
		"80/latest/meta-data/instance-id":         "i-11",
		"80/latest/meta-data/public-keys":         "ssh-ed25519 AAAA someone\n",
		"80/latest/local-ipv4":                    "10.1.1.11",
		"80/latest/service-offering":              "Small Instance",
		"80/":                                     "latest\n",
		"80/latest/meta-data/../../../etc/passwd": "404",
		"80/latest/nonsense":                      "404",
		"80/1.0/user-data":                        "404",
		"80/nocloud/user-data":                    "#!/bin/sh\necho 11\n",
		"80/nocloud/vendor-data":                  "404",
		"8080/":                                   "bad_request",
	} {
		status, got := s.fetch(vm1, "http://10.1.1.1:"+path)
		if got != want && (want != "404" || status != http.StatusNotFound) {
			t.Errorf("%s is %d %q, want %q", path, status, got, want)
		}
	}
	if _, got := s.fetch(vm1, "http://[2001:db8:1::1]:80/latest/instance-id"); got != "i-11" {
		t.Errorf("over IPv6 a guest is %q", got)
	}
	if _, got := s.fetch(vm2, "http://10.1.1.1:80/latest/instance-id"); got != "i-12" {
		t.Errorf("another guest is %q", got)
	}
	if status, _ := s.fetch(vm2, "http://10.1.1.1:80/latest/user-data"); status != http.StatusNotFound {
		t.Errorf("a guest without user data is answered %d", status)
	}

	// A guest that takes all it can get takes nothing from others.
	var open []net.Conn
	for range 8 {
		c, err := s.lab.Dial(vm1, "tcp", "10.1.1.1:80", vnettest.Long)
		must(t, err)
		open = append(open, c)
	}
	// Connections are taken note of a moment after they are there: it is refused from then on, not once.
	refusals := 0
	refused := func() bool {
		if status, _ := s.denied(vm1, "http://10.1.1.1:80/latest/instance-id"); status != 0 {
			refusals = 0
			return false
		}
		refusals++
		return refusals > 1
	}
	if !s.soon(refused) {
		t.Error("a guest may have any number of connections")
	}
	if _, got := s.fetch(vm2, "http://10.1.1.1:80/latest/instance-id"); got != "i-12" {
		t.Errorf("beside a greedy guest another is told %q", got)
	}
	for _, c := range open {
		must(t, c.Close())
	}
	told := ""
	if !s.soon(func() bool { _, told = s.denied(vm1, "http://10.1.1.1:80/latest/instance-id"); return told == "i-11" }) {
		t.Errorf("a guest that gave its connections back is told %q", told)
	}

	// The password: once, to its own machine, and never on disk.
	if got := s.ask(vm2, "send_my_password"); got != "saved_password" {
		t.Errorf("a guest for whom no password waits gets %q", got)
	}
	must(t, filepath.WalkDir(s.state, func(path string, _ os.DirEntry, _ error) error {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), "Wait-4-me") {
			t.Errorf("%s has the password in it", path)
		}
		return nil
	}))
	s.restart() // and what waits in the process that stayed, waits on
	doc.Version, doc.Segments[0].Guests[0].Password = 2, secret.String{}
	s.apply(doc)
	for range 2 {
		if got := s.ask(vm1, "send_my_password"); got != "Wait-4-me" {
			t.Errorf("the password is %q", got)
		}
	}
	if got := s.ask(vm2, "saved_password"); got != "saved_password" || s.ask(vm1, "send_my_password") != "Wait-4-me" {
		t.Error("a guest saves its own password, and no other's")
	}
	s.ask(vm1, "saved_password")
	if got := s.ask(vm1, "send_my_password"); got != "saved_password" {
		t.Errorf("a password that was saved is still told: %q", got)
	}
	saved := func() []uid.NIC {
		reports, err := s.routers.Routers(t.Context())
		must(t, err)
		return reports[0].Saved
	}
	if got := saved(); !slices.Equal(got, []uid.NIC{g1.NIC}) {
		t.Errorf("saved their passwords: %v", got)
	}
	doc.Version, doc.Segments[0].Guests[0].Password = 3, g1.Password // by a server that had not heard of it
	s.apply(doc)
	if got := s.ask(vm1, "send_my_password"); got != "saved_password" {
		t.Errorf("a password that was saved waits again: %q", got)
	}
	doc.Version, doc.Segments[0].Guests[0].Password = 4, secret.New("another")
	s.apply(doc)
	if got := s.ask(vm1, "send_my_password"); got != "another" {
		t.Errorf("a new password is %q", got)
	}
}

// TestOnlyItsOwn tries to be told what is another guest's: from a port that keeps a guest to its address, and from one that
// does not.
func TestOnlyItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	victim, thief := guest(11), guest(12)
	other := hypervisor.RouterSegment{
		Network: uid.New[uid.Network](), VLAN: 200, Gateway: "10.1.2.1/24", Serves: hypervisor.Services{UserData: true},
		Guests: []hypervisor.RouterGuest{{NIC: uid.New[uid.NIC](), MAC: "02:00:00:00:02:01", IP: "10.1.2.11", Meta: map[string]string{"instance-id": "i-200"}}},
	}
	doc := s.doc(victim, thief)
	doc.Segments = append(doc.Segments, other)
	s.apply(doc)
	vm := s.up(thief)
	if _, got := s.fetch(vm, "http://10.1.1.1:80/latest/instance-id"); got != "i-12" {
		t.Fatalf("a guest is %q", got)
	}
	s.lab.Address(vm, "eth0", "10.1.1.11/24")
	s.lab.Route(vm, "10.1.1.1")
	if _, got := s.denied(vm, "http://10.1.1.1:80/latest/instance-id"); got != "" {
		t.Errorf("a guest with another's address is told %q", got)
	}
	// A port that lets everything through: the router still sees who answers for the address.
	loose := hypervisor.NIC{ID: uid.New[uid.NIC](), MAC: "02:00:00:00:01:0d", VLAN: 100}
	free := s.lab.Space("free")
	_, err := s.fabric.PlugInto(t.Context(), loose, free, "eth0")
	must(t, err)
	for _, ip := range []string{"10.1.1.11/24", "10.1.1.99/24"} {
		s.lab.Address(free, "eth0", ip)
		if _, got := s.denied(free, "http://10.1.1.1:80/latest/instance-id"); got != "" {
			t.Errorf("%s with a MAC that is not its card's is told %q", ip, got)
		}
	}
	// Nor does the address of another of the router's networks help, or its gateway there.
	s.lab.Address(free, "eth0", "10.1.2.11/24", "10.1.1.12/24")
	if _, got := s.denied(free, "http://10.1.2.1:80/latest/instance-id"); got != "" {
		t.Errorf("from another network a guest is told %q", got)
	}
	if status, _ := s.denied(s.world, "http://198.51.100.10:80/latest/instance-id"); status != 0 {
		t.Errorf("the outside is answered %d", status)
	}
}

// TestCloudInit runs cloud-init's own code for CloudStack, and for NoCloud, in a guest.
func TestCloudInit(t *testing.T) {
	t.Parallel()
	s := newSite(t, "cloud-init", "busybox", "unshare", "wget")
	g := guest(11)
	g.Password = secret.New("s3cret")
	s.apply(s.doc(g))
	vm := s.boot(g)
	said := s.lease(vm)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/resolv.conf", []byte("nameserver "+said["dns"]+"\nsearch "+said["search"]+"\n"), 0o600))
	must(t, os.WriteFile(dir+"/guest.py", []byte(`
import json, logging, sys
from cloudinit import helpers
from cloudinit.sources import DataSourceCloudStack as cs
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloudNet
def seed():
    source = DataSourceNoCloudNet({"datasource": {"NoCloud": {"seedfrom": "http://10.1.1.1/nocloud/"}}}, None,
        helpers.Paths({"cloud_dir": sys.argv[1] + "/no", "run_dir": sys.argv[1] + "/no"}))
    return {"found": source._get_data(), "user": source.userdata_raw.decode(), "id": source.get_instance_id(), "keys": source.get_public_ssh_keys(),
        "name": source.get_hostname().hostname}
source = cs.DataSourceCloudStack({}, None, helpers.Paths({"cloud_dir": sys.argv[1], "run_dir": sys.argv[1]}))
found = source._get_data()
print(json.dumps({"found": found, "router": source.vr_addr, "user": source.userdata_raw.decode(), "meta": source.metadata,
    "id": source.get_instance_id(), "zone": source.availability_zone, "keys": source.get_public_ssh_keys(), "password": source.get_config_obj().get("password"),
    "seed": seed()}))
`), 0o600))
	out := s.lab.Run(vm, "unshare", "-m", "sh", "-c",
		"mount --bind "+dir+"/resolv.conf /etc/resolv.conf && exec /usr/bin/python3 "+dir+"/guest.py "+dir)
	var got struct {
		Found                            bool
		Router, User, ID, Zone, Password string
		Meta                             map[string]any
		Keys                             []string
		Seed                             struct {
			Found          bool
			User, ID, Name string
			Keys           []string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("cloud-init says %q: %v", out, err)
	}
	if !got.Found || got.Router != "10.1.1.1" || got.User != string(g.UserData) || got.ID != "i-11" || got.Zone != "zone1" ||
		got.Password != "s3cret" || got.Meta["local-hostname"] != "vm11" || !slices.Equal(got.Keys, []string{"ssh-ed25519 AAAA someone"}) {
		t.Errorf("cloud-init found %+v", got)
	}
	if s := got.Seed; !s.Found || s.User != string(g.UserData) || s.ID != "i-11" || s.Name != "vm11" || !slices.Equal(s.Keys, []string{"ssh-ed25519 AAAA someone"}) {
		t.Errorf("cloud-init's data source NoCloud found %+v", s)
	}
	if got := s.ask(vm, "send_my_password"); got != "saved_password" {
		t.Errorf("after cloud-init the password still waits: %q", got)
	}
}
