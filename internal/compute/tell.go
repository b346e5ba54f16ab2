package compute

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/firmware"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Drive gives the files of the drive that tells a machine what it is, by path.
type Drive func(ctx context.Context, q db.Tx, id uid.VM) (map[string][]byte, error)

// ToldBy says who fills drives. It is called before the service is used.
func (s *Service) ToldBy(d Drive) { s.drive = d }

// tell is the machine as its host's driver gets to know it.
func (s *Service) tell(ctx context.Context, vm known) (m hypervisor.Machine, err error) {
	m = hypervisor.Machine{
		VM: vm.ID, Name: vm.InstanceName, CPUs: vm.CPUNumber, CPUSpeedMHz: vm.CPUSpeed, MemoryMB: vm.MemoryMB, SSHKeys: lines(vm.SSHKeys),
		CD: vm.cd, UEFI: firmware.Wanted(vm.Details),
	}
	if vm.UserData != "" { // it is kept as the API takes it
		if m.UserData, err = base64.StdEncoding.DecodeString(vm.UserData); err != nil {
			return m, err
		}
	}
	if m.Password, err = s.Password(vm.VM); err != nil {
		return m, err
	}
	if s.drive != nil && vm.wantsDrive() {
		if m.Drive, err = s.drive(ctx, s.db.Read(), vm.ID); err != nil {
			return m, err
		}
	}
	rate := 0
	for _, d := range vm.disks {
		m.LimitCPU, rate = d.LimitCPU, d.NetworkRate
		if d.Pool != "" && d.State != volume.Attaching {
			m.Leased = (m.Leased || len(m.Disks) == 0) && d.PoolScope != pool.HostOnly // all of them
			m.Disks = append(m.Disks, d.attachment())
		}
	}
	for _, c := range vm.cards {
		if c.Default { // the others are as fast as their networks
			if c.Rate = rate; rate == 0 {
				c.Rate = int(setting.MachineNetworkRate.Of(s.settings, setting.InZone(vm.Zone)))
			}
		}
		m.NICs = append(m.NICs, hypervisor.NIC{
			ID: c.ID, Network: c.Network, Device: c.Device, MAC: c.MAC, IP: c.IP.String(), IP6: c.IP6, VLAN: c.VLAN, Wire: c.Wire, Mbps: c.Rate,
		})
	}
	return m, nil
}

// wantsDrive tells whether a drive tells the machine what it is: no router does, and there is something that it must know.
func (vm known) wantsDrive() bool {
	by := ""
	for _, c := range vm.cards {
		if c.Default {
			by = c.Teller
		}
	}
	return by == "drive" || by == "" && vm.UserData+vm.SSHKeys+vm.Password != ""
}

// lines are the lines of a text; none of "".
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
