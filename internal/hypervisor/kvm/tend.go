package kvm

import (
	"errors"
	"os"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
)

const (
	tending   = 5 * time.Second
	maxSerial = 1 << 20
	keep      = 256 << 10
)

// tend keeps what guests write from filling the host's disk.
func (d *Driver) tend() {
	tick := time.NewTicker(tending)
	defer tick.Stop()
	var cleared time.Time
	for {
		var now time.Time
		select {
		case <-d.life.Done():
			return
		case now = <-tick.C:
		}
		d.askMuted()
		if now.Sub(cleared) > time.Hour {
			cleared = now
			if err := d.clearStages(now.Add(-stageLife)); err != nil {
				d.Log.Warn("what was left on its way to buckets stays", "error", err)
			}
		}
		d.mu.Lock()
		var logs []string
		for _, g := range d.guests {
			logs = append(logs, g.file(serialFile), g.file(logFile))
		}
		d.mu.Unlock()
		for _, path := range logs {
			if err := file.Shorten(path, maxSerial, keep); err != nil && !errors.Is(err, os.ErrNotExist) {
				d.Log.Warn("a log grows", "file", path, "error", err)
			}
		}
	}
}
