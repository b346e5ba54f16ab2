package main_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

// On two real hosts: a copy of a machine runs on the other host and is reached by the first one's router, a machine goes back to how it was
// with all that was in its memory, is given a CD, and moves to the other host while it runs, and to one that does not reach its disk; nothing is left of it in the end.
// Images are in a bucket, which the hosts have no keys of: templates, snapshots and the CD come from there and go there.
func TestRealHosts(t *testing.T) {
	t.Parallel()
	r := newRealHosts(t, 2, true)
	ctx, one, two := t.Context(), r.hosts[0], r.hosts[1]
	r.measured()
	vm := r.deploy("first", one, r.tiny)
	one.ready(vm.ID)
	url := r.reach(vm, 8080)
	state := func() string { return strings.TrimSpace(r.get(url + "state")) }
	r.p.until("an answer by the port forward", func() bool { return state() == "nothing" })

	// A snapshot of its disk, a template of that, a machine of that on the other host.
	volumes, err := api.Fetch(ctx, r.client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
	root := only(t, volumes, err)
	snapshot, err := api.Run(ctx, r.client, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: root.ID})
	must(t, err)
	if snapshot.State != "BackedUp" {
		t.Errorf("the snapshot is %+v", snapshot)
	}
	template, err := api.Run(ctx, r.client, cs.CreateTemplate, cs.CreateTemplateIn{Name: "copy", SnapshotID: snapshot.ID})
	must(t, err)
	r.awaitTemplate(template.ID)
	second := r.deploy("second", two, template.ID)
	two.ready(second.ID)
	other := r.reach(second, 8081)
	r.p.until("an answer of the copy", func() bool { return strings.HasPrefix(r.get(other), "hello from second ") })
	_, err = api.Run(ctx, r.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: second.ID, Expunge: true})
	must(t, err)

	r.uses(vm.ID, one.id)

	// Back to how it was, while it runs.
	r.get(url + "cgi-bin/put?before")
	checkpoint, err := api.Run(ctx, r.client, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Memory: true})
	must(t, err)
	r.get(url + "cgi-bin/put?after")
	if got := state(); got != "after" {
		t.Errorf("after the snapshot the machine remembers %q", got)
	}
	_, err = api.Run(ctx, r.client, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: checkpoint.ID})
	must(t, err)
	r.p.until("what was before", func() bool { return state() == "before" })
	_, err = api.Run(ctx, r.client, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: checkpoint.ID})
	must(t, err)

	// A CD.
	isos, err := api.Fetch(ctx, r.client, cs.RegisterIso, cs.RegisterIsoIn{Name: "empty", URL: "http://198.18.0.1/empty.iso", ZoneID: string(r.zone)})
	iso := only(t, isos, err)
	r.p.until("the ISO", func() bool {
		isos, err := api.Fetch(ctx, r.client, cs.ListIsos, cs.ListIsosIn{Filter: "self", ID: iso.ID})
		return only(t, isos, err).Ready
	})
	// Debian's kernel for clouds has no driver for it, so QEMU's open files say whether it is in.
	in := func() bool { return one.opened(vm.ID, string(iso.ID)) }
	_, err = api.Run(ctx, r.client, cs.AttachIso, cs.AttachIsoIn{ID: iso.ID, VMID: vm.ID})
	must(t, err)
	if !in() {
		t.Error("the CD is not in the machine")
	}
	_, err = api.Run(ctx, r.client, cs.DetachIso, cs.DetachIsoIn{VMID: vm.ID})
	must(t, err)
	if in() {
		t.Error("the CD is still in the machine")
	}

	// To the other host.
	moved, err := api.Run(ctx, r.client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: vm.ID, HostID: two.id})
	must(t, err)
	if moved.HostID != two.id || moved.State != "Running" {
		t.Errorf("the machine is %s on %s", moved.State, moved.HostName)
	}
	r.p.until("an answer from the other host", func() bool { return state() == "before" })
	if here, there := running(t, filepath.Join(one.home, "machines")), running(t, filepath.Join(two.home, "machines")); len(here) != 0 || len(there) == 0 {
		t.Errorf("processes of machines are %v on the first host and %v on the second", here, there)
	}

	// To a host of another cluster, which does not reach its disk: that is copied.
	three := r.elsewhere()
	r.get(url + "cgi-bin/write?kept")
	moved, err = api.Run(ctx, r.client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: vm.ID, HostID: three.id})
	must(t, err)
	if moved.HostID != three.id || moved.State != "Running" {
		t.Errorf("the machine is %s on %s", moved.State, moved.HostName)
	}
	r.p.until("an answer from the other cluster", func() bool { return state() == "before" })
	if got := strings.TrimSpace(r.get(url + "cgi-bin/read")); got != "kept" {
		t.Errorf("on its disk there is %q", got)
	}
	if here, there := r.disks("pool", root.ID), r.disks("other", root.ID); len(here) != 0 || len(there) != 1 || !three.opened(vm.ID, filepath.Join(r.dir, "other")) {
		t.Errorf("its disk is %v in the old pool, %v in the new one", here, there)
	}

	_, err = api.Run(ctx, r.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	must(t, err)
	_, err = api.Run(ctx, r.client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: vm.NICs[0].NetworkID})
	must(t, err)
	r.clearBucket(snapshot.ID, []uid.Template{r.tiny, template.ID}, iso.ID)
	for _, pattern := range []string{"images/*", "h*/machines/stages/*/*/*.part", "h*/machines/stages/*/*/*.qcow2", "pool/*.qcow2", "other/*.qcow2", "h*/machines/guests/*", "h*/routers/*", "h*/networks/ports/*"} {
		if left, err := filepath.Glob(filepath.Join(r.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("of the machine is left: %v %v", left, err)
		}
	}
}

// clearBucket downloads a template as it is in the bucket, uploads a volume into it, and deletes all that is there.
func (r *realHosts) clearBucket(snapshot uid.Snapshot, templates []uid.Template, iso uid.Template) {
	r.t.Helper()
	ctx := r.t.Context()
	made, err := api.Run(ctx, r.client, cs.ExtractTemplate, cs.ExtractTemplateIn{ID: r.tiny, Mode: "HTTP_DOWNLOAD", ZoneID: r.zone})
	must(r.t, err)
	whole, err := os.ReadFile(tinyimagetest.Path(r.t))
	must(r.t, err)
	if got := r.get(made.URL); got != string(whole) {
		r.t.Errorf("of the template %d bytes are downloaded, and it has %d, or others", len(got), len(whole))
	}
	part, err := http.NewRequestWithContext(ctx, http.MethodGet, made.URL, nil)
	must(r.t, err)
	part.Header.Set("Range", "bytes=300000-999999")
	answer, err := r.http.Do(part)
	must(r.t, err)
	got, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusPartialContent || !bytes.Equal(got, whole[300000:1000000]) {
		r.t.Errorf("of a part %d bytes are downloaded, %s, %v", len(got), answer.Status, err)
	}
	content := bytes.Repeat([]byte("what a user has sent "), 1<<14) // a disk in raw form
	p, err := api.Do(ctx, r.client, cs.GetUploadParamsForVolume, cs.GetUploadParamsForVolumeIn{Name: "sent", Format: "RAW", ZoneID: r.zone, Checksum: sum(content)})
	must(r.t, err)
	if status, text := send(r.t, r.http, p, content); status != http.StatusOK {
		r.t.Fatalf("%d %s", status, text)
	}
	r.p.until("the volume", func() bool {
		volumes, err := api.Fetch(ctx, r.client, cs.ListVolumes, cs.ListVolumesIn{ID: uid.Volume(p.ID)})
		return only(r.t, volumes, err).State == "Uploaded"
	})
	if keys := r.bucket.Keys(r.t); !slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(key, "/snapshots/") && strings.HasSuffix(key, ".qcow2") }) {
		r.t.Errorf("what was sent is not in the bucket: %v", keys)
	}
	_, err = api.Do(ctx, r.client, cs.DeleteVolume, cs.DeleteVolumeIn{ID: uid.Volume(p.ID)})
	must(r.t, err)
	_, err = api.Do(ctx, r.client, cs.UpdateConfiguration, cs.UpdateConfigurationIn{Name: "upload.monitoring.interval", Value: "1"})
	must(r.t, err)
	_, err = api.Run(ctx, r.client, cs.DeleteSnapshot, cs.DeleteSnapshotIn{ID: snapshot})
	must(r.t, err)
	for _, id := range templates {
		_, err = api.Run(ctx, r.client, cs.DeleteTemplate, cs.DeleteTemplateIn{ID: id, Forced: true})
		must(r.t, err)
	}
	_, err = api.Run(ctx, r.client, cs.DeleteIso, cs.DeleteIsoIn{ID: iso})
	must(r.t, err)
	r.p.until("an empty bucket", func() bool { return len(r.bucket.Keys(r.t)) == 0 })
}

// elsewhere adds a cluster with one host and storage of its own.
func (r *realHosts) elsewhere() *realHost {
	r.t.Helper()
	ctx := r.t.Context()
	pods, err := api.Fetch(ctx, r.client, cs.ListPods, cs.ListPodsIn{})
	pod := only(r.t, pods, err)
	clusters, err := api.Fetch(ctx, r.client, cs.AddCluster, cs.AddClusterIn{
		Name: "other", Type: "CloudManaged", Hypervisor: "KVM", PodID: pod.ID, ZoneID: r.zone,
	})
	cluster := only(r.t, clusters, err)
	must(r.t, os.Mkdir(filepath.Join(r.dir, "other"), 0o711))
	r.join(len(r.hosts)+1, cluster.ID)
	_, err = api.Do(ctx, r.client, cs.CreateStoragePool, cs.CreateStoragePoolIn{
		Name: "other", URL: "SharedMountPoint://localhost" + r.dir + "/other", ZoneID: r.zone, PodID: pod.ID, ClusterID: cluster.ID,
	})
	must(r.t, err)
	return r.hosts[len(r.hosts)-1]
}

// disks are the files in a pool that have to do with a volume.
func (r *realHosts) disks(pool string, id uid.Volume) []string {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, pool, "*"+string(id)+"*"))
	must(r.t, err)
	return files
}
