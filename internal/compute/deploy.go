package compute

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// DeployIn says what machine to make. Zero fields are left to the service.
type DeployIn struct {
	Name, DisplayName string
	Zone              uid.Zone
	Offering          uid.ServiceOffering
	Template          uid.Template
	OwnerAccount      string
	OwnerDomain       uid.Domain
	Networks          []NetworkIn // none: the account's isolated network, or a new one
	DiskOffering      uid.DiskOffering
	DiskGB            int64 // of a customized disk offering
	RootGB            int64 // 0: the offering's or the template's size
	Host              uid.Host
	Pod               uid.Pod
	Cluster           uid.Cluster
	Stopped           bool // don't start it
	UserData          string
	Hypervisor        string
	Details           map[string]string
	Group             string // "" for none
	Keyboard          string // of the console: one of the keyboards
	Dynamic           bool

	serial, macs int64
}

// NetworkIn is a network to put a machine in.
type NetworkIn = network.Wanted

// clashes is how often a deployment is begun again that met another one at the same unique thing.
const clashes = 4

// Deploy begins to make a machine, and gives its id and that of the job that makes it.
func (s *Service) Deploy(ctx context.Context, in DeployIn) (uid.VM, op.ID, error) {
	if err := in.check(); err != nil {
		return "", "", err
	}
	runner := s.deploy
	if in.Stopped {
		runner = s.prepare
	}
	for attempt := 1; ; attempt++ {
		id := uid.New[uid.VM]()
		serial, err := s.db.Counter("vm").Take(ctx, 1)
		if err != nil {
			return "", "", err
		}
		macs, err := s.networks.Serials(ctx, max(1, len(in.Networks)))
		if err != nil {
			return "", "", err
		}
		in.serial, in.macs = serial, macs
		q := request(ctx, id, "deployVirtualMachine")
		q.Fresh = true
		job, _, err := runner.Start(ctx, q, job{VM: id, Was: Stopped, in: &in,
			Wish: in.wish()})
		if err == nil {
			return id, job, nil
		}
		if !db.IsUnique(err) {
			return "", "", err
		}
		if attempt == clashes {
			return "", "", fault.Conflictf("other deployments took the same address or network at the same moment; try again")
		}
	}
}

// wish is where an admin wants the machine.
func (in *DeployIn) wish() wish { return wish{Host: in.Host, Pod: in.Pod, Cluster: in.Cluster} }

func (s *Service) deployPlan() *op.Plan[job] {
	return op.New[job]("vm.deploy").
		Accept(s.allocate, s.giveUp).
		Tx("place", s.place, s.unplace).
		Do("disks", s.makeDisks, s.dropNew).
		Do("start", s.powerOn, s.powerOff).
		Tx("finish", s.started, nil)
}

// preparePlan deploys a machine without starting it: its disks are made when it first starts.
func (s *Service) preparePlan() *op.Plan[job] {
	return op.New[job]("vm.prepare").
		Accept(s.allocate, s.giveUp).
		Tx("finish", func(ctx context.Context, tx db.Tx, j *job) error { return setState(ctx, tx, j.VM, Stopped) }, nil)
}

// keyboards are the layouts that CloudStack's consoles know.
var keyboards = strings.Fields("de de-ch es fi fr fr-be fr-ch is it jp nl-be no pt uk us")

var hostName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func (in *DeployIn) check() error {
	if err := checkHostName("name", in.Name); err != nil {
		return err
	}
	if err := checkUserData(in.UserData); err != nil {
		return err
	}
	if in.Keyboard != "" && !slices.Contains(keyboards, in.Keyboard) {
		return fault.Invalidf("keyboard %q is unknown; there is: %s", in.Keyboard, strings.Join(keyboards, ", "))
	}
	if in.DiskOffering == "" && in.DiskGB != 0 {
		return fault.Invalidf("size %d was given without a diskofferingid", in.DiskGB)
	}
	if err := volume.CheckGB("rootdisksize", in.RootGB); err != nil {
		return err
	}
	if err := volume.CheckGB("size", in.DiskGB); err != nil {
		return err
	}
	seen := map[uid.Network]bool{}
	for _, n := range in.Networks {
		if seen[n.Network] {
			return fault.Invalidf("network %s is named twice", n.Network)
		}
		seen[n.Network] = true
	}
	return nil
}

// allocate checks every id of a deployment against the caller and writes all its rows, in the request's transaction.
func (s *Service) allocate(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	in := j.in
	owner, err := s.accounts.Owner(ctx, tx, in.OwnerAccount, in.OwnerDomain)
	if err != nil {
		return err
	}
	z, off, tpl, err := s.choose(ctx, tx, in, owner)
	if err != nil {
		return err
	}
	if err := j.Wish.check(ctx, tx, z.ID); err != nil {
		return err
	}
	vm := VM{
		ID: j.VM, Account: owner.Account, Domain: owner.Domain, User: q.Caller.User, Zone: z.ID, Template: tpl.ID, Offering: off.ID,
		OSType: tpl.OSType, Serial: in.serial, Name: in.Name, DisplayName: in.DisplayName, Hypervisor: tpl.Hypervisor, State: Starting,
		UserData: in.UserData, HAEnabled: off.OfferHA, Dynamic: in.Dynamic, Created: tx.Now,
	}
	if err := vm.resize(off, in.Details); err != nil {
		return err
	}
	if in.Stopped {
		vm.State = Stopped
	}
	if vm.Name == "" {
		vm.Name = "VM-" + string(vm.ID)
	}
	if vm.DisplayName == "" {
		vm.DisplayName = vm.Name
	}
	vm.InstanceName = s.instanceName(vm)
	if in.Keyboard != "" {
		vm.Details["keyboard"] = in.Keyboard
	}
	if vm.Group, err = groupFor(ctx, tx, vm, in.Group); err != nil {
		return err
	}
	if err := insert(ctx, tx, vm); err != nil {
		return err
	}
	disks, err := s.newDisks(ctx, tx, in, vm, off, tpl)
	if err != nil {
		return err
	}
	if err := volume.Insert(ctx, tx, disks); err != nil {
		return err
	}
	if err := announce(ctx, tx, q, vm, event.VMCreate, "deploying"); err != nil {
		return err
	}
	// Now come the rows that all deployments of the account want: they are locked for one journey and the commit.
	if err := s.attach(ctx, tx, in, vm, owner, z); err != nil {
		return err
	}
	use := vm.use()
	for _, v := range disks {
		use[account.Volumes]++
		use[account.PrimaryGB] += volume.Gigabytes(v.Size)
	}
	return account.Take(ctx, tx, vm.Account, use)
}

// instanceName is what the machine is called on its host.
func (s *Service) instanceName(vm VM) string {
	last := setting.InstanceName.Of(s.settings)
	if setting.InstanceNameIsName.Of(s.settings) {
		last = vm.Name
	}
	return fmt.Sprintf("i-%d-%s", vm.Serial, last)
}

// choose finds and checks the zone, the offering and the template that a deployment names.
func (s *Service) choose(ctx context.Context, tx db.Tx, in *DeployIn, owner account.Owner) (
	z zone.Zone, off offering.Compute, tpl image.Template, err error,
) {
	caller := auth.From(ctx)
	if z, err = zone.Usable(ctx, tx, in.Zone, owner.Domain); err != nil {
		return z, off, tpl, err
	}
	if off, err = offering.Deployable(ctx, tx, in.Offering, z.ID); err != nil {
		return z, off, tpl, err
	}
	if tpl, err = image.Deployable(ctx, tx, in.Template, z.ID); err != nil {
		return z, off, tpl, err
	}
	switch {
	case z.Allocation != zone.Enabled && !caller.IsRoot():
		err = fault.Conflictf("zone %q is disabled", z.Name)
	case tpl.IsISO():
		err = fault.Invalidf("%q is an ISO, and machines are only made from templates yet", tpl.Name)
	case in.Hypervisor != "" && !strings.EqualFold(in.Hypervisor, tpl.Hypervisor):
		err = fault.Invalidf("hypervisor %q does not run template %q, which is for %s", in.Hypervisor, tpl.Name, tpl.Hypervisor)
	}
	return z, off, tpl, err
}

// attach puts the machine in its networks, in the order in which they were named; the first one is its default.
func (s *Service) attach(ctx context.Context, tx db.Tx, in *DeployIn, vm VM, owner account.Owner, z zone.Zone) error {
	networks := in.Networks
	if len(networks) == 0 || networks[0].Network == "" {
		id, err := s.networks.ForDeployment(ctx, tx, owner, z)
		if err != nil {
			return err
		}
		first := NetworkIn{Network: id}
		if len(networks) == 1 { // no network, but an address wanted in it
			first.IP, first.MAC = networks[0].IP, networks[0].MAC
		}
		networks = []NetworkIn{first}
	}
	return s.networks.Attach(ctx, tx, network.AttachIn{VM: vm.ID, Owner: vm.Account, Zone: z.ID, Networks: networks, Serial: in.macs})
}

// newDisks are the machine's root disk, and a data disk if it is to have one.
func (s *Service) newDisks(ctx context.Context, tx db.Tx, in *DeployIn, vm VM, off offering.Compute, tpl image.Template) ([]volume.Volume, error) {
	size := tpl.Size
	for _, gb := range []int64{off.RootGB, in.RootGB} {
		if gb != 0 {
			size = gb * volume.GB
		}
	}
	if size < tpl.Size {
		return nil, fault.Invalidf("rootdisksize %d GB is less than template %q holds (%d GB)", size/volume.GB, tpl.Name, volume.Gigabytes(tpl.Size))
	}
	if err := s.volumes.CheckMax(volume.Gigabytes(size)); err != nil {
		return nil, err
	}
	disk := func(device int) volume.Volume {
		return volume.Volume{
			ID: uid.New[uid.Volume](), Account: vm.Account, Domain: vm.Domain, Zone: vm.Zone, VM: vm.ID, Device: &device,
			State: volume.Allocated, Created: tx.Now, Attached: tx.Now,
		}
	}
	root := disk(0)
	root.Name, root.Type, root.Size, root.Template, root.ServiceOffering = fmt.Sprintf("ROOT-%d", vm.Serial), volume.Root, size, tpl.ID, off.ID
	if in.DiskOffering == "" {
		return []volume.Volume{root}, nil
	}
	dataOff, err := offering.DeployableDisk(ctx, tx, in.DiskOffering, vm.Zone)
	if err != nil {
		return nil, err
	}
	size, err = s.volumes.SizeOf(dataOff, in.DiskGB)
	if err != nil {
		return nil, err
	}
	data := disk(1)
	data.Name, data.Type, data.Size, data.DiskOffering = fmt.Sprintf("DATA-%d", vm.Serial), volume.Data, size, dataOff.ID
	return []volume.Volume{root, data}, nil
}

// giveUp undoes allocate: nothing of the machine remains but its removed row and its events.
func (s *Service) giveUp(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := findLocked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := network.Detach(ctx, tx, vm.ID); err != nil {
		return err
	}
	volumes, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	use := vm.use()
	for _, v := range volumes[vm.ID] {
		if v.State == volume.Attaching {
			continue // a volume of its own, which an operation that waits for this one's end will take back
		}
		use[account.Volumes]++
		use[account.PrimaryGB] += volume.Gigabytes(v.Size)
		if err := volume.Remove(ctx, tx, v.ID); err != nil {
			return err
		}
	}
	if err := setRemoved(ctx, tx, vm.ID, Failed); err != nil {
		return err
	}
	return account.Give(ctx, tx, vm.Account, use)
}
