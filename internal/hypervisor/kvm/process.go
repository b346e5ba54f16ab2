package kvm

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is a running program that a later one of ours finds again: numbers are used again, but not at the same time.
type process struct {
	PID   int
	Start uint64 // in the kernel's ticks since it booted
}

// processOf gives the process that has a number now.
func processOf(pid int) (process, error) {
	fields, err := stat(pid)
	if err != nil {
		return process{}, err
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	return process{pid, start}, err
}

// stat gives the fields of /proc/PID/stat from the third on: the second is a name, which may have anything in it.
func stat(pid int) ([]string, error) {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil, err
	}
	text := string(content)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 22 {
		return nil, errors.New("/proc/PID/stat is not as it was")
	}
	return fields, nil
}

// lives tells whether the process is there and has not ended.
func (p process) lives() bool {
	if p.PID <= 0 {
		return false
	}
	fields, err := stat(p.PID)
	return err == nil && fields[19] == strconv.FormatUint(p.Start, 10) && fields[0] != "Z" && fields[0] != "X"
}

// kill ends the process at once.
func (p process) kill() error {
	handle, err := os.FindProcess(p.PID) // from here on the number is this process's
	if err != nil || !p.lives() {
		return err
	}
	defer func() { _ = handle.Release() }()
	if err := handle.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// ended waits until the process has ended.
func (p process) ended(ctx context.Context) error {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for p.lives() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// processWith finds a process by one of its arguments.
func processWith(argument string) (process, bool) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err != nil || !strings.Contains(string(line), "\x00"+argument+"\x00") {
			continue
		}
		if p, err := processOf(pid); err == nil && p.lives() {
			return p, true
		}
	}
	return process{}, false
}
