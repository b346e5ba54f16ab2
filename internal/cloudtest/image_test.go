package cloudtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/uid"
)

// storeOf gives the sandbox's zone and an OS type.
func (s *stormy) storeOf(t *testing.T) (uid.Zone, uid.OSType) {
	t.Helper()
	zone, _ := s.sandbox(t)
	types, _, err := s.Images.OSTypes(s.ctx, image.OSFilter{Limit: 1})
	must(t, err)
	return zone, types[0].ID
}

func (s *stormy) register(ctx context.Context, t *testing.T) (uid.Template, op.ID) {
	t.Helper()
	zone, system := s.storeOf(t)
	tpl, err := s.now.Images.Register(ctx, image.RegisterIn{
		Template: image.Template{Name: "storm", URL: "http://example.org/storm.qcow2", Format: "QCOW2", Hypervisor: "Simulator", OSType: system},
		Zones:    []uid.Zone{zone},
	})
	must(t, err)
	jobs, _, err := op.List(ctx, s.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, Subject: string(tpl.ID)}) // it may have ended already
	must(t, err)
	return tpl.ID, jobs[0].ID
}

// stands wants the template to have come so far, and its image to be there or not.
func (s *stormy) stands(t *testing.T, id uid.Template, state image.State, images int) {
	t.Helper()
	entries, err := s.Images.Entries(s.ctx, id)
	must(t, err)
	switch {
	case state == "" && len(entries) > 0:
		t.Errorf("%+v is left", entries)
	case state != "" && (len(entries) != 1 || entries[0].Place.State != state || (state == image.Failed || state == image.UploadError) != (entries[0].Place.Problem != "")):
		t.Errorf("%+v, want %s", entries, state)
	}
	there, err := s.World.Inspect(s.ctx)
	must(t, err)
	if len(there.Images) != images {
		t.Errorf("images %v, want %d", there.Images, images)
	}
}

// imageStorm runs a storm round an operation on a template, on each database.
func imageStorm(t *testing.T, fresh func(t *testing.T, s *stormy, w *optest.World)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				w := optest.World{
					DB:     s.DB,
					Engine: func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
				}
				fresh(t, s, &w)
				return w
			})
		})
	}
}

func TestStormFetchTemplate(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		var id uid.Template
		w.Start = func(ctx context.Context) (job op.ID, err error) {
			id, job = s.register(auth.With(ctx, auth.System()), t)
			return job, nil
		}
		w.There = func(t *testing.T) { t.Helper(); s.stands(t, id, image.Ready, 1) }
		w.Nothing = func(t *testing.T) { t.Helper(); s.stands(t, id, image.Failed, 0) }
	})
}

func TestStormDeleteTemplate(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		stop, err := s.now.Engine.Start(s.ctx)
		must(t, err)
		id, job := s.register(s.ctx, t)
		s.wait(t, job)
		stop()
		w.Start = func(ctx context.Context) (op.ID, error) {
			return s.now.Images.Delete(auth.With(ctx, auth.System()), id, "", false)
		}
		w.There = func(t *testing.T) { t.Helper(); s.stands(t, id, "", 0) }
		w.Nothing = func(t *testing.T) { t.Helper(); s.stands(t, id, image.Ready, 1) }
	})
}

// A user's template is registered, used, and deleted; one that can't be had says why.
func TestTemplateLife(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	sandbox := c.Sandbox(t)
	user, _ := c.Tenant(t, "red", "ann", auth.User)
	other, _ := c.Tenant(t, "blue", "bob", auth.User)
	systems, err := listed(t, user, cs.ListOsTypes, cs.ListOsTypesIn{Description: "CentOS 5.6 (64-bit)"})
	must(t, err)
	in := cs.RegisterTemplateIn{
		Name: "mine", URL: "https://example.org/mine.vhd.bz2", Format: "vhd", Hypervisor: "simulator", OSTypeID: systems[0].ID,
		ZoneID: string(sandbox.Zone), SSHKeyEnabled: true, Once: api.Once{IdempotencyKey: "k"},
	}
	made, err := listed(t, user, cs.RegisterTemplate, in)
	must(t, err)
	again, err := listed(t, user, cs.RegisterTemplate, in)
	must(t, err)
	if len(made) != 1 || len(again) != 1 || again[0].ID != made[0].ID || made[0].Account != "ann" {
		t.Fatalf("%+v, and again %+v", made, again)
	}
	id := made[0].ID
	settle(t, c, id)
	mine, err := listed(t, user, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self"})
	must(t, err)
	if len(mine) != 1 || !mine[0].Ready || mine[0].Status != "Download Complete" || mine[0].Size == 0 || mine[0].PhysicalSize == 0 ||
		mine[0].Format != "VHD" || mine[0].Hypervisor != "Simulator" || mine[0].OSTypeName != "CentOS 5.6 (64-bit)" || mine[0].HostName != "" {
		t.Errorf("%+v", mine)
	}
	if seen, err := listed(t, other, cs.ListTemplates, cs.ListTemplatesIn{Filter: "executable", ID: id}); err != nil || len(seen) != 0 {
		t.Errorf("another user sees %v, %v", seen, err)
	}
	deploy := sandbox.Deploy()
	deploy.TemplateID = id
	if _, err := api.Start(t.Context(), other, cs.DeployVirtualMachine, deploy); err == nil {
		t.Error("another user deploys it")
	}
	vm, err := api.Run(t.Context(), user, cs.DeployVirtualMachine, deploy)
	must(t, err)
	remove := cs.DeleteTemplateIn{ID: id}
	saysWhy(t, tried(t, other, cs.DeleteTemplate, remove), "no template")
	saysWhy(t, tried(t, user, cs.DeleteTemplate, remove), "has 1 virtual machine made from it")
	remove.Forced = true
	must(t, tried(t, user, cs.DeleteTemplate, remove))
	if vms, err := listed(t, user, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID}); err != nil || len(vms) != 1 || vms[0].State != "Running" {
		t.Errorf("the machine is %v, %v", vms, err)
	}
	_, err = api.Start(t.Context(), user, cs.DeployVirtualMachine, deploy)
	saysWhy(t, err, "no template")

	for want, change := range map[string]func(*cs.RegisterTemplateIn){
		"want one like":       func(in *cs.RegisterTemplateIn) { in.URL = "nfs://example.org/mine.vhd" },
		"should end with":     func(in *cs.RegisterTemplateIn) { in.URL = "http://example.org/mine.iso" },
		"are made from":       func(in *cs.RegisterTemplateIn) { in.Format = "TAR" },
		"no driver":           func(in *cs.RegisterTemplateIn) { in.Hypervisor = "VMware" },
		"want 32 or 64":       func(in *cs.RegisterTemplateIn) { in.Bits = 16 },
		"in hex":              func(in *cs.RegisterTemplateIn) { in.Checksum = "sum" },
		"root admins may fea": func(in *cs.RegisterTemplateIn) { in.Featured = true },
		"not the ID of":       func(in *cs.RegisterTemplateIn) { in.ZoneID = "north" },
		"no project":          func(in *cs.RegisterTemplateIn) { in.ProjectID = uid.New[uid.Project]() },
		"no OS type":          func(in *cs.RegisterTemplateIn) { in.OSTypeID = uid.New[uid.OSType]() },
	} {
		wrong := in
		wrong.Once, wrong.Checksum = api.Once{}, "d41d8cd98f00b204e9800998ecf8427e"
		change(&wrong)
		_, err := listed(t, user, cs.RegisterTemplate, wrong)
		saysWhy(t, err, want)
	}

	// What a host refuses for good is said where the user looks.
	must(t, c.World.Script(t.Context(), hypervisor.Rule{Command: hypervisor.CommandFetchImage, Fault: "404 Not Found", Kind: "conflict"}))
	in.Once, in.Name, in.ZoneID = api.Once{}, "gone", "-1"
	made, err = listed(t, user, cs.RegisterTemplate, in)
	must(t, err)
	settle(t, c, made[0].ID)
	mine, err = listed(t, user, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self", Ready: new(false)})
	must(t, err)
	if len(mine) != 1 || mine[0].Ready || mine[0].Status != "404 Not Found" || !mine[0].CrossZones {
		t.Errorf("%+v", mine)
	}
	must(t, tried(t, user, cs.DeleteTemplate, cs.DeleteTemplateIn{ID: made[0].ID, ZoneID: sandbox.Zone}))

	// Stores and ISOs.
	stores, err := listed(t, c.Client, cs.ListImageStores, cs.ListImageStoresIn{ZoneID: sandbox.Zone})
	must(t, err)
	if len(stores) != 1 || stores[0].DiskUsed != 0 || stores[0].Scope != "ZONE" || stores[0].Protocol != "file" {
		t.Errorf("%+v", stores)
	}
	for url, want := range map[string]string{
		"nfs://10.0.0.1/export": "want a folder", "file://": "names no folder", "file://host/x": "on every host", "s3://k:s@bucket": "needs none",
		stores[0].URL: "already",
	} {
		_, err := api.Do(t.Context(), c.Client, cs.AddSecondaryStorage, cs.AddSecondaryStorageIn{URL: url, ZoneID: sandbox.Zone})
		saysWhy(t, err, want)
	}
	everywhere, err := api.Do(t.Context(), c.Client, cs.AddImageStore, cs.AddImageStoreIn{Name: "all", Provider: "local", URL: "SharedMountPoint:///srv/images/"})
	must(t, err)
	if everywhere.URL != "file:///srv/images" || everywhere.Scope != "REGION" || everywhere.Name != "all" {
		t.Errorf("%+v", everywhere)
	}
	isos, err := listed(t, user, cs.ListIsos, cs.ListIsosIn{Filter: "executable", Bootable: new(true)})
	must(t, err)
	if len(isos) != 1 || isos[0].Format != "ISO" || !isos[0].Ready {
		t.Errorf("%+v", isos)
	}
}

// settle waits until no job is at work on a template.
func settle(t *testing.T, c *cloudtest.Cloud, id uid.Template) {
	t.Helper()
	for {
		jobs, err := op.OpenOn(t.Context(), c.DB.Read(), []string{string(id)})
		must(t, err)
		if len(jobs) == 0 {
			return
		}
		_, err = c.Engine.Wait(t.Context(), jobs[string(id)])
		must(t, err)
	}
}

func listed[In, Item any](t *testing.T, c *api.Client, command api.List[In, Item], in In) ([]Item, error) {
	t.Helper()
	page, err := api.Fetch(t.Context(), c, command, in)
	return page.Items, err
}

func tried[In, Out any](t *testing.T, c *api.Client, job api.Job[In, Out], in In) error {
	t.Helper()
	_, err := api.Run(t.Context(), c, job, in)
	return err
}

func saysWhy(t *testing.T, err error, what string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), what) {
		t.Errorf("got %v, want an error that says %q", err, what)
	}
}
