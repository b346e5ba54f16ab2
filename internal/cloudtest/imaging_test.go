package cloudtest_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// Templates are made of volumes with which nothing runs and of snapshots, which need not stay; machines start from them.
func TestTemplatesOfDisks(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
	root := shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "ROOT"})[0]
	wish := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "wish", DiskOfferingID: box.DiskOffering["Small"], ZoneID: box.Zone})
	n := run(t, red, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: root.ID})
	of := cs.CreateTemplateIn{Name: "mine", VolumeID: root.ID}
	for _, wrong := range []struct {
		by   *api.Client
		in   cs.CreateTemplateIn
		code int
		text string
	}{
		{red, of, 431, "stop it first"},
		{blue, of, 431, "no volume"},
		{blue, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID}, 431, "no snapshot"},
		{red, cs.CreateTemplateIn{Name: "x"}, 431, "name what the template"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, VolumeID: root.ID}, 431, "name what the template"},
		{red, cs.CreateTemplateIn{Name: "x", VolumeID: wish.ID}, 431, "has nothing on it"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, Bits: 16}, 431, "bits 16"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, Featured: true}, 531, "only root admins"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, OSTypeID: uid.New[uid.OSType]()}, 431, "no OS type"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, ZoneID: uid.New[uid.Zone]()}, 431, "in zone"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, VMID: vm.ID}, 431, "bare-metal"},
		{red, cs.CreateTemplateIn{Name: "x", SnapshotID: n.ID, URL: "http://192.0.2.1/"}, 431, "bare-metal"},
	} {
		refused(t, wrong.by, cs.CreateTemplate, wrong.in, wrong.code, wrong.text)
	}
	if left := shownTo(t, red, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self"}); len(left) != 0 {
		t.Errorf("of what was refused there is %+v", left)
	}
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	of.SSHKeyEnabled, of.Details = true, map[string]string{"of": "red"}
	made := run(t, red, cs.CreateTemplate, of)
	source := shownTo(t, red, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured", ID: box.Template})[0]
	if !made.Ready || made.Status != "Download Complete" || made.Size != root.Size || made.PhysicalSize == 0 || made.Account != "red" ||
		made.Format != "QCOW2" || made.Hypervisor != "Simulator" || made.SourceID != box.Template || made.OSTypeID != source.OSTypeID ||
		made.Extractable != source.Extractable || made.ZoneID != box.Zone || !made.SSHKeyEnabled || made.Details["of"] != "red" || made.DisplayText != "mine" ||
		made.Type != "USER" || !made.Bootable || made.CrossZones {
		t.Errorf("made %+v of %+v", made, source)
	}
	if v := shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{ID: root.ID})[0]; v.State != "Ready" {
		t.Errorf("the volume is %s", v.State)
	}
	kept := run(t, red, cs.CreateTemplate, cs.CreateTemplateIn{Name: "kept", SnapshotID: n.ID})
	run(t, red, cs.DeleteSnapshot, cs.DeleteSnapshotIn{ID: n.ID})
	deploy := box.Deploy()
	deploy.TemplateID = kept.ID
	run(t, red, cs.DeployVirtualMachine, deploy)

	// What is counted: a template, and what it takes in the store. A template that there is no room for leaves nothing.
	_, err := c.Client.Call(t.Context(), "updateResourceLimit", api.Params{"account": "red", "domainid": string(made.DomainID), "resourcetype": "4", "max": "2"})
	must(t, err)
	refused(t, red, cs.CreateTemplate, of, 532, "templates")
	_, err = c.Client.Call(t.Context(), "updateResourceLimit", api.Params{"account": "red", "domainid": string(made.DomainID), "resourcetype": "4", "max": "9"})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "updateResourceLimit", api.Params{"account": "red", "domainid": string(made.DomainID), "resourcetype": "11", "max": "1"})
	must(t, err)
	if _, err := api.Run(t.Context(), red, cs.CreateTemplate, of); err == nil || !strings.Contains(err.Error(), "secondary storage") {
		t.Errorf("with no room: %v", err)
	}
	if all := shownTo(t, red, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self"}); len(all) != 2 {
		t.Errorf("there are %+v", all)
	}
	events := shownTo(t, red, cs.ListEvents, cs.ListEventsIn{Type: "TEMPLATE.CREATE"})
	if len(events) == 0 || !strings.Contains(events[0].Description, "template") {
		t.Errorf("events %+v", events)
	}
	for _, err := range cloudtest.Check(t.Context(), c.DB, c.World) {
		t.Errorf("not whole: %v", err)
	}
}

// shownTo is a list as somebody sees it.
func shownTo[In, Out any](t *testing.T, by *api.Client, l api.List[In, Out], in In) []Out {
	t.Helper()
	all, err := listed(t, by, l, in)
	must(t, err)
	return all
}
