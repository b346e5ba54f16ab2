// Package hypervisortest is the conformance run that every [hypervisor.Driver] passes. What a driver's contract says in
// words, this says in calls.
package hypervisortest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Env is a driver to be tested, and what it has to work on. Each test gets a fresh one, with no machine and no disk in it.
type Env struct {
	Driver hypervisor.Driver
	// Hosts are enrolled and answer. With one only, what needs two is left out.
	Hosts []uid.Host
	// Pool is reached by all hosts.
	Pool    uid.Pool
	PoolURL string
	// OtherPoolURL is another pool that they reach; "" leaves out what needs two.
	OtherPoolURL string
	// OthersWrite tells whether others than the test have files where the pools are: how much is used may go either way then.
	OthersWrite bool
	// Template is one that disks can be made from; zero leaves it out.
	Template      uid.Template
	TemplateBytes int64
	// Store is where Template is, and where images and snapshots may be put.
	Store    uid.ImageStore
	StoreURL string
	// Endless tells that stores have no end.
	Endless bool
	// Sent is a qcow2 image that may be sent to hosts; nil is for drivers that do not look.
	Sent []byte
	// ImageURL is where a qcow2 image can be fetched; "" is for drivers that do not look.
	ImageURL string
	// Boot waits until a machine that was started from Template's image does what it is asked for; nil is for drivers whose machines
	// do so whatever they were started from.
	Boot func(t *testing.T, host uid.Host, vm uid.VM)
	// Cards tells whether machines can have network cards.
	Cards bool
	// Machines is how many small machines the hosts can run at the same time; 0 is 50.
	Machines int
	// Reopen gives the driver that a process has which starts after this one was killed. Recover is the run's to call.
	Reopen func(t *testing.T) hypervisor.Driver
}

// Run runs every test, in parallel, each on an Env of its own.
func Run(t *testing.T, fresh func(t *testing.T) Env) {
	for name, test := range map[string]func(*testing.T, *bench){
		"Probe":          testProbe,
		"UnknownHost":    testUnknownHost,
		"Disk":           testDisk,
		"DiskInUse":      testDiskInUse,
		"StartStop":      testStartStop,
		"Reboot":         testReboot,
		"OneHostAtATime": testOneHostAtATime,
		"SameStartTwice": testSameStartTwice,
		"ManyMachines":   testManyMachines,
		"Reopen":         testReopen,
		"Image":          testImage,
		"Take":           testTake,
		"Cancelled":      testCancelled,
		"Forget":         testForget,
		"Answering":      testAnswering,
		"Pool":           testPool,
		"Plug":           testPlug,
		"PlugOneMachine": testPlugOneMachine,
		"PlugCard":       testPlugCard,
		"ChangeCD":       testChangeCD,
		"ResizeDisk":     testResizeDisk,
		"Snapshot":       testSnapshot,
		"Checkpoint":     testCheckpoint,
		"Migrate":        testMigrate,
		"MigrateCopy":    testMigrateCopy,
		"Screen":         testScreen,
		"Usage":          testUsage,
		"Load":           testLoad,
		"Router":         testRouter,
		"Guards":         testGuards,
		"Witness":        testWitness,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := fresh(t)
			test(t, &bench{Env: env, t: t, host: env.Hosts[0], machines: cmp.Or(env.Machines, 50)})
		})
	}
}

// RunNetwork runs what concerns virtual routers and the rules of cards, for what is that side of a driver alone.
func RunNetwork(t *testing.T, fresh func(t *testing.T) Env) {
	for name, test := range map[string]func(*testing.T, *bench){"Router": testRouter, "Guards": testGuards} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := fresh(t)
			test(t, &bench{Env: env, t: t, host: env.Hosts[0]})
		})
	}
}

// RunStores runs what concerns stores of images, for what makes of another kind of store one that hosts know.
func RunStores(t *testing.T, fresh func(t *testing.T) Env) {
	for name, test := range map[string]func(*testing.T, *bench){
		"Image": testImage, "Take": testTake, "Snapshot": testSnapshot, "ChangeCD": testChangeCD,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := fresh(t)
			test(t, &bench{Env: env, t: t, host: env.Hosts[0], machines: cmp.Or(env.Machines, 50)})
		})
	}
}

// bench is an Env with hands.
type bench struct {
	Env
	t        *testing.T
	host     uid.Host // the first
	machines int
}

func (b *bench) ctx() context.Context { return b.t.Context() }

// disk describes a new empty disk.
func (b *bench) disk() hypervisor.Disk {
	ref := hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: b.Pool, PoolURL: b.PoolURL}
	return hypervisor.Disk{DiskRef: ref, Bytes: 1 << 20}
}

// machine describes a new small machine with these disks.
func (b *bench) machine(disks ...hypervisor.Disk) hypervisor.Machine {
	m := hypervisor.Machine{VM: uid.New[uid.VM](), Name: "i-2-3-VM", CPUs: 1, CPUSpeedMHz: 500, MemoryMB: 64}
	for i, d := range disks {
		m.Disks = append(m.Disks, hypervisor.Attachment{DiskRef: d.DiskRef, Device: i})
	}
	return m
}

// running makes a disk and starts a new machine with it.
func (b *bench) running() (hypervisor.Machine, hypervisor.Disk) {
	b.t.Helper()
	d := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	m := b.machine(d)
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	return m, d
}

// booted is running for a machine whose guest does what it is asked for.
func (b *bench) booted() (hypervisor.Machine, hypervisor.Disk) {
	b.t.Helper()
	if b.Boot == nil {
		return b.running()
	}
	d := b.disk()
	d.Template, d.TemplateBytes, d.Bytes, d.Store, d.StoreURL = b.Template, b.TemplateBytes, b.TemplateBytes, b.Store, b.StoreURL
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	m := b.machine(d)
	m.MemoryMB = 96
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	b.Boot(b.t, b.host, m.VM)
	return m, d
}

// able is the driver as something more than a driver; the test is skipped where it is not.
func able[T any](b *bench) T {
	b.t.Helper()
	d, ok := b.Driver.(T)
	if !ok {
		b.t.Skipf("needs a driver that is a %T", new(T))
	}
	return d
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// fails wants a fault of a kind.
func (b *bench) fails(err error, kind fault.Kind) {
	b.t.Helper()
	if !fault.Is(err, kind) {
		b.t.Fatalf("got error %v, want one of kind %q", err, kind)
	}
}

// has wants these machines, running, and no others on a host.
func (b *bench) has(host uid.Host, vms ...uid.VM) {
	b.t.Helper()
	got, err := b.Driver.Guests(b.ctx(), host)
	b.ok(err)
	var want []hypervisor.Guest
	for _, vm := range slices.Sorted(slices.Values(vms)) {
		want = append(want, hypervisor.Guest{VM: vm, Running: true})
	}
	if !slices.Equal(got, want) {
		b.t.Fatalf("guests of host %s are %v, want %v", host, got, want)
	}
}

// second is another host; the test is skipped where there is none.
func (b *bench) second() uid.Host {
	b.t.Helper()
	if len(b.Hosts) < 2 {
		b.t.Skip("needs two hosts")
	}
	return b.Hosts[1]
}

// cancelled wants the error of a cancelled context.
func (b *bench) cancelled(err error) {
	b.t.Helper()
	if !errors.Is(err, context.Canceled) {
		b.t.Fatalf("got error %v, want %v", err, context.Canceled)
	}
}
