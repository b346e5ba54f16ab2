package sim

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/uid"
)

var killHost = flag.String("kill.host", "", "the host that TestKilledServer works on")
var killWorld = flag.String("kill.world", "", "the file that TestKilledServer works on, without end")

// TestKilledServer is the server that TestKill kills.
func TestKilledServer(t *testing.T) {
	if *killWorld == "" {
		t.Skip("needs the world that TestKill gives it")
	}
	w := open(t, *killWorld, Options{})
	for range 4 {
		go func() {
			for {
				d, m := machine()
				err := errors.Join(
					w.MakeDisk(t.Context(), uid.Host(*killHost), d), w.Start(t.Context(), uid.Host(*killHost), m))
				if err != nil {
					fmt.Println("failed", err)
				}
				fmt.Printf("started %s %s\n", m.VM, d.Volume)
			}
		}()
	}
	select {}
}

// Whatever a killed server was told is done, is there; and no lock of its is.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "world.db")
	w := open(t, path, Options{})
	host := enroll(t, w, 1)[0]
	self, err := os.Executable()
	ok(t, err)
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestKilledServer$", "-kill.world="+path, "-kill.host="+string(host))
	out, err := child.StdoutPipe()
	ok(t, err)
	ok(t, child.Start())

	started := map[uid.VM]uid.Volume{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "started" || !uid.Valid(words[2]) { // the last line may be half there
			t.Log(lines.Text())
			continue
		}
		if started[uid.VM(words[1])] = uid.Volume(words[2]); len(started) == 200 {
			ok(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || len(started) < 200 {
		t.Fatalf("the server ended with %v after %d machines", err, len(started))
	}

	i, err := w.Inspect(t.Context())
	ok(t, err)
	disks := map[uid.Volume]bool{}
	for _, d := range i.Disks {
		disks[d.Volume] = true
	}
	for vm, volume := range started {
		if i.Guests[vm] != (Location{Host: host, Running: true}) || !disks[volume] {
			t.Errorf("machine %s is at %+v and its disk is there: %v", vm, i.Guests[vm], disks[volume])
		}
	}
	d, m := machine()
	ok(t, w.MakeDisk(t.Context(), host, d))
	ok(t, w.Start(t.Context(), host, m))
}
