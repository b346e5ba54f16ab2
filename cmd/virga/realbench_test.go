package main_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
)

// What the tiny guest says on its serial port, in this order.
const (
	loading = "" // anything: its boot loader
	leased  = "TINY-LEASE "
	told    = "TINY-DATA "
)

// BenchmarkRealMachine tells how long a machine takes from the API's call until it runs, its kernel is being loaded, it has its lease and its user
// data, by turns with QEMU alone on the same image. What is the cloud's own is what comes before the kernel, but for what QEMU alone takes, and
// what comes between the lease and the user data; the guest's boot is neither's. A first machine, for which it is tried whether guests
// run on KVM, is not counted.
func BenchmarkRealMachine(b *testing.B) {
	o := newOwnCloud(b)
	image := tinyimagetest.Path(b)
	vm := o.deploy("first")
	o.serial(vm.ID, told, 1)
	o.destroy(vm)
	total := map[string]time.Duration{}
	for range b.N {
		begun := time.Now()
		vm := o.another(vm)
		total["running"] += time.Since(begun)
		file := filepath.Join(o.dir, "host", "machines", "guests", string(vm.ID), "serial.log")
		for _, at := range []struct{ name, what string }{{"kernel", loading}, {"lease", leased}, {"data", told}} { // as they come
			total[at.name] += o.said(file, at.what).Sub(begun)
		}
		o.destroy(vm)
		begun = time.Now()
		file, end := alone(b, image)
		total["qemu-kernel"] += o.said(file, loading).Sub(begun)
		total["qemu-lease"] += o.said(file, leased).Sub(begun)
		end()
	}
	total["own"] = total["kernel"] - total["qemu-kernel"] + total["data"] - total["lease"]
	b.ReportMetric(0, "ns/op")
	for name, took := range total {
		b.ReportMetric(took.Seconds()/float64(b.N), "s-"+name)
	}
}

// another deploys a machine like one that there was.
func (o *ownCloud) another(like cs.VirtualMachine) cs.VirtualMachine {
	o.t.Helper()
	vm, err := api.Run(o.t.Context(), o.client, cs.DeployVirtualMachine, cs.DeployVirtualMachineIn{
		ZoneID: like.ZoneID, TemplateID: like.TemplateID, ServiceOfferingID: like.ServiceOfferingID, KeyPair: "mine",
		UserData: base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho user data ran\n")),
	})
	must(o.t, err)
	return vm
}

func (o *ownCloud) destroy(vm cs.VirtualMachine) {
	o.t.Helper()
	_, err := api.Run(o.t.Context(), o.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	must(o.t, err)
}

// said waits until a file says something, or anything, and tells when it was found there.
func (o *ownCloud) said(file, what string) (at time.Time) {
	o.t.Helper()
	o.p.within(booting, what, func() bool {
		text, _ := os.ReadFile(file)
		at = time.Now()
		return len(text) > 0 && strings.Contains(string(text), what)
	})
	return at
}

// alone starts QEMU without a cloud, with a network of its own, and gives what the guest's serial port writes to.
func alone(b *testing.B, image string) (serial string, end func()) {
	b.Helper()
	serial = filepath.Join(b.TempDir(), "serial")
	cmd := exec.Command("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35", "-accel", "tcg,thread=multi,tb-size=64",
		"-cpu", "max", "-smp", "1", "-m", "128", "-display", "none", "-serial", "file:"+serial, "-device", "VGA",
		"-drive", "if=virtio,format=qcow2,snapshot=on,file="+image,
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci")
	must(b, begin(cmd))
	return serial, func() {
		must(b, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	}
}
