package tinyimage

import (
	"fmt"
	"io"
)

// archive writes files the way the kernel reads its first file system: cpio, with headers in hex.
type archive struct {
	w     io.Writer
	inode int
	at    int64
	err   error
}

const (
	modeFolder = 0o040755
	modeRun    = 0o100755
	modeRead   = 0o100644
	modeDevice = 0o020600
)

func (a *archive) folder(name string)               { a.entry(name, modeFolder, nil, 0, 0) }
func (a *archive) file(name string, content []byte) { a.entry(name, modeRead, content, 0, 0) }
func (a *archive) run(name string, content []byte)  { a.entry(name, modeRun, content, 0, 0) }
func (a *archive) device(name string, major, minor int) {
	a.entry(name, modeDevice, nil, major, minor)
}

func (a *archive) entry(name string, mode int, content []byte, major, minor int) {
	a.inode++
	a.write(fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		a.inode, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(name)+1, 0))
	a.write([]byte(name + "\x00"))
	a.pad()
	a.write(content)
	a.pad()
}

// close ends the archive.
func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, nil, 0, 0)
	return a.err
}

func (a *archive) pad() {
	if over := a.at % 4; over > 0 {
		a.write(make([]byte, 4-over))
	}
}

func (a *archive) write(content []byte) {
	if a.err == nil && len(content) > 0 {
		var n int
		n, a.err = a.w.Write(content)
		a.at += int64(n)
	}
}
