package sim

import (
	"context"
	"errors"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// pairs are what is measured: calls that leave the world as it was.
var pairs = []struct {
	name string
	call func(context.Context, *World, uid.Host, hypervisor.Disk, hypervisor.Machine) error
}{
	{"Probe", func(ctx context.Context, w *World, host uid.Host, _ hypervisor.Disk, _ hypervisor.Machine) error {
		_, err := w.Probe(ctx, host)
		return err
	}},
	{"MakeDropDisk", func(ctx context.Context, w *World, host uid.Host, d hypervisor.Disk, _ hypervisor.Machine) error {
		d.Pool = "another"
		return errors.Join(w.MakeDisk(ctx, host, d), w.DropDisk(ctx, host, d.DiskRef))
	}},
	{"StartStop", func(ctx context.Context, w *World, host uid.Host, _ hypervisor.Disk, m hypervisor.Machine) error {
		return errors.Join(w.Start(ctx, host, m), w.Stop(ctx, host, m.VM, true))
	}},
}

// BenchmarkAlone has one caller, who pays for every transaction.
func BenchmarkAlone(b *testing.B) {
	for _, pair := range pairs {
		b.Run(pair.name, func(b *testing.B) {
			w := open(b, "", Options{})
			host := enroll(b, w, 1)[0]
			d, m := machine()
			ok(b, w.MakeDisk(b.Context(), host, d))
			for b.Loop() {
				ok(b, pair.call(b.Context(), w, host, d, m))
			}
		})
	}
}

// BenchmarkTogether has 64 callers for each processor, who share transactions.
func BenchmarkTogether(b *testing.B) {
	for _, pair := range pairs {
		b.Run(pair.name, func(b *testing.B) {
			w := open(b, "", Options{})
			host := enroll(b, w, 1)[0]
			b.SetParallelism(64)
			b.RunParallel(func(pb *testing.PB) {
				d, m := machine()
				err := w.MakeDisk(b.Context(), host, d)
				for pb.Next() && err == nil {
					err = pair.call(b.Context(), w, host, d, m)
				}
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
}
