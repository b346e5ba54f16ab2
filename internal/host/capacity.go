package host

import (
	"math"

	"github.com/virga-cloud/virga/internal/hypervisor"
)

// whole is the overcommit of 1, in the millionths that totals are reckoned in: the same integers in SQL and here.
const whole = 1_000_000

// millionths is a ratio as an integer; one that was not said is 1.
func millionths(ratio float64) int64 {
	if ratio == 0 {
		return whole
	}
	return int64(math.Round(ratio * whole))
}

// learn takes over what the host itself reports, and what of it may be given out. What is in use stays part of the total, even
// if the host has become smaller: no machine is taken away by it, but none is added.
func (h *Host) learn(r report, cpuRatio, memoryRatio float64) {
	h.CPUCores, h.CPUSpeed, h.MemoryMB, h.Version = r.Cores, r.Speed, r.Memory, r.Version
	h.CPUTotal = max(int64(r.Cores)*int64(r.Speed)*millionths(cpuRatio)/whole, h.CPUUsed)
	h.MemoryTotal = max(r.Memory*millionths(memoryRatio)/whole, h.MemoryUsed)
}

// report is what a host said of itself, as it is kept in the state of operations.
type report struct {
	Cores   int    `json:"cores"`
	Speed   int    `json:"speed"`
	Memory  int64  `json:"memory"`
	Version string `json:"version"`
}

func reported(r hypervisor.Report) report {
	return report{Cores: r.CPUCores, Speed: r.CPUSpeedMHz, Memory: int64(r.MemoryMB), Version: r.Version}
}
