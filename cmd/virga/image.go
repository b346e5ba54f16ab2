package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/virga-cloud/virga/internal/tinyimage"
)

type imageTools struct {
	Tiny tinyImage `cmd:"" help:"Make the tiny guest: a bootable image of some 13 MB for trying hosts out, from Debian's kernel and busybox."`
}

// tinyImage makes the tiny guest. What it is made of may be named; otherwise it is found, or comes from Debian's archive.
type tinyImage struct {
	Output  string `short:"o" required:"" type:"path" help:"Where the image goes: a qcow2 file." placeholder:"FILE"`
	Kernel  string `type:"existingfile" help:"The kernel, as in /boot. Default: an installed one for clouds, or Debian's newest." placeholder:"FILE"`
	Modules string `type:"existingdir" help:"A folder with that kernel's modules in it." placeholder:"DIR"`
	Busybox string `type:"existingfile" help:"A busybox that is linked statically." placeholder:"FILE"`
	Cache   string `type:"path" help:"Where what was downloaded is kept. Default: virga-tiny among the user's cached files." placeholder:"DIR"`
}

// Run makes it.
func (t *tinyImage) Run(ctx context.Context) error {
	if (t.Kernel == "") != (t.Modules == "") {
		return errors.New("--kernel and --modules belong together: want both or none")
	}
	parts := tinyimage.Parts{Kernel: t.Kernel, Modules: t.Modules, Busybox: t.Busybox}
	if t.Kernel == "" || t.Busybox == "" {
		cache := t.Cache
		if cache == "" {
			user, err := os.UserCacheDir()
			if err != nil {
				return fmt.Errorf("nowhere to keep what is downloaded; say --cache: %w", err)
			}
			cache = filepath.Join(user, "virga-tiny")
		}
		if err := os.MkdirAll(cache, 0o700); err != nil {
			return err
		}
		found, err := tinyimage.Find(ctx, cache)
		if err != nil {
			return err
		}
		if t.Kernel == "" {
			parts.Kernel, parts.Modules = found.Kernel, found.Modules
		}
		if t.Busybox == "" {
			parts.Busybox = found.Busybox
		}
	}
	if err := tinyimage.Make(ctx, parts, t.Output); err != nil {
		return err
	}
	i, err := os.Stat(t.Output)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB, for a disk of 32 MB\n", t.Output, float64(i.Size())/1e6)
	return nil
}
