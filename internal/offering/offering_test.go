package offering_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// world has domains ROOT/a/b and ROOT/ab, and zones north and south.
type world struct {
	*testing.T
	db           *db.DB
	offerings    *offering.Service
	domains      map[string]account.Domain
	north, south uid.Zone
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{T: t, db: d, offerings: offering.New(d, nil), domains: map[string]account.Domain{}}
	accounts := account.New(account.Parts{DB: d, Hasher: auth.NewHasher(auth.TestCost())})
	_, err := accounts.Bootstrap(t.Context(), account.BootstrapIn{Password: secret.New("password")})
	w.must(err)
	ctx, root := w.as("ROOT", auth.RootAdmin), auth.System().Domain
	for _, d := range []struct{ name, parent string }{{"a", ""}, {"b", "a"}, {"ab", ""}} {
		parent := root
		if d.parent != "" {
			parent = w.domains[d.parent].ID
		}
		w.domains[d.name], err = accounts.CreateDomain(ctx, account.CreateDomainIn{Name: d.name, Parent: parent})
		w.must(err)
	}
	zones := zone.New(d, nil)
	for name, id := range map[string]*uid.Zone{"north": &w.north, "south": &w.south} {
		z, err := zones.CreateZone(ctx, zone.Zone{Name: name, NetworkType: zone.Advanced, Allocation: zone.Enabled})
		w.must(err)
		*id = z.ID
	}
	return w
}

// as is a context in which someone of a domain calls.
func (w *world) as(path string, kind auth.AccountType) context.Context {
	c := auth.Caller{User: uid.New[uid.User](), DomainPath: path, Type: kind}
	if kind == auth.RootAdmin {
		c = auth.System()
	}
	return auth.With(w.Context(), c)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// computes gives the names of the service offerings that a caller sees.
func (w *world) computes(ctx context.Context, f offering.Filter) (names []string) {
	w.Helper()
	got, n, err := w.offerings.Computes(ctx, f)
	w.must(err)
	if n != len(got) {
		w.Errorf("%d of %d offerings", len(got), n)
	}
	for _, o := range got {
		names = append(names, o.Name)
	}
	return names
}

func (w *world) equal(what string, got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func (w *world) refused(err error, kind fault.Kind, says string) {
	w.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), says) {
		w.Errorf("got %v, want %s that says %q", err, kind, says)
	}
}

func TestComputeIsCheckedAndComplete(t *testing.T) {
	t.Parallel()
	s := offering.New(dbtest.Open(t, dbtest.SQLite(t)), nil)
	fixed := offering.Compute{Name: "o", CPUNumber: 1, CPUSpeed: 500, MemoryMB: 512}
	for says, change := range map[string]func(*offering.Compute){
		"cpunumber 0":      func(o *offering.Compute) { o.CPUNumber = 0 },
		"cpuspeed -1":      func(o *offering.Compute) { o.CPUSpeed = -1 },
		"memory 31":        func(o *offering.Compute) { o.MemoryMB = 31 },
		"rootdisksize -1":  func(o *offering.Compute) { o.RootGB = -1 },
		"networkrate -5":   func(o *offering.Compute) { o.NetworkRate = -5 },
		"want shared or":   func(o *offering.Compute) { o.StorageType = "tape" },
		"issystem=true":    func(o *offering.Compute) { o.SystemType = offering.ConsoleProxy },
		"for customized":   func(o *offering.Compute) { o.MaxCPU = 4 },
		"leave out cpu":    func(o *offering.Compute) { o.Customized = true },
		"consoleproxy has": func(o *offering.Compute) { o.IsSystem, o.SystemType, o.NetworkRate = true, offering.ConsoleProxy, 5 },
		"maxcpunumber 1 is out of bounds: want 2 to": func(o *offering.Compute) {
			*o = offering.Compute{Name: "o", Customized: true, CPUSpeed: 500, MinCPU: 2, MaxCPU: 1, MinMemoryMB: 64, MaxMemoryMB: 128}
		},
	} {
		o := fixed
		change(&o)
		if _, err := s.CreateCompute(t.Context(), o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: got %v, want Invalid that says %q", o, err, says)
		}
	}
	fixed.HostTags, fixed.StorageType, fixed.IsSystem = " ssd,fast ,ssd,", "LOCAL", true
	o, err := s.CreateCompute(t.Context(), fixed)
	if err != nil || o.HostTags != "fast,ssd" || o.StorageType != offering.LocalStorage || o.SystemType != offering.DomainRouter ||
		o.State != offering.Active || o.DisplayText != "o" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	fixed := offering.Compute{Name: "fixed", CPUNumber: 2, CPUSpeed: 1000, MemoryMB: 1024}
	free := offering.Compute{Name: "free", Customized: true}
	bounded := offering.Compute{Name: "bounded", Customized: true, CPUSpeed: 2000, MinCPU: 2, MaxCPU: 4, MinMemoryMB: 512, MaxMemoryMB: 2048}
	for _, c := range []struct {
		o              offering.Compute
		details        map[string]string
		cpus, mhz, mem int
		says           string
	}{
		{fixed, map[string]string{"keyboard": "us"}, 2, 1000, 1024, ""},
		{fixed, map[string]string{"cpuNumber": "3"}, 0, 0, 0, "fixes cpuNumber to 2"},
		{free, map[string]string{"cpuNumber": "1", "cpuSpeed": "100", "memory": "64"}, 1, 100, 64, ""},
		{free, map[string]string{"cpunumber": "1", "cpuspeed": "100", "memory": "64"}, 1, 100, 64, ""},
		{free, map[string]string{"cpuNumber": "1", "memory": "64"}, 0, 0, 0, "leaves cpuSpeed to you"},
		{free, map[string]string{"cpuNumber": "1", "cpuSpeed": "100", "memory": "16"}, 0, 0, 0, `memory "16"`},
		{bounded, map[string]string{"cpuNumber": "4", "memory": "512"}, 4, 2000, 512, ""},
		{bounded, map[string]string{"cpuNumber": "5", "memory": "512"}, 0, 0, 0, "from 2 to 4"},
		{bounded, map[string]string{"cpuNumber": "2.5", "memory": "512"}, 0, 0, 0, "from 2 to 4"},
		{bounded, map[string]string{"cpuNumber": "2", "memory": "512", "cpuSpeed": "1"}, 0, 0, 0, "fixes cpuSpeed"},
	} {
		cpus, mhz, mem, err := offering.Size(c.o, c.details)
		if cpus != c.cpus || mhz != c.mhz || mem != c.mem || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s with %v: %d %d %d %v; want %+v", c.o.Name, c.details, cpus, mhz, mem, err, c)
		}
	}
}

func TestWhoIsOffered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		root := w.as("ROOT", auth.RootAdmin)
		ids := map[string]uid.ServiceOffering{}
		for name, s := range map[string]offering.Scope{
			"all": {}, "of a": {Domains: []uid.Domain{w.domains["a"].ID}}, "of b": {Domains: []uid.Domain{w.domains["b"].ID}},
			"of ab in north": {Domains: []uid.Domain{w.domains["ab"].ID}, Zones: []uid.Zone{w.north}},
			"south":          {Zones: []uid.Zone{w.south}},
		} {
			o, err := w.offerings.CreateCompute(root, offering.Compute{Name: name, CPUNumber: 1, CPUSpeed: 100, MemoryMB: 64, Scope: s,
				SortKey: len(name)})
			w.must(err)
			ids[name] = o.ID
		}
		for _, c := range []struct {
			path string
			kind auth.AccountType
			f    offering.Filter
			want []string
		}{
			{"ROOT", auth.RootAdmin, offering.Filter{}, []string{"all", "of a", "of b", "south", "of ab in north"}},
			{"ROOT/a", auth.User, offering.Filter{}, []string{"all", "of a", "south"}},
			{"ROOT/a", auth.DomainAdmin, offering.Filter{}, []string{"all", "of a", "of b", "south"}},
			{"ROOT/a/b", auth.User, offering.Filter{}, []string{"all", "of a", "of b", "south"}},
			{"ROOT/ab", auth.User, offering.Filter{}, []string{"all", "south", "of ab in north"}},
			{"ROOT/ab", auth.User, offering.Filter{Zone: w.north}, []string{"all", "of ab in north"}},
			{"ROOT/ab", auth.DomainAdmin, offering.Filter{Zone: w.south}, []string{"all", "south"}},
			{"ROOT", auth.RootAdmin, offering.Filter{Domain: w.domains["b"].ID}, []string{"of b"}},
		} {
			got := w.computes(w.as(c.path, c.kind), c.f)
			slices.Sort(got)
			slices.Sort(c.want)
			w.equal(c.path, got, c.want)
		}
		user := w.as("ROOT/a", auth.User)
		_, err := offering.Deployable(user, d.Read(), ids["of a"], w.north)
		w.must(err)
		_, err = offering.Deployable(user, d.Read(), ids["of b"], w.north)
		w.refused(err, fault.NotFound, string(ids["of b"]))
		_, err = offering.Deployable(user, d.Read(), ids["south"], w.north)
		w.refused(err, fault.Invalid, "not offered in this zone")

		// Offered to everybody, and no longer.
		o, err := w.offerings.UpdateCompute(root, ids["of b"], offering.Change{Domains: &[]uid.Domain{}, Name: new("was b")})
		w.must(err)
		_, err = offering.Deployable(user, d.Read(), o.ID, w.north)
		w.must(err)
		_, err = w.offerings.UpdateCompute(root, o.ID, offering.Change{State: new(offering.Inactive)})
		w.must(err)
		_, err = offering.Deployable(user, d.Read(), o.ID, w.north)
		w.refused(err, fault.Conflict, `"was b" is Inactive`)
		w.must(w.offerings.DeleteCompute(root, o.ID))
		w.refused(w.offerings.DeleteCompute(root, o.ID), fault.NotFound, string(o.ID))
		_, err = w.offerings.UpdateCompute(root, ids["all"], offering.Change{Zones: &[]uid.Zone{uid.New[uid.Zone]()}})
		w.refused(err, fault.NotFound, "no zone")
	})
}

func TestWhatAMachineCanChangeTo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		root := w.as("ROOT", auth.RootAdmin)
		all := map[string]offering.Compute{}
		for i, o := range []offering.Compute{
			{Name: "from", StorageTags: "ssd"}, {Name: "same"}, {Name: "tagged", StorageTags: "ssd"}, {Name: "other tags", StorageTags: "tape"},
			{Name: "local", StorageType: offering.LocalStorage}, {Name: "system", IsSystem: true},
		} {
			o.CPUNumber, o.CPUSpeed, o.MemoryMB, o.SortKey = 1, 100, 64<<i, i
			made, err := w.offerings.CreateCompute(root, o)
			w.must(err)
			all[o.Name] = made
		}
		custom, err := w.offerings.CreateCompute(root, offering.Compute{Name: "custom", Customized: true, SortKey: 9, RootGB: 1})
		w.must(err)
		all["custom"] = custom
		from := all["from"]
		can := w.computes(root, offering.Filter{ChangeFrom: &from})
		w.equal("the list", can, []string{"same", "tagged", "custom"})
		for name, to := range all { // the rule and the list say the same
			if err := from.ChangesTo(to); (err == nil) != slices.Contains(can, name) {
				t.Errorf("from %q to %q: %v", from.Name, name, err)
			}
		}
		w.equal("enough memory", w.computes(root, offering.Filter{MinMemoryMB: 256, System: new(false)}), []string{"tagged", "other tags", "local", "custom"})
		w.equal("room for the template", w.computes(root, offering.Filter{RootBytes: 2 << 30, MinMemoryMB: 1024}), []string{"local", "system"})
	})
}

func TestDisks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		root, user := w.as("ROOT", auth.RootAdmin), w.as("ROOT/a", auth.User)
		for says, o := range map[string]offering.Disk{
			"give disksize": {Name: "d"}, "leave out disksize": {Name: "d", SizeGB: 1, Customized: true}, "disksize 65537": {Name: "d", SizeGB: 65537},
			"want shared": {Name: "d", SizeGB: 1, StorageType: "x"},
		} {
			_, err := w.offerings.CreateDisk(root, o)
			w.refused(err, fault.Invalid, says)
		}
		made := map[string]uid.DiskOffering{}
		for i, o := range []offering.Disk{
			{Name: "five", SizeGB: 5}, {Name: "hidden", SizeGB: 5, Hidden: true},
			{Name: "of ab", Customized: true, Scope: offering.Scope{Domains: []uid.Domain{w.domains["ab"].ID}}},
		} {
			o.SortKey = -i
			m, err := w.offerings.CreateDisk(root, o)
			w.must(err)
			made[o.Name] = m.ID
		}
		names := func(ctx context.Context) (names []string) {
			got, _, err := w.offerings.Disks(ctx, offering.Filter{})
			w.must(err)
			for _, o := range got {
				names = append(names, o.Name)
			}
			return names
		}
		w.equal("root", names(root), []string{"of ab", "hidden", "five"})
		w.equal("user", names(user), []string{"five"})
		_, err := offering.DeployableDisk(user, d.Read(), made["of ab"], w.north)
		w.refused(err, fault.NotFound, "no disk offering")
		_, err = w.offerings.UpdateDisk(root, made["hidden"], offering.Change{Hidden: new(false), StorageTags: new("b,a")})
		w.must(err)
		w.must(w.offerings.DeleteDisk(root, made["five"]))
		w.equal("user, later", names(user), []string{"hidden"})
		_, err = offering.DeployableDisk(user, d.Read(), made["five"], w.north)
		w.refused(err, fault.NotFound, "no disk offering")
		o, err := offering.DeployableDisk(user, d.Read(), made["hidden"], w.north)
		if w.must(err); o.Tags != "a,b" {
			t.Errorf("tags %q", o.Tags)
		}
	})
}
