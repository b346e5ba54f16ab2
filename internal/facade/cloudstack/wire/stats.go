package wire

import (
	"strconv"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/meter"
)

const kb = 1 << 10

// Stats shows what a machine uses. What it uses now is shown of one that runs, and where it was measured.
func Stats(vm compute.VM, m meter.Machine) (out cs.Stats) {
	out.NetworkKBsRead, out.NetworkKBsWrite = new(m.Received/kb), new(m.Sent/kb)
	out.DiskKBsRead, out.DiskKBsWrite = new(m.ReadBytes/kb), new(m.WrittenBytes/kb)
	out.DiskIORead, out.DiskIOWrite = &m.Reads, &m.Writes
	if !m.Now || m.Host != vm.Host || vm.State != compute.Running {
		return out
	}
	out.CPUUsed = percent(m.CPU)
	out.MemoryKBs, out.MemoryTargetKBs = &m.MemoryKB, new(int64(vm.MemoryMB)*kb)
	return out
}

// HostStats shows how busy a host is.
func HostStats(h meter.Host) cs.HostStats {
	return cs.HostStats{
		CPUUsed: percent(h.CPU), AverageLoad: new((h.Load + 50) / 100), CPULoad: new(float64(h.Load) / 100), MemoryUsed: new(h.MemoryKB * kb),
		NetworkIn: new(h.Received / kb), NetworkOut: new(h.Sent / kb),
	}
}

// percent is hundredths of a percent as clients show them: 40%, or 12.5%; "" for none.
func percent(hundredths *int64) string {
	if hundredths == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*hundredths)/100, 'f', -1, 64) + "%"
}
