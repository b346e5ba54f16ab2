package compute

import (
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// State is where a machine stands.
type State string

// The states.
const (
	Starting  State = "Starting"
	Running   State = "Running"
	Stopping  State = "Stopping"
	Stopped   State = "Stopped"
	Migrating State = "Migrating"
	Destroyed State = "Destroyed"
	Expunging State = "Expunging"
	Failed    State = "Error"
)

// moves are the states that a user's wish may lead to from each state. Operations move on from Starting, Stopping,
// Migrating and Expunging themselves.
var moves = map[State][]State{
	Stopped:   {Starting, Destroyed, Expunging},
	Running:   {Stopping, Running, Migrating, Destroyed},
	Destroyed: {Stopped, Expunging},
	Failed:    {Destroyed, Expunging},
}

// VM is a virtual machine.
type VM struct {
	ID           uid.VM              `bun:",pk"`
	Account      uid.Account         `bun:"account_id"`
	Domain       uid.Domain          `bun:"domain_id"`
	User         uid.User            `bun:"user_id"`
	Zone         uid.Zone            `bun:"zone_id"`
	Host         uid.Host            `bun:"host_id,nullzero"` // holds the machine's room while set
	LastHost     uid.Host            `bun:"last_host_id,nullzero"`
	ToHost       uid.Host            `bun:"to_host_id,nullzero"` // holds it, too, while the machine is moving there
	Template     uid.Template        `bun:"template_id"`
	Offering     uid.ServiceOffering `bun:"service_offering_id"`
	OSType       uid.OSType          `bun:"os_type_id"`
	Group        uid.InstanceGroup   `bun:"group_id,nullzero"`
	ISO          uid.Template        `bun:"iso_id,nullzero"` // in its CD drive
	Serial       int64
	Name         string // the host name
	DisplayName  string
	InstanceName string // what it is called on its host
	Hypervisor   string
	State        State
	CPUNumber    int `bun:"cpu_number"`
	CPUSpeed     int `bun:"cpu_speed"` // MHz per core
	MemoryMB     int `bun:"memory_mb"`
	UserData     string
	KeyPairs     string   `bun:"key_pairs"` // names of SSH key pairs, a line each
	SSHKeys      string   `bun:"ssh_keys"`  // their public halves, a line each: the machine keeps them when a pair is deleted
	Password     string   // sealed; "" where there is none, or it has been shown
	PasswordUser uid.User `bun:"password_user"`      // whom it was made for, besides the account's users
	Encrypted    string   `bun:"encrypted_password"` // it, for who has the private half of the machine's first RSA key
	Details      map[string]string
	HAEnabled    bool `bun:"ha_enabled"`
	Dynamic      bool // may be given more CPU and memory while it runs
	Version      int64
	Created      time.Time
	Updated      time.Time `bun:",nullzero"` // when a user last changed it
	Destroyed    time.Time `bun:",nullzero"` // when it was, while it is
	Removed      time.Time `bun:",nullzero"`
}

// may refuses a move that the machine's state does not allow.
func (vm VM) may(to State) error {
	if slices.Contains(moves[vm.State], to) {
		return nil
	}
	verb := map[State]string{
		Starting: "started", Stopping: "stopped", Running: "rebooted", Destroyed: "destroyed", Expunging: "expunged", Stopped: "recovered",
		Migrating: "migrated",
	}[to]
	return fault.Conflictf("virtual machine %q is %s and can't be %s", vm.Name, vm.State, verb)
}

// need is the room that the machine takes on a host.
func (vm VM) need() host.Need {
	return host.Need{CPU: int64(vm.CPUNumber) * int64(vm.CPUSpeed), Memory: int64(vm.MemoryMB)}
}

// use is what the machine counts for against its account's limits until it is destroyed.
func (vm VM) use() limit.Use {
	return limit.Use{limit.VMs: 1, limit.CPUs: int64(vm.CPUNumber), limit.MemoryMB: int64(vm.MemoryMB)}
}
