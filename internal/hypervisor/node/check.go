package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/uid"
)

// Capability is something that a host can do, or can't.
type Capability struct {
	Name   string
	Lack   error  // why it can't; nil where it can
	Needed bool   // without it the agent does not start
	Cost   string // of its lack, and what helps
}

// Check tries what this machine can do. runs says what machines run on, "kvm" or "tcg".
func Check(ctx context.Context, runs func(context.Context) (string, error)) []Capability {
	links := vnet.Able(ctx)
	link := func(name string) error {
		if err := links["netns"]; err != nil {
			return err
		}
		return links[name]
	}
	cpu, memory := kvm.Limits()
	return []Capability{
		{"qemu", program("qemu-system-x86_64"), true, "no machines; Debian: qemu-system-x86"},
		{"qemu-img", program("qemu-img"), true, "no disks; Debian: qemu-utils"},
		{"kvm", accelerated(ctx, runs), false,
			"machines are emulated, some 10 to 30 times slower; needs a processor with virtualization, switched on, and /dev/kvm"},
		{"root", root(), true, "no networks for machines; the agent is to be started by root. Machines run as an unprivileged user all the same"},
		{"netns", links["netns"], true, "no networks for machines and no virtual routers; needs root, and CONFIG_NET_NS"},
		{"bridge", link("bridge"), true, "no networks for machines; kernel module bridge"},
		{"tap", link("tap"), true, "no network cards for machines; kernel module tun"},
		{"nft", link("nft"), true, "machines could claim others' addresses, and nothing could be filtered; Debian: nftables"},
		{"vxlan", link("vxlan"), false, "guest networks end at this host, unless they are VLANs (--trunk); kernel module vxlan"},
		{"vlan", link("vlan"), false, "guest networks can't be VLANs; they are tunnels (VXLAN) between hosts; kernel module 8021q"},
		{"macvlan", link("macvlan"), false, "--public must be a bridge; kernel module macvlan"},
		{"dnsmasq", program("dnsmasq"), false, "virtual routers on this host give machines neither addresses nor names; Debian: dnsmasq-base"},
		{"haproxy", program("haproxy"), false, "virtual routers on this host balance no load; Debian: haproxy"},
		{"conntrack", program("conntrack"), false, "connections live on for a while after the rule that let them in is gone; Debian: conntrack"},
		{"uefi", file("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/qemu/OVMF.fd"), false,
			"no machines that are started by UEFI; Debian: ovmf"},
		{"cpu-limit", where(cpu, "no group for processor time can be made below /sys/fs/cgroup"), false,
			"offerings with limitcpuuse, and shares of the processor, have no effect"},
		{"memory-limit", where(memory, "no group for memory can be made below /sys/fs/cgroup"), false,
			"QEMU's own memory is not bounded, the guest's is"},
	}
}

func program(name string) error {
	_, err := exec.LookPath(name)
	return err
}

func root() error { return where(os.Geteuid() == 0, "this is not root") }

func where(is bool, lack string) error {
	if is {
		return nil
	}
	return errors.New(lack)
}

func file(names ...string) error {
	for _, n := range names {
		if _, err := os.Stat(n); err == nil {
			return nil
		}
	}
	return fmt.Errorf("there is no %s", names[0])
}

func accelerated(ctx context.Context, runs func(context.Context) (string, error)) error {
	what, err := runs(ctx)
	if err != nil {
		return err
	}
	return where(what == "kvm", "no guest boots on it here")
}

// proven are the names of those that are there.
func proven(all []Capability) (names []string) {
	for _, c := range all {
		if c.Lack == nil {
			names = append(names, c.Name)
		}
	}
	return names
}

// missing says what is needed and not there; nil where nothing is.
func missing(all []Capability) error {
	var lacks []string
	for _, c := range all {
		if c.Needed && c.Lack != nil {
			lacks = append(lacks, fmt.Sprintf("%s (%v): %s", c.Name, c.Lack, c.Cost))
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("this machine can't be a host:\n  %s", strings.Join(lacks, "\n  "))
}

// Report writes a table of what this machine can do, and tells whether it can be a host. It leaves nothing behind.
func Report(ctx context.Context, w io.Writer, log *slog.Logger) error {
	all := Check(ctx, func(ctx context.Context) (string, error) { return tried(ctx, log) })
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "what\there\twhat its lack costs")
	for _, c := range all {
		here := "yes"
		if c.Lack != nil {
			here = "NO"
			if c.Needed {
				here = "NO, and it is needed"
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, here, c.Cost)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return missing(all)
}

// Suitable tells whether this machine can be a host, without looking what machines would run on: where it can't, what is missing.
func Suitable(ctx context.Context) error {
	return missing(Check(ctx, func(context.Context) (string, error) { return "", nil }))
}

// tried boots a guest, for who has no driver yet.
func tried(ctx context.Context, log *slog.Logger) (string, error) {
	dir, err := os.MkdirTemp("", "virga-check-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d, err := kvm.Open(kvm.Options{Host: uid.New[uid.Host](), Dir: filepath.Join(dir, "m"), Log: log})
	if err != nil {
		return "", err
	}
	what, err := d.Runs(ctx)
	return what, errors.Join(err, d.Close())
}
