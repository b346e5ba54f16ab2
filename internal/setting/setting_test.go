package setting_test

import (
	"context"
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

const (
	zone    uid.Zone    = "00000000-0000-7000-8000-000000000001"
	cluster uid.Cluster = "00000000-0000-7000-8000-000000000002"
	gone    uid.Cluster = "00000000-0000-7000-8000-000000000003"
)

func root() context.Context { return auth.With(context.Background(), auth.System()) }

func fresh(d *db.DB, initially ...setting.Initial) *setting.Settings {
	s := setting.New(d, nil, initially...)
	s.Know(setting.OfCluster, func(_ context.Context, _ db.Tx, id string) (bool, error) { return id == string(cluster), nil })
	s.Know(setting.OfZone, func(_ context.Context, _ db.Tx, id string) (bool, error) { return id == string(zone), nil })
	return s
}

func TestChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, other := fresh(d), fresh(d)
		if got := setting.ExpungeDelay.Of(nil); got != 24*time.Hour {
			t.Errorf("without settings the default is %v", got)
		}
		for _, c := range []struct {
			name  string
			at    setting.Place
			value string
			want  string // shown
		}{
			{"expunge.delay", setting.Place{}, " 60 ", "60"},
			{"session.timeout", setting.Place{}, "5", "5"},
			{"allow.user.view.destroyed.vm", setting.Place{}, "TRUE", "true"},
			{"vm.allocation.algorithm", setting.Place{}, "firstfit", "firstfit"},
			{"guest.domain.suffix", setting.InZone(zone), "z.example.org", "z.example.org"},
			{"max.account.user.vms", setting.Place{}, "-1", "-1"},
			{"cpu.overprovisioning.factor", setting.Place{}, "2", "2"},
			{"cpu.overprovisioning.factor", setting.InCluster(cluster), "3.50", "3.5"},
		} {
			shown, err := s.Change(root(), c.name, c.at, c.value)
			if err != nil || shown.Value != c.want || shown.Name != c.name || shown.Place != c.at {
				t.Errorf("%s = %q in %v shows %+v, %v; want %q", c.name, c.value, c.at, shown, err, c.want)
			}
		}
		values := func(s *setting.Settings) []any {
			return []any{
				setting.ExpungeDelay.Of(s), setting.SessionTimeout.Of(s), setting.UsersViewDestroyed.Of(s), setting.AllocationAlgorithm.Of(s),
				setting.GuestDomainSuffix.Of(s), setting.GuestDomainSuffix.Of(s, setting.InZone(zone)), setting.MaxVMs.Of(s),
				setting.CPUOvercommit.Of(s), setting.CPUOvercommit.Of(s, setting.InCluster(gone)),
				setting.CPUOvercommit.Of(s, setting.InCluster(gone), setting.InCluster(cluster)),
			}
		}
		changed := []any{
			time.Minute, 5 * time.Minute, true, "firstfit", "cloud.internal", "z.example.org", int64(-1), 2.0, 2.0, 3.5,
		}
		if diff := cmp.Diff(changed, values(s)); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(values(nil), values(other)); diff != "" {
			t.Errorf("a server that has not looked yet (-want +got):\n%s", diff)
		}
		if err := other.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(changed, values(other)); diff != "" {
			t.Errorf("a server that looked (-want +got):\n%s", diff)
		}
		shown, err := s.Change(root(), "cpu.overprovisioning.factor", setting.InCluster(cluster), "")
		if err != nil || shown.Value != "2" || setting.CPUOvercommit.Of(s, setting.InCluster(cluster)) != 2 {
			t.Errorf("set back it is %+v, %v; want the cloud's value", shown, err)
		}
		err = d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return setting.Forget(ctx, tx, setting.InZone(zone)) })
		if err != nil || s.Load(t.Context()) != nil || setting.GuestDomainSuffix.Of(s, setting.InZone(zone)) != "cloud.internal" {
			t.Errorf("the values of a zone that is removed stay: %v", err)
		}
		events, n, err := event.List(t.Context(), d.Read(), event.Filter{Scope: auth.Scope{All: true}, Type: event.SettingChange})
		if err != nil || n != 9 || !strings.Contains(events[0].Description, "cpu.overprovisioning.factor was set back for cluster") {
			t.Errorf("%d events, %+v, %v; want one for each change", n, events, err)
		}
	})
}

// A domain has the values of those above it, an account those of its domain, and what is listed is what holds.
func TestValuesAround(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	s := fresh(d)
	const top, middle, low uid.Domain = "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b", "00000000-0000-7000-8000-00000000000c"
	yes := func(context.Context, db.Tx, string) (bool, error) { return true, nil }
	s.Know(setting.OfDomain, yes)
	s.Know(setting.OfAccount, yes)
	asked := 0
	s.Surround(func(_ context.Context, _ db.Tx, at setting.Place) ([]setting.Place, error) {
		asked++
		return map[setting.Place][]setting.Place{
			setting.InDomain(middle): {setting.InDomain(top)}, setting.InDomain(low): {setting.InDomain(middle), setting.InDomain(top)},
			setting.InAccount("a"): {setting.InDomain(low), setting.InDomain(middle), setting.InDomain(top)},
		}[at], nil
	})
	of := func(places ...setting.Place) bool { return setting.UsersViewDestroyed.Of(s, places...) }
	shows := func(at setting.Place) string {
		t.Helper()
		found, _, err := s.List(t.Context(), setting.Filter{Name: "allow.user.view.destroyed.vm", Place: at})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		return found[0].Value
	}
	if of(setting.InAccount("a"), setting.InDomain(low)) || asked > 0 {
		t.Errorf("nobody has a value; asked %d times", asked)
	}
	for _, c := range []struct {
		at    setting.Place
		value string
		want  bool
	}{
		{setting.InDomain(top), "true", true}, {setting.InDomain(middle), "false", false}, {setting.InDomain(low), "true", true},
		{setting.InAccount("a"), "false", false}, {setting.InAccount("a"), "", true}, {setting.InDomain(low), "", false}, {setting.InDomain(middle), "", true},
	} {
		if _, err := s.Change(root(), "allow.user.view.destroyed.vm", c.at, c.value); err != nil {
			t.Fatal(err)
		}
		if got := of(setting.InAccount("a"), setting.InDomain(low)); got != c.want {
			t.Errorf("with %q at %v it is %v", c.value, c.at, got)
		}
		if got := shows(setting.InAccount("a")); got != strconv.FormatBool(c.want) {
			t.Errorf("with %q at %v it is shown as %s", c.value, c.at, got)
		}
	}
	if got := shows(setting.InDomain(low)) + shows(setting.InDomain(top)) + shows(setting.Place{}); got != "truetruefalse" {
		t.Errorf("shown: %s", got)
	}
}

// Every setting has its place in a group, and none that has an effect is said to have none.
func TestGroups(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	s := fresh(d)
	total := 0
	for _, g := range setting.Groups("") {
		for _, sub := range g.Subgroups {
			_, n, err := s.List(t.Context(), setting.Filter{Group: g.Name, Subgroup: sub})
			if err != nil || n == 0 || g.Doc == "" {
				t.Errorf("%s, %s: %d, %v", g.Name, sub, n, err)
			}
			total += n
		}
	}
	if total != len(setting.All()) {
		t.Errorf("%d of %d settings are in groups", total, len(setting.All()))
	}
	if one := setting.Groups("compute"); len(one) != 1 || one[0].Precedence != 3 {
		t.Errorf("%+v", one)
	}
	if _, n, _ := s.List(t.Context(), setting.Filter{Parent: "enable.user.2fa"}); n != 3 {
		t.Errorf("%d settings need a second factor", n)
	}
	foreign := setting.Foreign()
	if len(foreign) < 200 || !slices.IsSorted(foreign) {
		t.Errorf("%d settings without effect, or out of order", len(foreign))
	}
	for _, of := range setting.All() {
		if slices.Contains(foreign, of.Name) {
			t.Errorf("%s is said to have no effect", of.Name)
		}
	}
}

// Every setting of CloudStack 4.1 either does something here or is listed as one that does nothing: none is forgotten.
func TestEverySettingOfCloudStackIsKnown(t *testing.T) {
	t.Parallel()
	const itself = "cloud.identifier" // no setting here: getCloudIdentifier tells it, and nobody changes it
	for name := range strings.FieldsSeq(cloudStack) {
		known := slices.ContainsFunc(setting.All(), func(of *setting.Setting) bool { return of.Name == name })
		if foreign := slices.Contains(setting.Foreign(), name); known == foreign && name != itself {
			t.Errorf("%s: it is declared: %v, and listed as one without effect: %v", name, known, foreign)
		}
	}
}

//go:embed testdata/cloudstack-4.1.txt
var cloudStack string

func TestChangeRefuses(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	s := fresh(d)
	for _, c := range []struct {
		name  string
		at    setting.Place
		value string
		kind  fault.Kind
		says  string
	}{
		{"no.such", setting.Place{}, "1", fault.NotFound, `no setting called "no.such"`},
		{"router.ram.size", setting.Place{}, "1", fault.Invalid, "has no effect here"},
		{"expunge.delay", setting.Place{}, "-1", fault.Invalid, `"-1" is no value for the setting expunge.delay: it must be a whole number of seconds from 0 to`},
		{"expunge.delay", setting.Place{}, "1.5", fault.Invalid, "whole number"},
		{"expunge.delay", setting.Place{}, "99999999999999", fault.Invalid, "whole number"},
		{"max.account.user.vms", setting.Place{}, "-2", fault.Invalid, "from -1 on"},
		{"cluster.cpu.allocated.capacity.disablethreshold", setting.Place{}, "85", fault.Invalid, "a number from 0 to 1"},
		{"cluster.cpu.allocated.capacity.disablethreshold", setting.Place{}, "NaN", fault.Invalid, "a number from 0 to 1"},
		{"vm.allocation.algorithm", setting.Place{}, "best", fault.Invalid, "one of random, firstfit"},
		{"allow.user.view.destroyed.vm", setting.Place{}, "yes", fault.Invalid, "true or false"},
		{"guest.domain.suffix", setting.Place{}, "a..b", fault.Invalid, "a DNS domain"},
		{"instance.name", setting.Place{}, "a b", fault.Invalid, "letters, digits"},
		{"expunge.delay", setting.InZone(zone), "1", fault.Invalid, "can't be set for a single zone, only for the whole cloud"},
		{"cpu.overprovisioning.factor", setting.InZone(zone), "1", fault.Invalid, "only for the whole cloud or a cluster"},
		{"cpu.overprovisioning.factor", setting.InCluster(gone), "1", fault.NotFound, "there is no cluster with the ID"},
	} {
		if _, err := s.Change(root(), c.name, c.at, c.value); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s = %q in %v gives %v; want %s: …%s…", c.name, c.value, c.at, err, c.kind, c.says)
		}
	}
	tenant := auth.With(t.Context(), auth.Caller{User: "u", Account: "a", Domain: "d", Type: auth.DomainAdmin})
	if _, err := s.Change(tenant, "expunge.delay", setting.Place{}, "1"); !fault.Is(err, fault.Denied) {
		t.Errorf("a domain admin changes settings: %v", err)
	}
	if got := setting.ExpungeDelay.Of(s); got != 24*time.Hour {
		t.Errorf("something was changed: %v", got)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	s := fresh(d, setting.ExpungeDelay.Initially(time.Hour))
	list := func(f setting.Filter) (names []string, total int) {
		t.Helper()
		found, total, err := s.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range found {
			names = append(names, one.Name+"="+one.Value)
		}
		return names, total
	}
	everything, total := list(setting.Filter{})
	if len(everything) != total || total < 40 {
		t.Errorf("listed %d of %d", len(everything), total)
	}
	for what, c := range map[string]struct {
		f    setting.Filter
		want []string
	}{
		"by name, a start's own default": {setting.Filter{Name: "expunge.delay"}, []string{"expunge.delay=3600"}},
		"by category":                    {setting.Filter{Category: "STORAGE"}, []string{"storage.max.volume.size=2000", "storage.max.volume.upload.size=500", "storage.stats.interval=60000"}},
		"by keyword":                     {setting.Filter{Keyword: "LOCKED out"}, []string{"incorrect.login.attempts.allowed=5", "incorrect.login.lockout.longest=3600", "incorrect.login.lockout.time=60"}},
		"a page":                         {setting.Filter{Keyword: "locked out", Offset: 2, Limit: 5}, []string{"incorrect.login.lockout.time=60"}},
		"beyond":                         {setting.Filter{Keyword: "locked out", Offset: 9, Limit: 5}, nil},
		"of a zone":                      {setting.Filter{Place: setting.InZone(zone), Group: "network"}, []string{"guest.domain.suffix=cloud.internal", "vm.network.throttling.rate=200"}},
	} {
		if got, _ := list(c.f); !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	if _, _, err := s.List(t.Context(), setting.Filter{Place: setting.InCluster(gone)}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a cluster that is not there has settings: %v", err)
	}
	found, _, err := s.List(t.Context(), setting.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		if _, err := s.Change(root(), one.Name, setting.Place{}, one.Value); err != nil {
			t.Errorf("what %s shows is not what it takes: %v", one.Name, err)
		}
		if one.Doc == "" || !strings.HasSuffix(one.Doc, ".") || one.Group == "" || one.Category == "" || one.Kind == "" {
			t.Errorf("%s is declared without doc, group, category or kind", one.Name)
		}
	}
}
