package tinyimage

import (
	"archive/tar"
	"bufio"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Parts are what an image is made from.
type Parts struct {
	Kernel  string // a file: the kernel, as Linux's boot loaders take it
	Modules string // a folder somewhere in which the kernel's modules are
	Busybox string // a file: busybox, linked statically
}

// modules are loaded in this order; what the kernel has built in, or does not have, is left out.
var modules = strings.Fields(`virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net virtio_blk
	virtio_balloon rng-core virtio-rng scsi_common scsi_mod cdrom isofs sr_mod button evdev`)

// kernelPackage is Debian's name for its newest kernel for clouds.
const kernelPackage = "linux-image-cloud-amd64"

// Find looks for the parts: the kernel in a folder that an earlier call has filled, among those that are installed, or in Debian's
// archive.
func Find(ctx context.Context, cache string) (p Parts, err error) {
	if p.Busybox, err = findBusybox(); err != nil {
		return p, err
	}
	for _, kernels := range []string{filepath.Join(cache, "kernel-*", "vmlinuz"), "/boot/vmlinuz-*-cloud-amd64"} {
		found, _ := filepath.Glob(kernels)
		slices.Sort(found)
		for _, kernel := range slices.Backward(found) {
			release := strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
			modules := filepath.Join(filepath.Dir(kernel), "modules")
			if release != "vmlinuz" {
				modules = filepath.Join("/lib/modules", release)
			}
			if _, err := os.Stat(modules); err == nil {
				return Parts{kernel, modules, p.Busybox}, nil
			}
		}
	}
	dir, err := download(ctx, cache)
	return Parts{filepath.Join(dir, "vmlinuz"), filepath.Join(dir, "modules"), p.Busybox}, err
}

func findBusybox() (string, error) {
	for _, path := range []string{"/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"} {
		f, err := elf.Open(path)
		if err != nil {
			continue
		}
		static := !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
		_ = f.Close()
		if static {
			return path, nil
		}
	}
	return "", errors.New("needs a busybox that is linked statically: on Debian, apt-get install busybox-static")
}

// download brings the kernel's package from Debian's archive, and unpacks of it what an image needs.
func download(ctx context.Context, cache string) (string, error) {
	out, err := output(ctx, "", "apt-cache", "depends", kernelPackage)
	if err != nil {
		return "", fmt.Errorf("there is no kernel for clouds here (/boot/vmlinuz-*-cloud-amd64), and apt-cache finds none: %w", err)
	}
	_, after, ok := strings.Cut(string(out), "Depends: ")
	words := strings.Fields(after)
	if !ok || len(words) == 0 {
		return "", fmt.Errorf("apt-cache does not say what %s is made of: run apt-get update first", kernelPackage)
	}
	temp, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if _, err := output(ctx, temp, "apt-get", "download", "-q", words[0]); err != nil {
		return "", err
	}
	found, _ := filepath.Glob(filepath.Join(temp, "*.deb"))
	if len(found) != 1 {
		return "", fmt.Errorf("apt-get download %s left %d packages", words[0], len(found))
	}
	if err := unpack(ctx, found[0], temp); err != nil {
		return "", err
	}
	if err := os.Remove(found[0]); err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "kernel-"+strings.TrimPrefix(words[0], "linux-image-"))
	if err := os.Rename(temp, dir); err != nil {
		return "", err
	}
	return dir, nil
}

// unpack takes the kernel and the modules that are needed out of a package.
func unpack(ctx context.Context, deb, into string) error {
	if err := os.Mkdir(filepath.Join(into, "modules"), 0o700); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	files := tar.NewReader(bufio.NewReaderSize(pipe, 1<<20))
	for {
		h, e := files.Next()
		if e != nil {
			if !errors.Is(e, io.EOF) {
				err = e
			}
			break
		}
		name := filepath.Base(h.Name)
		switch {
		case h.Typeflag != tar.TypeReg:
			continue
		case strings.HasPrefix(name, "vmlinuz-"):
			name = "vmlinuz"
		case slices.Contains(modules, moduleOf(name)):
			name = filepath.Join("modules", name)
		default:
			continue
		}
		content, e := io.ReadAll(files)
		if e == nil {
			e = os.WriteFile(filepath.Join(into, name), content, 0o600)
		}
		if e != nil {
			err = e
			break
		}
	}
	_, _ = io.Copy(io.Discard, pipe)
	return errors.Join(err, cmd.Wait())
}

// moduleOf is the module that a file is, "" for none.
func moduleOf(file string) string {
	name, compressed, ok := strings.Cut(file, ".ko")
	if !ok || compressed != "" && compressed != ".xz" {
		return ""
	}
	return name
}

// load gives the modules that are there, by name.
func (p Parts) load(ctx context.Context) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := filepath.WalkDir(p.Modules, func(path string, e fs.DirEntry, err error) error {
		name := moduleOf(filepath.Base(path))
		if err != nil || e.IsDir() || !slices.Contains(modules, name) {
			return err
		}
		if strings.HasSuffix(path, ".xz") {
			found[name], err = output(ctx, "", "xz", "-dc", path)
		} else {
			found[name], err = os.ReadFile(path) //nolint:gosec // whose modules these are could change them otherwise, too
		}
		return err
	})
	if err == nil && found["virtio_blk"] == nil {
		err = fmt.Errorf("there is no virtio_blk.ko in %s: want the modules of the kernel", p.Modules)
	}
	return found, err
}

// output runs a program and gives what it prints.
func output(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(ended.Stderr)))
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("needs %s: %w", program, err)
	}
	return out, err
}
