package compute

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/firmware"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/vmgroup"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// DeployIn says what machine to make. Zero fields are left to the service.
type DeployIn struct {
	Name, DisplayName string
	Zone              uid.Zone
	Offering          uid.ServiceOffering
	Template          uid.Template // or an ISO, which the machine is installed from
	Owner             account.For
	Networks          []NetworkIn      // none: the account's isolated network, or a new one
	DiskOffering      uid.DiskOffering // of its data disk, or of its root disk if it is installed from an ISO
	DiskGB            int64            // of a customized disk offering
	RootGB            int64            // 0: the offering's or the template's size
	Host              uid.Host
	Pod               uid.Pod
	Cluster           uid.Cluster
	Stopped           bool // don't start it
	UserData          string
	Hypervisor        string
	Details           map[string]string
	Group             string // "" for none
	Keyboard          string // of the console: one of the keyboards
	Firmware          firmware.Asked
	Dynamic           bool
	KeyPairs          []string // names of SSH key pairs of the owner's
	Groups            secgroup.Wanted

	serial, macs int64
}

// NetworkIn is a network to put a machine in.
type NetworkIn = network.Wanted

// clashes is how often a deployment is begun again that met another one at the same unique thing.
const clashes = 4

// Deploy begins to make a machine, and gives its id and that of the job that makes it.
func (s *Service) Deploy(ctx context.Context, in DeployIn) (uid.VM, op.ID, error) {
	if err := in.check(s.settings); err != nil {
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
		q := Request(ctx, id, "deployVirtualMachine")
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
		Wait("network", s.announced).
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

func (in *DeployIn) check(settings *setting.Settings) error {
	if err := checkHostName("name", in.Name); err != nil {
		return err
	}
	if err := checkUserData(settings, in.UserData); err != nil {
		return err
	}
	if in.Keyboard != "" && !slices.Contains(keyboards, in.Keyboard) {
		return fault.Invalidf("keyboard %q is unknown; there is: %s", in.Keyboard, strings.Join(keyboards, ", "))
	}
	if err := errors.Join(in.Firmware.Check(), in.Groups.Check()); err != nil {
		return err
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
	owner, err := s.accounts.Owner(ctx, tx, in.Owner)
	if err != nil {
		return err
	}
	if in.Template == "" {
		return fault.Invalidf("templateid is missing: name the template to make the machine from, or the ISO to install it from")
	}
	z, off, tpl, err := s.choose(ctx, tx, in, owner)
	if err != nil {
		return err
	}
	if err := j.Wish.check(ctx, tx, z.ID); err != nil {
		return err
	}
	vm := s.draw(tx, j, owner, tpl)
	vm.User, vm.Zone, vm.HAEnabled = q.Caller.User, z.ID, off.OfferHA
	if err := vm.resize(off, in.Details); err != nil {
		return err
	}
	if err := in.Firmware.Note(vm.Details, tpl.Details); err != nil {
		return err
	}
	if in.Keyboard != "" {
		vm.Details["keyboard"] = in.Keyboard
	}
	if err := vm.LetIn(ctx, tx, vm.Account, in.KeyPairs); err != nil {
		return err
	}
	if tpl.PasswordEnabled {
		s.GivePassword(&vm, NewPassword(), vm.User)
	}
	if vm.Group, err = vmgroup.For(ctx, tx, vm.Account, vm.Domain, in.Group); err != nil {
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
	if err := Announce(ctx, tx, q, vm, event.VMCreate, "deploying"); err != nil {
		return err
	}
	// Now come the rows that all deployments of the account want: they are locked for one journey and the commit.
	if err := s.attach(ctx, tx, in, vm, owner, z); err != nil {
		return err
	}
	use := vm.use()
	for _, v := range disks {
		use[limit.Volumes]++
		use[limit.PrimaryGB] += volume.Gigabytes(v.Size)
	}
	return account.Take(ctx, tx, vm.Account, use)
}

// draw is the machine as far as the request and its template say what it is.
func (s *Service) draw(tx db.Tx, j *job, owner account.Owner, tpl image.Template) VM {
	in := j.in
	vm := VM{
		ID: j.VM, Account: owner.Account, Domain: owner.Domain, Template: tpl.ID, OSType: tpl.OSType, Serial: in.serial, Name: in.Name,
		DisplayName: in.DisplayName, Hypervisor: tpl.Hypervisor, State: Starting, UserData: in.UserData, Dynamic: in.Dynamic, Created: tx.Now,
	}
	if tpl.IsISO() {
		vm.ISO = tpl.ID
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
	return vm
}

// LetIn gives the machine the public keys of an account's key pairs, and no others.
func (vm *VM) LetIn(ctx context.Context, tx db.Tx, owner uid.Account, names []string) error {
	var known, keys []string
	for _, name := range names {
		p, err := keypair.Find(ctx, tx, owner, name)
		if err != nil {
			return err
		}
		if !slices.Contains(known, p.Name) {
			known, keys = append(known, p.Name), append(keys, p.PublicKey)
		}
	}
	vm.KeyPairs, vm.SSHKeys = strings.Join(known, "\n"), strings.Join(keys, "\n")
	return nil
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
	case !z.SecurityGroups && !in.Groups.IsZero():
		err = fault.Invalidf("zone %q has no security groups: leave out %s", z.Name, in.Groups)
	case tpl.IsISO():
		tpl.Hypervisor, err = in.installed(ctx, tx, tpl, z)
	case in.Hypervisor != "" && !strings.EqualFold(in.Hypervisor, tpl.Hypervisor):
		err = fault.Invalidf("hypervisor %q does not run template %q, which is for %s", in.Hypervisor, tpl.Name, tpl.Hypervisor)
	}
	return z, off, tpl, err
}

// installed checks what a machine that is installed from an ISO needs, and gives its hypervisor.
func (in *DeployIn) installed(ctx context.Context, tx db.Tx, iso image.Template, z zone.Zone) (string, error) {
	switch {
	case !iso.Bootable:
		return "", fault.Invalidf("machines can't start from ISO %q: it is not bootable", iso.Name)
	case in.DiskOffering == "":
		return "", fault.Invalidf("%q is an ISO: name the diskofferingid of the root disk that the machine is to be installed on", iso.Name)
	case in.Hypervisor == "":
		return "", fault.Invalidf("%q is an ISO, which is for every hypervisor: name the hypervisor", iso.Name)
	case in.RootGB != 0:
		return "", fault.Invalidf("the root disk of a machine that is installed from an ISO has the size of its disk offering: "+
			"leave out rootdisksize %d", in.RootGB)
	}
	name, err := zone.Hypervisor(in.Hypervisor)
	if err != nil {
		return "", err
	}
	there, err := zone.Runs(ctx, tx, z.ID, name)
	if err == nil && !there {
		err = fault.Invalidf("zone %q has no cluster of hypervisor %s", z.Name, name)
	}
	return name, err
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
			first.IP, first.IP6, first.MAC = networks[0].IP, networks[0].IP6, networks[0].MAC
		}
		networks = []NetworkIn{first}
	}
	grouped := false
	if z.SecurityGroups {
		ids := make([]uid.Network, len(networks))
		for i, n := range networks {
			ids[i] = n.Network
		}
		var err error
		if grouped, err = in.Groups.Join(ctx, tx, vm.ID, vm.Account, ids); err != nil {
			return err
		}
	}
	err := s.networks.Attach(ctx, tx, network.AttachIn{VM: vm.ID, Owner: vm.Account, Zone: z.ID, Networks: networks, Serial: in.macs})
	if err == nil && !grouped && !in.Groups.IsZero() {
		err = fault.Invalidf("none of the machine's networks has security groups: leave out %s", in.Groups)
	}
	return err
}

// giveUp undoes allocate: nothing of the machine remains but its removed row and its events.
func (s *Service) giveUp(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := secgroup.Leave(ctx, tx, vm.ID); err != nil {
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
		use[limit.Volumes]++
		use[limit.PrimaryGB] += volume.Gigabytes(v.Size)
		if err := volume.Remove(ctx, tx, v.ID); err != nil {
			return err
		}
	}
	if err := setRemoved(ctx, tx, vm.ID, Failed); err != nil {
		return err
	}
	return account.Give(ctx, tx, vm.Account, use)
}
