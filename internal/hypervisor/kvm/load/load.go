// Package load looks what the host has that it runs on, and how busy it is with all that runs there.
package load

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/hypervisor"
)

// Gauge looks again and again.
type Gauge struct {
	mu   sync.Mutex
	last work // at the last look
}

// New makes a gauge, which can tell from the first look on what was done since now.
func New() (*Gauge, error) {
	w, err := lookAtWork()
	return &Gauge{last: w}, err
}

// Look tells all but what goes by the network cards.
func (g *Gauge) Look() (l hypervisor.Load, err error) {
	now, err := lookAtWork()
	if err != nil {
		return l, err
	}
	g.mu.Lock()
	before := g.last
	g.last = now
	g.mu.Unlock()
	if whole := now.whole - before.whole; whole > 0 {
		l.CPU = new(min(1, max(0, float64(now.busy-before.busy)/float64(whole)))) // the kernel may take back some of a count
	}
	if l.Average, err = average(); err != nil {
		return l, err
	}
	whole, free, err := memory()
	l.MemoryKB = max(0, whole-free)
	return l, err
}

// work is what all of the host's processors have done since it was started, in the kernel's ticks.
type work struct{ busy, whole int64 }

var errProc = errors.New("/proc is not as it was")

func lookAtWork() (w work, err error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return w, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return w, errProc
	}
	for i, f := range fields[1:9] { // the two that may follow are parts of the first two
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return w, err
		}
		w.whole += n
		if i != 3 && i != 4 { // idle, or waiting for a disk
			w.busy += n
		}
	}
	return w, nil
}

// average is the last minute's.
func average() (float64, error) {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), " ")
	return strconv.ParseFloat(first, 64)
}

// MemoryMB is how much memory the host has.
func MemoryMB() (int, error) {
	whole, _, err := memory()
	return int(whole >> 10), err
}

// memory is all that there is, and what could be given to a program that asks for it, in KiB.
func memory() (whole, free int64, err error) {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0, err
	}
	whole, err = strconv.ParseInt(fieldOf(string(content), "MemTotal"), 10, 64)
	if err != nil {
		return 0, 0, err
	}
	free, err = strconv.ParseInt(fieldOf(string(content), "MemAvailable"), 10, 64)
	return whole, free, err
}
