package cloudtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/uid"
)

// What machines use is in their lists: now, and in all.
func TestMachineStats(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2, Rest: []string{"vm-stats"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		look := func(after time.Duration) cs.Stats {
			t.Helper()
			c.Clock.Forward(after)
			must(t, c.Keepers.Round(ctx, "vm-stats"))
			return one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID}).Stats
		}
		now := func(s cs.Stats) bool { return s.CPUUsed != "" || s.MemoryKBs != nil || s.MemoryTargetKBs != nil }
		if before := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID}).Stats; before != (cs.Stats{}) {
			t.Errorf("before it was looked at: %+v", before)
		}
		c.Clock.Stand() // host and server read it one after the other
		first := look(time.Minute)
		if first.CPUUsed != "" || *first.MemoryKBs != int64(vm.Memory)<<10 || *first.MemoryTargetKBs != int64(vm.Memory)<<10 || *first.NetworkKBsRead == 0 {
			t.Errorf("after one look: %+v", first)
		}
		second := look(time.Minute)
		if used, err := strconv.ParseFloat(strings.TrimSuffix(second.CPUUsed, "%"), 64); err != nil || used < 2 || used > 22 {
			t.Errorf("after two looks %q of its CPU is used, %v", second.CPUUsed, err)
		}
		c.Clock.Go()
		for name, is := range map[string]bool{
			"received": *second.NetworkKBsRead > *first.NetworkKBsRead, "sent": *second.NetworkKBsWrite > *first.NetworkKBsWrite,
			"read": *second.DiskKBsRead > *first.DiskKBsRead, "written": *second.DiskKBsWrite > *first.DiskKBsWrite,
			"reads": *second.DiskIORead > *first.DiskIORead, "writes": *second.DiskIOWrite > *first.DiskIOWrite,
		} {
			if !is {
				t.Errorf("%s is no more after a minute: %+v, then %+v", name, first, second)
			}
		}
		for _, details := range [][]string{{"min"}, {"servoff", "nics"}} {
			if few := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID, Details: details}); few.Stats != (cs.Stats{}) {
				t.Errorf("details=%v shows %+v", details, few.Stats)
			}
		}
		if only := one(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID, Details: []string{"stats"}}); only.CPUUsed == "" || only.NICs != nil {
			t.Errorf("details=stats shows %+v", only)
		}

		silent := simRule(t, "GetVmStatsCommand", "fault")
		must(t, c.Hosts.Script(ctx, silent))
		if s := look(2 * time.Minute); s.CPUUsed != second.CPUUsed {
			t.Errorf("after two looks that failed: %+v", s)
		}
		if s := look(2 * time.Minute); now(s) || *s.NetworkKBsRead != *second.NetworkKBsRead {
			t.Errorf("after many: %+v", s)
		}
		must(t, c.Hosts.Script(ctx, simRule(t, "GetVmStatsCommand", "none")))
		third := look(time.Second)
		stopped := run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		if now(stopped.Stats) || *stopped.NetworkKBsRead != *third.NetworkKBsRead {
			t.Errorf("when it is stopped: %+v, after %+v", stopped.Stats, third)
		}
		run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
		if s := look(time.Minute); s.CPUUsed != "" || *s.NetworkKBsRead-*third.NetworkKBsRead > 120*16 || *s.NetworkKBsRead <= *third.NetworkKBsRead {
			t.Errorf("a minute after it was started again: %+v, after %+v", s, third)
		}

		set(t, c, "vm.stats.interval", "0", cs.SettingPlace{})
		if s := look(time.Second); now(s) || s.NetworkKBsRead == nil {
			t.Errorf("when nothing is measured: %+v", s)
		}
		set(t, c, "vm.stats.interval", "", cs.SettingPlace{})
		job, err := c.Machines.Destroy(ctx, vm.ID, true)
		must(t, err)
		_, err = c.Engine.Wait(ctx, job)
		must(t, err)
		must(t, c.Keepers.Round(ctx, "vm-stats"))
		if left, err := c.Meter.OfMachines(ctx, c.DB.Read(), []uid.VM{vm.ID}); err != nil || len(left) > 0 {
			t.Errorf("of a machine that is no more there is %+v, %v", left, err)
		}
	})
}

func simRule(t *testing.T, name, value string) hypervisor.Rule {
	t.Helper()
	r, err := hypervisor.ParseRule(name, value, 0)
	must(t, err)
	return r
}

// How busy a host is follows from its machines, and is shown as long as it answers.
func TestHostStats(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 1, Rest: []string{"host-stats"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
		look := func(after time.Duration) cs.HostStats {
			t.Helper()
			c.Clock.Forward(after)
			must(t, c.Keepers.Round(ctx, "host-stats"))
			return one(t, c.Client, cs.ListHosts, cs.ListHostsIn{Type: "Routing"}).HostStats
		}
		if before := one(t, c.Client, cs.ListHosts, cs.ListHostsIn{}).HostStats; before != (cs.HostStats{}) {
			t.Errorf("before it was looked at: %+v", before)
		}
		if idle := look(time.Minute); idle.CPUUsed != "0%" || *idle.MemoryUsed != 0 || *idle.AverageLoad != 0 || *idle.CPULoad != 0 || *idle.NetworkIn != 0 {
			t.Errorf("without machines: %+v", idle)
		}
		var memory int64
		for range 3 {
			memory += int64(run(t, c.Client, cs.DeployVirtualMachine, box.Deploy()).Memory) << 20
		}
		busy := look(time.Minute)
		if busy.CPUUsed == "0%" || *busy.MemoryUsed != memory || *busy.CPULoad < 0.06 || *busy.CPULoad > 0.66 || *busy.NetworkIn == 0 || *busy.NetworkOut == 0 {
			t.Errorf("with machines: %+v", busy)
		}
		if few := one(t, c.Client, cs.ListHosts, cs.ListHostsIn{Details: []string{"capacity"}}); few.HostStats != (cs.HostStats{}) {
			t.Errorf("details=capacity shows %+v", few.HostStats)
		}
		must(t, c.Hosts.Script(ctx, simRule(t, "GetHostStatsCommand", "fault")))
		if s := look(2 * time.Minute); s.CPUUsed != busy.CPUUsed {
			t.Errorf("after two looks that failed: %+v", s)
		}
		if s := look(2 * time.Minute); s != (cs.HostStats{}) {
			t.Errorf("after many: %+v", s)
		}
	})
}

// ward is hosts with machines that are busy.
type ward struct {
	at   map[uid.Host][]uid.VM
	disk map[uid.VM]uid.Volume
	card map[uid.VM]uid.NIC
	look int64
}

func (w *ward) Driver(string) (hypervisor.Driver, error) { return wardDriver{nil, w}, nil }

type wardDriver struct {
	hypervisor.Driver
	*ward
}

func (w wardDriver) Usage(_ context.Context, host uid.Host) (all []hypervisor.Usage, _ error) {
	n := w.look * 1_000_003
	for _, vm := range w.at[host] {
		all = append(all, hypervisor.Usage{
			VM: vm, Run: "123456/7890", CPU: time.Duration(n), MemoryKB: 1 << 19,
			Disks: []hypervisor.DiskUsage{{Volume: w.disk[vm], ReadBytes: 8 * n, WriteBytes: 4 * n, ReadOps: n, WriteOps: n}},
			Cards: []hypervisor.CardUsage{{NIC: w.card[vm], Sent: n, Received: 2 * n}},
		})
	}
	return all, nil
}

func (w wardDriver) Load(context.Context, uid.Host) (hypervisor.Load, error) {
	return hypervisor.Load{CPU: new(0.25), Average: 1.5, MemoryKB: 1 << 20, Sent: w.look, Received: w.look}, nil
}

// BenchmarkStats tells how long a round takes over 25,000 machines on 2,000 hosts that answer at once: what remains is the database's time.
func BenchmarkStats(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
		must(b, err)
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		path := filepath.Join(dir, "virga.db")
		d, err := db.Open(b.Context(), path, db.Options{Clock: time.Now})
		must(b, err)
		d.Close()
		stats(b, path)
	})
	b.Run("postgres", func(b *testing.B) { stats(b, dbtest.Postgres(b)) })
}

func stats(b *testing.B, url string) {
	const machines = 25_000
	c := cloudtest.New(b, url, cloudtest.Options{Hosts: 2_000, Broken: true, Durable: true})
	c.Fill(b, cloudtest.Crowd{Accounts: 5_000, Machines: machines, Rich: 1_000, Poor: 3})
	w := &ward{at: map[uid.Host][]uid.VM{}, disk: map[uid.VM]uid.Volume{}, card: map[uid.VM]uid.NIC{}}
	world, err := c.World.Inspect(b.Context())
	must(b, err)
	for vm, at := range world.Guests {
		w.at[at.Host] = append(w.at[at.Host], vm)
		w.disk[vm], w.card[vm] = uid.New[uid.Volume](), uid.New[uid.NIC]()
	}
	for _, keeper := range []string{"vm-stats", "host-stats"} { // the cloud's own rounds would ask the simulated hosts
		must(b, c.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw(`insert into keepers (name, holder, lease_until) values (?, 'nobody', ?)
				on conflict (name) do update set holder = excluded.holder, lease_until = excluded.lease_until`,
				keeper, tx.Now.AddDate(1, 0, 0)).Exec(ctx)
			return err
		}))
	}
	m := meter.New(c.DB, w, c.Settings)
	must(b, m.Machines(b.Context())) // what is used now shows from the second look on
	for name, round := range map[string]func(context.Context) error{"machines": m.Machines, "hosts": m.Hosts} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w.look++
				c.Clock.Forward(time.Minute)
				must(b, round(b.Context()))
			}
		})
	}
	var n int
	must(b, c.DB.Read().NewRaw(`select count(*) from vms v left join vm_stats s on s.vm_id = v.id
		where v.host_id is not null and v.removed is null and s.cpu is null`).Scan(b.Context(), &n))
	if n > 0 {
		b.Errorf("%d machines were not measured", n)
	}
	page, err := api.Fetch(b.Context(), c.Client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{Paging: api.Paging{Page: 1, PageSize: 500}})
	must(b, err)
	for _, vm := range page.Items {
		if vm.State == "Running" && vm.CPUUsed == "" {
			b.Fatalf("%+v", vm)
		}
	}
	for _, details := range []string{"all", "nics,servoff,tmpl,volume,iso,group,secgrp"} {
		b.Run(fmt.Sprintf("list/details=%.4s", details), func(b *testing.B) {
			measure(b, c.Client, "listVirtualMachines", "page=1&details="+details, 500)
		})
	}
	b.Run("list/hosts", func(b *testing.B) { measure(b, c.Client, "listHosts", "page=1", 500) })
}
