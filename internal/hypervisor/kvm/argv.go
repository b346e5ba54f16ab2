package kvm

import (
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/drive"
	"github.com/virga-cloud/virga/uid"
)

// Each disk and card has a port of its own on the bus, by its device number, whether it is there when the machine starts or comes
// later: a machine that moves finds everything in its place.
const (
	diskPorts = 16
	cardPorts = 8
	// firstSlot is the first of the slots that have eight ports each; those below are for what every machine has.
	firstSlot = 0x10
)

// maker is who a guest finds that it is by: cloud-init asks CloudStack's virtual router in a machine with this product's name only.
const maker = "type=1,manufacturer=Apache Software Foundation,product=CloudStack KVM Hypervisor"

// Nodes of the block layer: the CD.
const (
	cdDevice = "cd"
	cdNode   = "cdmedium"
)

// argv is QEMU's command line for a machine, paused at its first instruction. Files 3 and up are the monitor's socket and the cards'.
func (d *Driver) argv(g *guest, accelerator string, ends []cardEnd) ([]string, error) {
	m := g.Machine
	cpu := "host,migratable=on"
	if accelerator == "tcg" {
		accelerator, cpu = "tcg,thread=multi,tb-size=64", "max"
	}
	args := []string{
		"-name", "guest=" + escaped(m.Name) + ",debug-threads=on", "-uuid", string(m.VM), "-smbios", maker + ",serial=" + string(m.VM),
		"-nodefaults", "-no-user-config",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		"-machine", "q35,usb=off,dump-guest-core=off", "-accel", accelerator, "-cpu", cpu,
		"-smp", strconv.Itoa(m.CPUs), "-m", "size=" + strconv.Itoa(m.MemoryMB) + "M",
		"-rtc", "base=utc,driftfix=slew",
		"-chardev", "socket,id=monitor,fd=3,server=on,wait=off", "-mon", "chardev=monitor,mode=control",
		"-chardev", "socket,id=serial,server=on,wait=off,logappend=on,path=" + escaped(g.file(serialSock)) +
			",logfile=" + escaped(g.file(serialFile)),
		"-serial", "chardev:serial",
		"-display", "none", "-vnc", "unix:" + escaped(g.file(displaySock)), "-device", "VGA,addr=0x1",
		"-device", "virtio-balloon-pci,id=balloon,addr=0x2",
		"-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng,addr=0x3",
		"-device", "qemu-xhci,id=usb,addr=0x4", "-device", "usb-tablet,bus=usb.0",
	}
	if g.Arriving { // it goes on where it was, by itself
		args = append(args, "-incoming", "defer")
	} else {
		args = append(args, "-S")
	}
	drives, err := drive.Args(g.file(runDir), m.Drive)
	if err != nil {
		return nil, err
	}
	args = append(args, drives...)
	firmware, err := d.firmware(g)
	if err != nil {
		return nil, err
	}
	args = append(args, firmware...)
	for i := range diskPorts {
		args = append(args, "-device", port("disk", i, 0))
	}
	for i := range cardPorts {
		args = append(args, "-device", port("card", i, diskPorts))
	}
	cd, err := d.cdArgs(m)
	if err != nil {
		return nil, err
	}
	args = append(args, cd...)
	for _, a := range m.Disks {
		image, err := d.path(a.DiskRef)
		if err != nil {
			return nil, err
		}
		args = append(args, "-blockdev", text(diskNode(a.Volume, image)), "-device", text(diskDevice(a)))
	}
	for i, n := range m.NICs {
		args = append(args, "-netdev", "tap,id="+endOf(n.ID)+",fd="+strconv.Itoa(4+i), "-device", text(cardDevice(n, ends[i].mtu)))
	}
	return args, nil
}

// fits tells whether a machine has a place for all that it has.
func fits(m hypervisor.Machine) error {
	for _, a := range m.Disks {
		if a.Device < 0 || a.Device >= diskPorts {
			return fault.Conflictf("volume %s can't be device %d: a machine has devices 0 to %d", a.Volume, a.Device, diskPorts-1)
		}
	}
	for _, n := range m.NICs {
		if n.Device < 0 || n.Device >= cardPorts {
			return fault.Conflictf("card %s can't be device %d: a machine has cards 0 to %d", n.ID, n.Device, cardPorts-1)
		}
	}
	return nil
}

func port(kind string, n, before int) string {
	at := before + n
	return fmt.Sprintf("pcie-root-port,id=%s%d,chassis=%d,addr=0x%x.%d,multifunction=on", kind, n, at+1, firstSlot+at/8, at%8)
}

// diskNode is a disk's image as the block layer has it.
func diskNode(v uid.Volume, image string) map[string]any {
	return map[string]any{
		"driver": "qcow2", "node-name": nodeOf(v), "discard": "unmap",
		"file": map[string]any{"driver": "file", "node-name": "f" + nodeOf(v), "filename": image, "discard": "unmap", "locking": "on"},
	}
}

// diskDevice is a disk as the guest has it. A serial number has twenty characters at most.
func diskDevice(a hypervisor.Attachment) map[string]any {
	device := map[string]any{
		"driver": "virtio-blk-pci", "id": deviceOf(a.Volume), "drive": nodeOf(a.Volume), "bus": "disk" + strconv.Itoa(a.Device),
		"serial": strings.ReplaceAll(string(a.Volume), "-", "")[:20],
	}
	if a.Device == 0 {
		device["bootindex"] = 1
	}
	return device
}

func cardDevice(n hypervisor.NIC, mtu int) map[string]any {
	device := map[string]any{
		"driver": "virtio-net-pci", "id": cardOf(n.ID), "netdev": endOf(n.ID), "mac": n.MAC, "bus": "card" + strconv.Itoa(n.Device), "romfile": "",
	}
	if mtu > 0 {
		device["host_mtu"] = mtu
	}
	return device
}

// nodeOf names a disk in the block layer, where a name has 31 characters at most.
func nodeOf(v uid.Volume) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(string(v), "-", ""))
	if err != nil {
		return "v" // ids are checked where paths are made of them
	}
	return "v" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

func deviceOf(v uid.Volume) string { return "disk-" + string(v) }
func cardOf(n uid.NIC) string      { return "card-" + string(n) }
func endOf(n uid.NIC) string       { return "end-" + string(n) }

// escaped is a value in a list that has commas between its members.
func escaped(value string) string { return strings.ReplaceAll(value, ",", ",,") }

func text(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return string(content)
}

// firmware is what starts the guest: a BIOS, unless it wants UEFI. What UEFI remembers is kept until the machine is stopped.
func (d *Driver) firmware(g *guest) ([]string, error) {
	if !g.Machine.UEFI {
		return nil, nil
	}
	for _, pair := range [][2]string{
		{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"}, {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
		{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
	} {
		vars, err := os.ReadFile(pair[1])
		if err != nil {
			continue
		}
		own := g.file(runDir + "/uefi.fd")
		if _, err := os.Stat(own); err != nil {
			if err := os.WriteFile(own, vars, 0o600); err != nil { //nolint:gosec // an id is checked before it is a folder
				return nil, err
			}
			if err := d.give(own); err != nil {
				return nil, err
			}
		}
		return []string{
			"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + pair[0],
			"-drive", "if=pflash,unit=1,format=raw,file=" + escaped(own),
		}, nil
	}
	return nil, fault.Conflictf("machine %s wants UEFI, and this host has no firmware for it (Debian: ovmf)", g.Machine.VM)
}
