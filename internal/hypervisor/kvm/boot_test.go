package kvm

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// booting is how long a guest may take on a machine that has other things to do.
const booting = 5 * time.Minute

// tiny gives a machine that boots the tiny guest.
func (s *site) tiny() (hypervisor.Machine, hypervisor.Disk) {
	s.t.Helper()
	d := hypervisor.Disk{
		DiskRef: hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool},
		Bytes:   64 << 20, Template: s.template, TemplateBytes: 32 << 20, Store: s.store, StoreURL: "file://" + s.images,
	}
	m := hypervisor.Machine{
		VM: uid.New[uid.VM](), Name: "i-2-3-VM", CPUs: 1, CPUSpeedMHz: 500, MemoryMB: 96, Disks: []hypervisor.Attachment{{DiskRef: d.DiskRef}},
	}
	return m, d
}

// serial waits until a machine has written something on its serial port.
func (s *site) serial(host uid.Host, vm uid.VM, wanted string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), booting)
	defer cancel()
	path := filepath.Join(s.hosts[host].dirOf(vm), serialFile)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		content, _ := os.ReadFile(path)
		if bytes.Contains(content, []byte(wanted)) {
			return string(content)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			s.t.Fatalf("the machine has not said %q but:\n%s", wanted, strings.ToValidUTF8(string(content), "?"))
		}
	}
}

// shell waits until a machine that boots has its shell at the serial port: what is typed before may get lost.
func (s *site) shell(host uid.Host, vm uid.VM) string {
	s.t.Helper()
	s.serial(host, vm, "TINY-READY")
	return s.serial(host, vm, "/ # ")
}

// types enters a line at a machine's serial port and waits for what it answers.
func (s *site) types(host uid.Host, vm uid.VM, line, answer string) {
	s.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(s.hosts[host].dirOf(vm), serialSock))
	s.must(err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte(line + "\n"))
	s.must(err)
	s.serial(host, vm, answer)
}

// A machine from its first to its last hour: it boots, gets its address and what it is told, answers, gets a disk, which grows, is taken
// back to what it was, moves, and shuts itself down.
func TestGuest(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	if s.ports.space == "" {
		t.Skip("needs root, for a network of its own")
	}
	needs(t, "busybox", "curl")
	host, other := s.ids[0], s.ids[1]
	s.hosts[host].Patience, s.hosts[other].Patience = booting, booting
	s.gateway()
	m, root := s.tiny()
	m.NICs = []hypervisor.NIC{{ID: uid.New[uid.NIC](), Network: uid.New[uid.Network](), MAC: "02:00:5e:00:53:01", IP: "10.9.0.17"}}
	s.must(s.MakeDisk(t.Context(), host, root))
	s.must(s.Start(t.Context(), host, m))
	log := s.shell(host, m.VM)
	for _, want := range []string{"ip=10.9.0.17 router=10.9.0.1 mac=02:00:5e:00:53:01", "TINY-DATA from=gateway", "instance-id=i-17", "user data ran as tiny-17"} {
		if !strings.Contains(log, want) {
			t.Errorf("the guest has not said %q but:\n%s", want, log)
		}
	}
	if got := s.ports.get("http://10.9.0.17/"); got != "hello from tiny-17 10.9.0.17\n" {
		t.Errorf("the guest answers %q", got)
	}

	spare := hypervisor.Disk{DiskRef: hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool}, Bytes: 1 << 20}
	s.must(s.MakeDisk(t.Context(), host, spare))
	s.must(s.Plug(t.Context(), host, m.VM, hypervisor.Attachment{DiskRef: spare.DiskRef, Device: 1}))
	m.Disks = append(m.Disks, hypervisor.Attachment{DiskRef: spare.DiskRef, Device: 1})
	s.types(host, m.VM, "until [ -e /dev/vdb ]; do sleep 0.1; done; echo size=$(cat /sys/block/vdb/size)", "size=2048")
	s.must(s.ResizeDisk(t.Context(), host, spare.DiskRef, 2<<20))
	s.types(host, m.VM, "until [ $(cat /sys/block/vdb/size) = 4096 ]; do sleep 0.1; done; echo it has grown to $((2 + 2)) thousand", "grown to 4 thousand")

	// What is in memory and on the disk is as it was.
	s.types(host, m.VM, "life=one; echo one | dd of=/dev/vdb conv=sync,fsync 2>/dev/null; echo written $((0 + 1))", "written 1")
	c := hypervisor.Checkpoint{ID: uid.New[uid.VMSnapshot](), VM: m.VM, Disks: []hypervisor.DiskRef{root.DiskRef, spare.DiskRef}, Memory: true}
	s.must(s.TakeCheckpoint(t.Context(), host, c))
	snapshot := hypervisor.SnapshotRef{Snapshot: uid.New[uid.Snapshot](), Store: s.store, StoreURL: "file://" + s.images}
	_, err := s.TakeSnapshot(t.Context(), host, spare.DiskRef, snapshot)
	s.must(err)
	s.types(host, m.VM, "life=two; echo two | dd of=/dev/vdb conv=sync,fsync 2>/dev/null; echo written $((0 + 2))", "written 2")
	s.must(s.RevertTo(t.Context(), host, c))
	s.types(host, m.VM, "echo life is $life, and $(dd if=/dev/vdb bs=3 count=1 iflag=direct 2>/dev/null || head -c 3 /dev/vdb)", "life is one, and one")
	if got := s.content(snapshot); got != "one\n" {
		t.Errorf("the snapshot begins with %q", got)
	}

	usage, err := s.Usage(t.Context(), host)
	s.must(err)
	if len(usage) != 1 || usage[0].CPU <= 0 || usage[0].MemoryKB < 50<<10 || len(usage[0].Disks) != 2 || usage[0].Disks[0].ReadBytes < 1<<20 {
		t.Errorf("usage is %+v", usage)
	}

	at, err := s.Receive(t.Context(), other, m, nil)
	s.must(err)
	s.must(s.Send(t.Context(), host, m.VM, at))
	s.types(other, m.VM, "echo life goes on: $life", "life goes on: one")
	if got := s.ports.get("http://10.9.0.17/instance-id"); got != "i-17" {
		t.Errorf("after its move the guest answers %q", got)
	}
	s.must(s.Unplug(t.Context(), other, m.VM, spare.DiskRef))
	s.types(other, m.VM, "until [ ! -e /dev/vdb ]; do sleep 0.1; done; echo it is $((0 + 0)) now", "it is 0 now")
	s.must(s.Stop(t.Context(), other, m.VM, false)) // it would wait two minutes for a guest that does not react
}

// gateway gives guests their addresses, and tells them what they are to know.
func (s *site) gateway() {
	s.t.Helper()
	web := filepath.Join(s.dir, "web")
	s.must(os.MkdirAll(filepath.Join(web, "latest", "meta-data"), 0o755))
	for name, content := range map[string]string{
		"user-data": "#!/bin/sh\necho user data ran as $(hostname)\n", "meta-data/instance-id": "i-17", "meta-data/local-hostname": "tiny-17",
	} {
		s.must(os.WriteFile(filepath.Join(web, "latest", name), []byte(content), 0o644))
	}
	conf := filepath.Join(s.dir, "dhcp.conf")
	s.must(os.WriteFile(conf, []byte("start 10.9.0.17\nend 10.9.0.17\ninterface br0\nlease_file "+conf+".leases\npidfile "+conf+".pid\n"+
		"option router 10.9.0.1\noption subnet 255.255.255.0\noption lease 600\n"), 0o644))
	s.ports.serve("busybox", "udhcpd", "-f", conf)
	s.ports.serve("busybox", "httpd", "-f", "-p", "10.9.0.1:80", "-h", web)
}

// content is the first line of what is in a snapshot.
func (s *site) content(ref hypervisor.SnapshotRef) string {
	s.t.Helper()
	raw := filepath.Join(s.dir, "raw")
	out, err := exec.Command("qemu-img", "convert", "-f", "qcow2", "-O", "raw", filepath.Join(s.images, snapshotsDir, string(ref.Snapshot)+".qcow2"), raw).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(raw)
	s.must(err)
	line, _, _ := strings.Cut(string(content[:16]), "\n")
	return line + "\n"
}

// A machine that wants UEFI is started by it, and keeps what UEFI has in memory when it goes back to what it was, and when it moves.
func TestFirmware(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	host, other := s.ids[0], s.ids[1]
	m, d := s.tiny()
	m.UEFI, m.MemoryMB = true, 192
	s.must(s.MakeDisk(t.Context(), host, d))
	err := s.Start(t.Context(), host, m)
	if _, e := os.Stat("/usr/share/OVMF"); e != nil {
		if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "ovmf") {
			t.Fatal("VIRGA_REQUIRE asks for ovmf, but there is no /usr/share/OVMF")
		}
		if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "ovmf") {
			t.Errorf("a host without firmware for UEFI says %v", err)
		}
		return
	}
	s.must(err)
	s.shell(host, m.VM)
	s.types(host, m.VM, "life=one; [ -d /sys/firmware/efi ] && echo started by $((1 + 0)) UEFI", "started by 1 UEFI")
	c := hypervisor.Checkpoint{ID: uid.New[uid.VMSnapshot](), VM: m.VM, Disks: []hypervisor.DiskRef{d.DiskRef}, Memory: true}
	s.must(s.TakeCheckpoint(t.Context(), host, c))
	s.types(host, m.VM, "life=two; echo it is $((1 + 1)) now", "it is 2 now")
	s.must(s.RevertTo(t.Context(), host, c))
	s.types(host, m.VM, "echo life is $life", "life is one")
	at, err := s.Receive(t.Context(), other, m, nil)
	s.must(err)
	s.must(s.Send(t.Context(), host, m.VM, at))
	s.types(other, m.VM, "echo life goes on: $life", "life goes on: one")
	s.must(s.Stop(t.Context(), other, m.VM, true))
}

// A machine that no router tells anything has a drive.
func TestDrive(t *testing.T) {
	t.Parallel()
	needs(t, "genisoimage")
	s := newSite(t, 1)
	host := s.ids[0]
	m, d := s.tiny()
	m.Drive = map[string][]byte{
		"cloudstack/metadata/instance_id.txt":    []byte("i-18"),
		"cloudstack/metadata/local_hostname.txt": []byte("tiny-18"),
		"nocloud/user-data":                      []byte("#!/bin/sh\n"),
		"nocloud/meta-data":                      []byte("instance-id: i-18\n"),
	}
	m.Drive["cloudstack/userdata/user_data.txt"] = []byte(`#!/bin/sh
echo the drive says $(hostname)
mkdir /seed && mount -t iso9660 -o ro $(findfs LABEL=cidata) /seed && echo on the other one are $(cd /seed && echo *), $(cat /seed/meta-data)
echo this is $(cat /sys/class/dmi/id/sys_vendor), $(cat /sys/class/dmi/id/product_name), $(cat /sys/class/dmi/id/product_serial)
`)
	s.must(s.MakeDisk(t.Context(), host, d))
	s.must(s.Start(t.Context(), host, m))
	log := s.serial(host, m.VM, "TINY-READY")
	for _, want := range []string{"TINY-DATA from=drive", "instance-id=i-18", "the drive says tiny-18", "on the other one are meta-data user-data, instance-id: i-18",
		"this is Apache Software Foundation, CloudStack KVM Hypervisor, " + string(m.VM)} {
		if !strings.Contains(log, want) {
			t.Errorf("the guest has not said %q but:\n%s", want, log)
		}
	}
	m.VM, m.Disks, m.Drive = uid.New[uid.VM](), nil, map[string][]byte{"../../secret": nil}
	if err := s.Start(t.Context(), host, m); !fault.Is(err, fault.Conflict) {
		t.Errorf("a path that leads out of the drive gave %v", err)
	}
}
