package cloudtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// lists are the lists that must stay fast, and how many items each has on the pages of three callers: the root admin, an
// account with a thousand of everything, and one with three. -1: the caller's role may not use it.
var lists = []struct {
	command           string
	params            string
	admin, rich, poor int
}{
	{"listVirtualMachines", "", 500, 500, 3},
	{"listVirtualMachines", "page=40", 500, 0, 0},
	{"listVirtualMachines", "keyword=machine-1", 500, 400, 1},
	{"listVolumes", "", 500, 500, 6},
	{"listVolumes", "page=40", 500, 0, 0},
	{"listNetworks", "", 500, 500, 3},
	{"listNetworks", "page=40", 500, 0, 0},
	{"listHosts", "", 500, -1, -1},
	{"listHosts", "page=40", 500, -1, -1},
	{"listAccounts", "", 500, 1, 1},
	{"listAccounts", "page=9", 500, 0, 0},
	{"listUsers", "", 500, -1, -1},
	{"listEvents", "", 500, 500, 6},
	{"listEvents", "page=40", 500, 0, 0},
	{"listDomains", "", 52, -1, -1},
	{"listSecurityGroups", "", 500, 1, 1},
	{"listZones", "", 1, 1, 1},
	{"listPods", "", 25, -1, -1},
	{"listClusters", "", 25, -1, -1},
	{"listTemplates", "templatefilter=executable", 1, 1, 1},
	{"listServiceOfferings", "", 2, 2, 2},
	{"listDiskOfferings", "", 4, 4, 4},
	{"listNetworkOfferings", "", 10, 10, 10},
	{"listOsTypes", "", 183, 183, 183},
	{"listAsyncJobs", "", 0, 0, 0},
}

// leastCalls is how many calls a figure is of at least: fewer have no 99th percentile.
const leastCalls = 300

// BenchmarkLists tells how long a client waits for a page of 500 items, in a cloud of 25,000 hosts, machines and networks,
// 50,000 volumes and 5,000 accounts: until the last byte is there, over one connection that stays open, one call after the
// other. What the client makes of the bytes is not in it; that they are right is looked at once.
func BenchmarkLists(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
		must(b, err)
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		path := filepath.Join(dir, "virga.db")
		d, err := db.Open(b.Context(), path, db.Options{Clock: time.Now})
		must(b, err)
		d.Close()
		crowded(b, path)
	})
	b.Run("postgres", func(b *testing.B) { crowded(b, dbtest.Postgres(b)) })
}

func crowded(b *testing.B, url string) {
	c := cloudtest.New(b, url, cloudtest.Options{Hosts: 25_000, Broken: true})
	tenants := c.Fill(b, cloudtest.Crowd{Accounts: 5_000, Machines: 25_000, Rich: 1_000, Poor: 3})
	for _, caller := range []struct {
		name   string
		client *api.Client
	}{{"admin", c.Client}, {"rich", tenants.Rich}, {"poor", tenants.Poor}} {
		for _, l := range lists {
			items := map[string]int{"admin": l.admin, "rich": l.rich, "poor": l.poor}[caller.name]
			if items < 0 {
				continue
			}
			params := "page=1&" + l.params
			if strings.Contains(l.params, "page=") {
				params = l.params
			}
			b.Run(strings.TrimSuffix(caller.name+"/"+l.command+"/"+l.params, "/"), func(b *testing.B) {
				measure(b, caller.client, l.command, params, items)
			})
		}
	}
	b.Run("memory", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(resident(b, "VmHWM"), "MB-most")
		b.ReportMetric(resident(b, "VmRSS"), "MB-now")
	})
}

// measure calls a list again and again, and reports how long half of the calls took at most, and 99 of 100.
func measure(b *testing.B, client *api.Client, command, params string, items int) {
	call := signed(b, client, command, params)
	var body bytes.Buffer
	for range 5 {
		fetch(b, call, &body)
	}
	if n := count(b, body.Bytes()); n != items {
		b.Fatalf("%d items, want %d: %.300s", n, items, body.Bytes())
	}
	var took []time.Duration
	once := func() {
		begun := time.Now()
		fetch(b, call, &body)
		took = append(took, time.Since(begun))
	}
	for b.Loop() {
		once()
	}
	for len(took) < leastCalls {
		once()
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(float64(body.Len())/1000, "kB")
}

// signed makes the request that a client would send.
func signed(b testing.TB, client *api.Client, command, params string) *http.Request {
	all := api.Params{"command": command, "response": "json", "pagesize": "500", "listall": "true", "apiKey": client.APIKey}
	given, err := url.ParseQuery(params)
	must(b, err)
	for name := range given {
		all[name] = given.Get(name)
	}
	all["signature"] = api.Sign(all, client.SecretKey)
	query := url.Values{}
	for name, value := range all {
		query.Set(name, value)
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, client.Endpoint+"?"+query.Encode(), nil)
	must(b, err)
	return r
}

// fetch sends a request and reads all of the answer.
func fetch(b *testing.B, call *http.Request, body *bytes.Buffer) {
	answer, err := http.DefaultClient.Do(call)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body.Reset()
	if _, err := io.Copy(body, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%d, %v: %.300s", answer.StatusCode, err, body.Bytes())
	}
}

// count tells how many items an answer has.
func count(b *testing.B, body []byte) (n int) {
	var answer map[string]map[string]json.RawMessage
	must(b, json.Unmarshal(body, &answer))
	for _, envelope := range answer {
		for name, field := range envelope {
			var items []json.RawMessage
			if name != "count" && json.Unmarshal(field, &items) == nil {
				n += len(items)
			}
		}
	}
	return n
}

// resident gives a line of what the kernel says of this process's memory, in MB.
func resident(b *testing.B, name string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	must(b, err)
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			must(b, err)
			return kb / 1024
		}
	}
	b.Fatalf("the kernel says nothing of %s", name)
	return 0
}
