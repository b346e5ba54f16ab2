package kvm

import (
	"errors"
	"os"
	"time"
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
	for {
		select {
		case <-d.life.Done():
			return
		case <-tick.C:
		}
		d.askMuted()
		d.mu.Lock()
		var logs []string
		for _, g := range d.guests {
			logs = append(logs, g.file(serialFile), g.file(logFile))
		}
		d.mu.Unlock()
		for _, path := range logs {
			if err := shorten(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				d.Log.Warn("a log grows", "file", path, "error", err)
			}
		}
	}
}

// shorten leaves the end of a log that has grown too long. Who writes it appends, and goes on at its new end.
func shorten(path string) error {
	i, err := os.Lstat(path)
	if err != nil || i.Size() <= maxSerial || !i.Mode().IsRegular() {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	end := make([]byte, keep)
	n, err := f.ReadAt(end, i.Size()-keep)
	if n > 0 {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt(end[:n], 0)
		}
	}
	return errors.Join(err, f.Close())
}
