package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// HeldOn names some of the machines that a host has room reserved for, and tells how many there are.
func HeldOn(ctx context.Context, tx db.Tx, on uid.Host) (some []string, total int, err error) {
	const few = 5
	n, err := tx.NewSelect().Table("vms").Column("instance_name").Where("(host_id = ? or to_host_id = ?) and removed is null", on, on).
		Order("id").Limit(few).ScanAndCount(ctx, &some)
	return some, int(n), err
}

// CountIn counts the machines of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil // elsewhere their hosts and volumes are in the way
	}
	var n int
	err := tx.NewRaw("select count(*) from vms where zone_id = ? and removed is null", p.Zone).Scan(ctx, &n)
	return []zone.Count{{Thing: "virtual machine", N: n}}, err
}

// Holder gives a machine that has volumes: see [volume.Holders].
func Holder(ctx context.Context, q db.Tx, id uid.VM) (volume.Holder, error) {
	vm, err := Find(ctx, q, id)
	if err != nil {
		return volume.Holder{}, err
	}
	names, err := vmsnapshot.NamesOf(ctx, q, id)
	return volume.Holder{
		Name: vm.Name, State: string(vm.State), Host: vm.Host, Settled: vm.State == Running || vm.State == Stopped, Snapshots: names,
	}, err
}
