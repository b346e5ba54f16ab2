package vrouter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

const (
	softly = syscall.SIGUSR1 // haproxy ends with its last connection
	again  = syscall.SIGHUP  // dnsmasq reads its files

	step   = 5 * time.Millisecond
	polite = 2 * time.Second // for a process to end by itself
)

// processes are the ids of the router's processes of a name.
func (r *router) processes(space *vnet.Space, name string) ([]int, error) {
	all, err := space.Processes()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(pid int) bool {
		called, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		return err != nil || strings.TrimSpace(string(called)) != name
	}), nil
}

// pid reads the id that a service wrote of itself, 0 where it is none of those that run.
func pid(file string, running []int) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !slices.Contains(running, id) {
		return 0
	}
	return id
}

func signal(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}

// stop ends processes and returns when they are gone.
func stop(ctx context.Context, pids []int) error {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			if err := signal(pid, s); err != nil {
				return err
			}
		}
		patience := time.NewTimer(polite)
		defer patience.Stop()
		for len(pids) > 0 {
			if pids = slices.DeleteFunc(pids, gone); len(pids) == 0 {
				return nil
			}
			tick := time.NewTimer(step)
			select {
			case <-ctx.Done():
				tick.Stop()
				return ctx.Err()
			case <-patience.C:
				tick.Stop()
			case <-tick.C:
				continue
			}
			break
		}
	}
	return fmt.Errorf("processes %v do not end", pids)
}

// gone tells whether a process has ended; one that nobody has asked about yet has.
func gone(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, ok := strings.Cut(string(text), ") ")
	return ok && strings.HasPrefix(rest, "Z")
}
