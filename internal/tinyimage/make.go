package tinyimage

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

//go:embed init
var initScript []byte

//go:embed lease
var leaseScript []byte

// loader says how the kernel is started. It writes to the screen, too; the last console is the one that programs have.
const loader = `DEFAULT tiny
PROMPT 0
TIMEOUT 1
SERIAL 0 115200
LABEL tiny
 KERNEL /linux.efi
 INITRD /initrd.gz
 APPEND console=tty0 console=ttyS0 panic=-1 loglevel=3
`

// shell is the same for UEFI, whose own shell runs it after five seconds: it needs no loader, and knows programs by their ending.
const shell = "@echo -off\r\nfs0:\r\nlinux.efi initrd=\\initrd.gz console=tty0 console=ttyS0 panic=-1 loglevel=3\r\n"

const (
	sector = 512
	// head is what stands before the only partition.
	head = 2048 * sector
	// size is the disk's.
	size = 32 << 20
)

// Cached gives the image that is in a folder; it is made if it is not there, or was made from other parts.
func Cached(ctx context.Context, dir string) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil { // two that have none would both make it
		return "", err
	}
	p, err := Find(ctx, dir)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range []string{p.Kernel, p.Busybox} {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(content)
	}
	for _, content := range [][]byte{initScript, leaseScript, []byte(loader + shell), []byte(strings.Join(modules, " "))} {
		_, _ = sum.Write(content)
	}
	path = filepath.Join(dir, "tiny-"+hex.EncodeToString(sum.Sum(nil)[:8])+".qcow2")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, Make(ctx, p, path)
}

// Make writes the image into a file, which is there whole or not at all.
func Make(ctx context.Context, p Parts, to string) error {
	for _, tool := range []struct{ program, of string }{
		{"mkfs.vfat", "dosfstools"}, {"mcopy", "mtools"}, {"syslinux", "syslinux"}, {"qemu-img", "qemu-utils"},
	} {
		if _, err := exec.LookPath(tool.program); err != nil {
			return fmt.Errorf("needs %s: on Debian, apt-get install %s", tool.program, tool.of)
		}
	}
	boot, err := bootRecord()
	if err != nil {
		return err
	}
	kernel, err := os.ReadFile(p.Kernel)
	if err != nil {
		return err
	}
	files, err := p.files(ctx)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "virga-tiny-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	disk := filepath.Join(temp, "disk.img")
	if err := partition(ctx, filepath.Join(temp, "part.img"), map[string][]byte{
		"linux.efi": kernel, "initrd.gz": files, "syslinux.cfg": []byte(loader), "startup.nsh": []byte(shell),
	}); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(temp, "part.img"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(disk, append(boot, content...), 0o600); err != nil { //nolint:gosec // a folder that was just made
		return err
	}
	made := to + ".new"
	defer func() { _ = os.Remove(made) }()
	if _, err := output(ctx, "", "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", disk, made); err != nil {
		return err
	}
	return os.Rename(made, to)
}

// files are what the guest has: it lives in memory, and its disk is for starting it.
func (p Parts) files(ctx context.Context) ([]byte, error) {
	busybox, err := os.ReadFile(p.Busybox)
	if err != nil {
		return nil, err
	}
	found, err := p.load(ctx)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	a := &archive{w: zip}
	for name := range strings.FieldsSeq("bin dev proc sys tmp etc root lib lib/modules usr usr/share usr/share/udhcpc mnt") {
		a.folder(name)
	}
	a.device("dev/console", 5, 1)
	a.run("bin/busybox", busybox)
	a.run("init", initScript)
	a.run("usr/share/udhcpc/default.script", leaseScript)
	var order strings.Builder
	for _, name := range modules {
		if content := found[name]; content != nil {
			a.file("lib/modules/"+name+".ko", content)
			order.WriteString(name + "\n")
		}
	}
	a.file("lib/modules/order", []byte(order.String()))
	if err := errors.Join(a.close(), zip.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// partition makes a file system that a BIOS can start, and UEFI, with files in it, without mounting it.
func partition(ctx context.Context, path string, files map[string][]byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(size-head), f.Close()); err != nil {
		return err
	}
	if _, err := output(ctx, "", "mkfs.vfat", "-n", "TINY", path); err != nil {
		return err
	}
	for name, content := range files {
		from := path + "-" + name
		if err := os.WriteFile(from, content, 0o600); err != nil {
			return err
		}
		if _, err := output(ctx, "", "mcopy", "-i", path, from, "::/"+name); err != nil {
			return err
		}
	}
	_, err = output(ctx, "", "syslinux", "--install", path)
	return err
}

// bootRecord is what stands before the partition: the code that starts it, and where it is.
func bootRecord() ([]byte, error) {
	var code []byte
	for _, path := range []string{"/usr/lib/syslinux/mbr/mbr.bin", "/usr/share/syslinux/mbr.bin", "/usr/lib/syslinux/bios/mbr.bin"} {
		if content, err := os.ReadFile(path); err == nil {
			code = content
			break
		}
	}
	if code == nil {
		return nil, errors.New("needs syslinux's mbr.bin: on Debian, apt-get install syslinux-common")
	}
	record := make([]byte, head)
	copy(record[:440], code)
	// One partition that is active, of the kind FAT32 by sectors, from sector 2048 to the end.
	entry := record[446:462]
	entry[0], entry[4] = 0x80, 0x0c
	binary.LittleEndian.PutUint32(entry[8:], head/sector)
	binary.LittleEndian.PutUint32(entry[12:], (size-head)/sector)
	record[510], record[511] = 0x55, 0xaa
	return record, nil
}
