package vrouter_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

// web serves a word by HTTP in a guest, which gives a cookie of its own.
func (s *site) web(space *vnet.Space, word string) {
	s.t.Helper()
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: word + "-session"})
		_, _ = io.WriteString(w, word+" "+r.Header.Get("X-Forwarded-For"))
	})}
	listener := s.lab.Listen(space, "tcp", ":80")
	go func() { _ = server.Serve(listener) }()
}

// browse asks a few times as one browser, each with a connection of its own, and says who answered how often.
func (s *site) browse(from *vnet.Space, address string, times int, jar http.CookieJar) map[string]int {
	s.t.Helper()
	return s.browseWithin(vnettest.Long, from, address, times, jar)
}

func (s *site) browseWithin(patience time.Duration, from *vnet.Space, address string, times int, jar http.CookieJar) map[string]int {
	s.t.Helper()
	client := http.Client{Timeout: patience, Jar: jar, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return s.lab.Dial(from, "tcp", address, patience)
		},
	}}
	answers := map[string]int{}
	for range times {
		answer, err := client.Get("http://" + address + "/")
		if err != nil {
			answers["nobody"]++
			continue
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		word, _, _ := strings.Cut(string(text), " ")
		answers[word]++
	}
	return answers
}

func TestBalancers(t *testing.T) {
	t.Parallel()
	s := newSite(t, "haproxy")
	g1, g2 := guest(11), guest(12)
	doc := s.doc(g1, g2)
	both := []string{g1.IP, g2.IP}
	balancer := func(port int, algorithm string, sticky hypervisor.Stickiness) hypervisor.Balancer {
		return hypervisor.Balancer{
			ID: uid.New[uid.Rule](), Protocol: "tcp", Port: port, Guest: 80, Algorithm: algorithm, Guests: both, Sticky: sticky,
		}
	}
	cookie := hypervisor.Stickiness{Method: "LbCookie", Params: map[string]string{"cookie-name": "SRV", "nocache": "true"}}
	app := hypervisor.Stickiness{Method: "AppCookie", Params: map[string]string{"cookie-name": "JSESSIONID", "length": "40", "holdtime": "1h"}}
	bySource := hypervisor.Stickiness{Method: "SourceBased", Params: map[string]string{"tablesize": "10k", "expire": "5m"}}
	closed, long := balancer(86, "roundrobin", hypervisor.Stickiness{}), balancer(87, "roundrobin", hypervisor.Stickiness{})
	closed.Sources, long.Guest = []string{"192.0.2.0/24"}, 81
	udp, udpBySource := balancer(53, "roundrobin", hypervisor.Stickiness{}), balancer(54, "source", hypervisor.Stickiness{})
	for _, b := range []*hypervisor.Balancer{&udp, &udpBySource} {
		b.Protocol, b.Guest = "udp", 53
	}
	doc.Uplink[0].Ingress = []hypervisor.Match{{Protocol: "all"}}
	doc.Uplink[0].Balancers = []hypervisor.Balancer{
		balancer(80, "roundrobin", hypervisor.Stickiness{}), balancer(81, "leastconn", hypervisor.Stickiness{}),
		balancer(82, "source", hypervisor.Stickiness{}), balancer(83, "roundrobin", cookie), balancer(84, "roundrobin", app),
		balancer(85, "roundrobin", bySource), closed, long, udp, udpBySource,
	}
	vm1, vm2 := s.up(g1), s.up(g2)
	for i, vm := range []*vnet.Space{vm1, vm2} {
		word := fmt.Sprintf("vm%d", i+1)
		s.web(vm, word)
		s.lab.Echo(vm, ":81", word)
		s.lab.EchoUDP(vm, ":53", word)
	}
	s.apply(doc)
	at := func(port int) string { return fmt.Sprintf("198.51.100.10:%d", port) }
	for port, spread := range map[int]bool{80: true, 81: true, 82: false, 83: true, 84: true, 85: false} {
		if got := s.browse(s.world, at(port), 8, nil); got["vm1"]+got["vm2"] != 8 || (got["vm1"] > 0 && got["vm2"] > 0) != spread {
			t.Errorf("port %d was answered by %v", port, got)
		}
	}
	for _, port := range []int{83, 84} {
		jar, err := cookiejar.New(nil)
		must(t, err)
		if got := s.browse(s.world, at(port), 6, jar); len(got) != 1 || got["nobody"] != 0 {
			t.Errorf("at port %d a browser with cookies met %v", port, got)
		}
		if name := map[int]string{83: "SRV", 84: "JSESSIONID"}[port]; !strings.Contains(fmt.Sprint(jar.Cookies(&url.URL{Scheme: "http", Host: at(port)})), name) {
			t.Errorf("at port %d there is no cookie %s", port, name)
		}
	}
	if got := s.browseWithin(vnettest.Short, s.world, at(86), 2, nil); got["nobody"] != 2 {
		t.Errorf("a balancer for others answers: %v", got)
	}
	if got := s.browse(vm1, at(80), 4, nil); got["vm1"]+got["vm2"] != 4 {
		t.Errorf("inside, the balancer was answered by %v", got)
	}
	for port, spread := range map[int]bool{53: true, 54: false} {
		got := map[string]int{}
		for range 6 {
			word, _, _ := strings.Cut(s.lab.Ask(s.world, "udp", at(port), vnettest.Long), " ")
			got[word]++
		}
		if got["vm1"]+got["vm2"] != 6 || (got["vm1"] > 0 && got["vm2"] > 0) != spread {
			t.Errorf("UDP port %d was answered by %v", port, got)
		}
	}

	// A guest less, and others as they were: what is open goes on.
	var open []net.Conn
	for range 4 {
		c, err := s.lab.Dial(s.world, "tcp", at(87), vnettest.Long)
		must(t, err)
		defer c.Close()
		if vnettest.Say(c, "hello", vnettest.Long) == "" {
			t.Error("a balanced connection says nothing")
		}
		open = append(open, c)
	}
	doc.Version = 2
	balancers := append([]hypervisor.Balancer{}, doc.Uplink[0].Balancers...)
	balancers[0].Guests, balancers[7].Guests = both[:1], both[:1]
	doc.Uplink[0].Balancers = balancers
	s.apply(doc)
	for _, c := range open {
		if got := vnettest.Say(c, "still", vnettest.Long); !strings.HasSuffix(got, "still") {
			t.Errorf("after a change an open connection says %q", got)
		}
	}
	if got := s.browse(s.world, at(80), 4, nil); got["vm1"] != 4 {
		t.Errorf("a guest that was taken out answers: %v", got)
	}
	reports, err := s.routers.Routers(t.Context())
	must(t, err)
	parts := map[string]bool{}
	for _, p := range reports[0].Parts {
		parts[p.Name] = p.Running
	}
	if !parts["balancer"] || !parts["dhcp"] || !parts["firewall"] || !parts["metadata"] {
		t.Errorf("of the router's parts run %v", parts)
	}
	doc.Version, doc.Uplink[0].Balancers = 3, nil
	s.apply(doc)
	if got := s.browseWithin(vnettest.Short, s.world, at(80), 1, nil); got["nobody"] != 1 {
		t.Errorf("a balancer that is gone answers: %v", got)
	}
	if got := vnettest.Say(open[0], "on", vnettest.Long); !strings.HasSuffix(got, "on") {
		t.Errorf("without its balancer an open connection says %q", got)
	}
}

func TestBadDocuments(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, spoil := range map[string]func(*hypervisor.Router){
		"id":           func(d *hypervisor.Router) { d.ID = "../x" },
		"gateway":      func(d *hypervisor.Router) { d.Segments[0].Gateway = "10.1.1.1" },
		"gateway of 6": func(d *hypervisor.Router) { d.Segments[0].Gateway6 = "10.1.1.1/24" },
		"domain":       func(d *hypervisor.Router) { d.Segments[0].Search = "a.b\ndhcp-script=/bin/sh" },
		"DNS":          func(d *hypervisor.Router) { d.Segments[0].DNS = []string{"8.8.8.8#53@eth0"} },
		"name":         func(d *hypervisor.Router) { d.Segments[0].Guests[0].Name = "vm,ignore" },
		"MAC":          func(d *hypervisor.Router) { d.Segments[0].Guests[0].MAC = "02:00:00:00:01:0b,x" },
		"address":      func(d *hypervisor.Router) { d.Segments[0].Guests[0].IP = "10.1.2.7" },
		"same address": func(d *hypervisor.Router) { d.Segments[0].Guests[1].IP = d.Segments[0].Guests[0].IP },
		"router's own": func(d *hypervisor.Router) { d.Segments[0].Guests[0].IP = "10.1.1.1" },
		"same network": func(d *hypervisor.Router) { d.Segments = append(d.Segments, d.Segments[0]) },
		"egress": func(d *hypervisor.Router) {
			d.Segments[0].Egress = []hypervisor.Match{{Protocol: "tcp", From: 3, To: 2}}
		},
		"public":         func(d *hypervisor.Router) { d.Uplink[0].IP = "198.51.100.10" },
		"public gateway": func(d *hypervisor.Router) { d.Uplink[0].Gateway = "" },
		"same public":    func(d *hypervisor.Router) { d.Uplink = append(d.Uplink, d.Uplink[0]) },
		"no network":     func(d *hypervisor.Router) { d.Uplink[0].Network = uid.New[uid.Network]() },
		"static":         func(d *hypervisor.Router) { d.Uplink[0].StaticNAT = "192.168.1.1" },
		"forward": func(d *hypervisor.Router) {
			d.Uplink[0].Forwards = []hypervisor.Forward{{Protocol: "tcp", From: 1, To: 2, GuestIP: "10.1.1.11", Guest: 65535}}
		},
		"same port": func(d *hypervisor.Router) {
			f := hypervisor.Forward{Protocol: "tcp", From: 1, To: 9, GuestIP: "10.1.1.11", Guest: 1}
			d.Uplink[0].Forwards = []hypervisor.Forward{f, f}
		},
		"balancer": func(d *hypervisor.Router) {
			d.Uplink[0].Balancers = []hypervisor.Balancer{{ID: uid.New[uid.Rule](), Protocol: "udp", Port: 1, Guest: 1, Algorithm: "leastconn"}}
		},
		"cookie": func(d *hypervisor.Router) {
			d.Uplink[0].Balancers = []hypervisor.Balancer{{ID: uid.New[uid.Rule](), Protocol: "tcp", Port: 1, Guest: 1, Sticky: hypervisor.Stickiness{
				Method: "LbCookie", Params: map[string]string{"cookie-name": "a\n\tserver x 1.2.3.4:1"},
			}}}
		},
		"CIDR": func(d *hypervisor.Router) {
			d.Uplink[0].Balancers = []hypervisor.Balancer{{ID: uid.New[uid.Rule](), Protocol: "tcp", Port: 1, Guest: 1, Sources: []string{"any }"}}}
		},
	} {
		doc := s.doc(guest(11), guest(12))
		spoil(&doc)
		if err := s.routers.ApplyRouter(t.Context(), doc); !fault.Is(err, fault.Invalid) {
			t.Errorf("a document with a bad %s: %v", name, err)
		}
	}
	if left, err := vnet.SpaceNames(s.lab.Prefix() + "r-"); err != nil || len(left) != 0 {
		t.Errorf("bad documents made %v %v", left, err)
	}
}
