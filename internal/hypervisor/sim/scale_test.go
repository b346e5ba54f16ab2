package sim

import (
	"bufio"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// memoryLimit is what a process with a full-sized world may take, in bytes.
const memoryLimit = 500 << 20

// TestScale runs a machine on each of many hosts. It is not parallel, so that it has the processor and memory to itself.
func TestScale(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	w := open(t, "", Options{})
	hosts := enroll(t, w, n)
	errs := make([]error, 64)
	var wg sync.WaitGroup
	for worker := range errs {
		wg.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += len(errs) {
				d, m := machine()
				errs[worker] = errors.Join(w.MakeDisk(t.Context(), hosts[i], d), w.Start(t.Context(), hosts[i], m))
			}
		})
	}
	wg.Wait()
	ok(t, errors.Join(errs...))

	i, err := w.Inspect(t.Context())
	ok(t, err)
	if len(i.Guests) != n || len(i.Disks) != n {
		t.Errorf("%d guests and %d disks, want %d", len(i.Guests), len(i.Disks), n)
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	t.Logf("%d hosts and guests: %d MB of heap, %d MB resident", n, heap.HeapAlloc>>20, resident(t)>>20)
	if heap.HeapAlloc > memoryLimit || resident(t) > memoryLimit {
		t.Errorf("more than %d MB", memoryLimit>>20)
	}
}

// resident is how much memory the process has in bytes, 0 where the system does not tell.
func resident(t *testing.T) int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			ok(t, err)
			return kb << 10
		}
	}
	return 0
}
