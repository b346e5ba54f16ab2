package cloudtest_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// download asks for a part of what is at an address.
func download(t *testing.T, at, part string) (status int, size int64, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	must(t, err)
	if part != "" {
		r.Header.Set("Range", "bytes="+part)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	must(t, err)
	if _, all, ranged := strings.Cut(answer.Header.Get("Content-Range"), "/"); ranged {
		size, err = strconv.ParseInt(all, 10, 64)
		must(t, err)
	}
	return answer.StatusCode, size, string(read)
}

// touched is a text with another letter at a place, whichever was there.
func touched(text string, at int) string {
	letter := "x"
	if text[at:at+1] == letter {
		letter = "y"
	}
	return text[:at] + letter + text[at+1:]
}

// What users own they download by an address that is good for one thing and a while, and for nobody who may not have it.
func TestExtraction(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"extractions"}})
	box := c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	register := func(name string, extractable bool) cs.Template {
		made, err := listed(t, red, cs.RegisterTemplate, cs.RegisterTemplateIn{
			Name: name, URL: "http://192.0.2.1/x.qcow2", Format: "QCOW2", Hypervisor: "Simulator", ZoneID: string(box.Zone), Extractable: extractable,
		})
		must(t, err)
		settle(t, c, made[0].ID)
		return made[0]
	}
	open, closed := register("o\"pen/er", true), register("closed", false)
	isos, err := listed(t, red, cs.RegisterIso, cs.RegisterIsoIn{Name: "cd", URL: "http://192.0.2.1/x.iso", ZoneID: string(box.Zone), Extractable: true})
	must(t, err)
	settle(t, c, isos[0].ID)
	const mode = "HTTP_DOWNLOAD"
	of := cs.ExtractTemplateIn{ID: open.ID, Mode: mode}

	// Images: what is theirs, as a whole or in parts.
	for _, wrong := range []struct {
		by   *api.Client
		in   cs.ExtractTemplateIn
		code int
		text string
	}{
		{blue, of, 431, "no template"},
		{red, cs.ExtractTemplateIn{ID: box.Template, Mode: mode}, 531, "not yours"},
		{c.Client, cs.ExtractTemplateIn{ID: box.Template, Mode: mode}, 431, "in no image store"},
		{red, cs.ExtractTemplateIn{ID: closed.ID, Mode: mode}, 531, "isextractable"},
		{red, cs.ExtractTemplateIn{ID: open.ID, Mode: "FTP_UPLOAD", URL: "ftp://192.0.2.1/"}, 431, "in the clear"},
		{red, cs.ExtractTemplateIn{ID: open.ID, Mode: mode, URL: "ftp://192.0.2.1/"}, 431, "leave it out"},
		{red, cs.ExtractTemplateIn{ID: open.ID, Mode: mode, ZoneID: uid.New[uid.Zone]()}, 431, "not in zone"},
		{red, cs.ExtractTemplateIn{ID: isos[0].ID, Mode: mode}, 431, "extractIso"},
	} {
		refused(t, wrong.by, cs.ExtractTemplate, wrong.in, wrong.code, wrong.text)
	}
	image := run(t, red, cs.ExtractTemplate, of)
	if !strings.HasPrefix(image.URL, c.URL+"/client/extract/v1:") || image.ID != string(open.ID) || image.State != "DOWNLOAD_URL_CREATED" ||
		image.Storage != image.StorageType || image.Percentage != 100 || !strings.Contains(image.Result, image.Name) ||
		image.Mode != mode || image.ZoneID != box.Zone || image.ZoneName == "" || image.Name != open.Name || image.ExtractID == "" {
		t.Errorf("extracted %+v", image)
	}
	whole := "simulated image " + string(open.ID) + "\n"
	if status, size, body := download(t, image.URL, "0-"+strconv.Itoa(len(whole)-1)); status != 206 || body != whole || size != 200<<20 {
		t.Errorf("the template: %d, %q of %d bytes", status, body, size)
	}
	if status, _, body := download(t, image.URL, "300000-300009"); status != 206 || len(body) != 10 {
		t.Errorf("a part: %d, %q", status, body)
	}
	cd := run(t, red, cs.ExtractIso, cs.ExtractIsoIn{ID: isos[0].ID, Mode: mode})
	if status, _, body := download(t, cd.URL, "0-14"); status != 206 || body != "simulated image" {
		t.Errorf("the ISO: %d %q", status, body)
	}
	run(t, c.Client, cs.ExtractTemplate, cs.ExtractTemplateIn{ID: closed.ID, Mode: mode}) // root admins may all

	// Addresses that were touched, and those of others, open nothing, and say nothing.
	_, sealed, _ := strings.Cut(image.URL, "/extract/")
	sealed, name, _ := strings.Cut(sealed, "/")
	for _, bad := range []string{
		sealed[:len(sealed)-1], touched(sealed, len(sealed)-1), touched(sealed, len(sealed)-9), string(image.ExtractID), "v1:x:y", strings.ToUpper(sealed), "x",
	} {
		if status, _, body := download(t, c.URL+"/client/extract/"+bad+"/"+name, ""); status != 403 || !strings.Contains(body, "no good") {
			t.Errorf("address %q: %d %q", bad, status, body)
		}
	}

	// A volume is copied. What came from a template that is not extractable stays, by whatever way.
	vm := run(t, red, cs.DeployVirtualMachine, deployOf(box, open))
	secret := run(t, red, cs.DeployVirtualMachine, deployOf(box, closed))
	roots := map[string]cs.Volume{}
	for _, v := range shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{Type: "ROOT"}) {
		roots[string(v.VMID)] = v
	}
	root, kept := roots[string(vm.ID)], roots[string(secret.ID)]
	n := run(t, red, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: kept.ID})
	copied := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "copied", SnapshotID: n.ID})
	run(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: copied.ID, VMID: vm.ID})
	disk := cs.ExtractVolumeIn{ID: root.ID, ZoneID: box.Zone, Mode: mode}
	refused(t, red, cs.ExtractVolume, disk, 431, "stop it or detach")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: secret.ID})
	refused(t, blue, cs.ExtractVolume, disk, 431, "no volume")
	refused(t, red, cs.ExtractVolume, cs.ExtractVolumeIn{ID: root.ID, ZoneID: uid.New[uid.Zone](), Mode: mode}, 431, "not in zone")
	refused(t, red, cs.ExtractVolume, cs.ExtractVolumeIn{ID: kept.ID, ZoneID: box.Zone, Mode: mode}, 531, "not extractable")
	refused(t, red, cs.ExtractVolume, cs.ExtractVolumeIn{ID: copied.ID, ZoneID: box.Zone, Mode: mode}, 531, "not extractable")
	if made := run(t, red, cs.CreateTemplate, cs.CreateTemplateIn{Name: "way round", VolumeID: copied.ID}); made.Extractable {
		t.Error("a template of what is not extractable is")
	}
	first := run(t, red, cs.ExtractVolume, disk)
	if status, size, body := download(t, first.URL, "0-17"); status != 206 || size != root.Size || body != "simulated snapshot" {
		t.Errorf("the volume: %d, %q of %d bytes", status, body, size)
	}
	again := run(t, red, cs.ExtractVolume, disk)
	if status, _, _ := download(t, first.URL, "0-9"); status != 403 {
		t.Errorf("the earlier copy: %d", status)
	}
	set := func(name, value string) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": name, "value": value})
		must(t, err)
	}
	set("disable.extraction", "true")
	refused(t, red, cs.ExtractVolume, disk, 531, "disable.extraction")
	if status, _, _ := download(t, again.URL, "0-9"); status != 403 {
		t.Errorf("while nobody may: %d", status)
	}
	set("disable.extraction", "false")
	whole = "simulated snapshot " + string(again.ExtractID)
	if status, _, body := download(t, again.URL, "0-"+strconv.Itoa(len(whole)-1)); status != 206 || body != whole {
		t.Errorf("the second copy: %d %q", status, body)
	}

	// Addresses end with their time, and copies with them; earlier with what they are of.
	run(t, red, cs.DeleteIso, cs.DeleteIsoIn{ID: isos[0].ID})
	if status, _, _ := download(t, cd.URL, "0-9"); status != 403 {
		t.Errorf("the deleted ISO: %d", status)
	}
	set("extract.url.expiration.interval", "60")
	short := run(t, red, cs.ExtractTemplate, of)
	c.Clock.Forward(2 * time.Minute)
	for at, want := range map[string]int{short.URL: 403, image.URL: 206, again.URL: 206} {
		if status, _, _ := download(t, at, "0-9"); status != want {
			t.Errorf("after two minutes: %d, want %d", status, want)
		}
	}
	c.Clock.Forward(4 * time.Hour)
	if status, _, _ := download(t, again.URL, "0-9"); status != 403 {
		t.Errorf("after its time: %d", status)
	}
	must(t, c.Extractions.Sweep(t.Context()))
	left, err := c.World.Inspect(t.Context())
	must(t, err)
	if len(left.Snapshots) != 1 { // the one that was taken
		t.Errorf("left are %+v", left.Snapshots)
	}
	for _, kind := range []string{"TEMPLATE.EXTRACT", "ISO.EXTRACT", "VOLUME.EXTRACT"} {
		if told := shownTo(t, red, cs.ListEvents, cs.ListEventsIn{Type: kind}); len(told) == 0 {
			t.Errorf("no event %s", kind)
		}
	}
	run(t, red, cs.ExtractVolume, disk)
	_, err = api.Run(t.Context(), c.Client, cs.DeleteAccount, cs.DeleteAccountIn{ID: accountOf(t, c, "red")})
	must(t, err)
	for _, err := range cloudtest.Check(t.Context(), c.DB, c.World) {
		t.Errorf("not whole: %v", err)
	}
}

func deployOf(box cloudtest.Sandbox, of cs.Template) cs.DeployVirtualMachineIn {
	in := box.Deploy()
	in.TemplateID = of.ID
	return in
}

func TestStormExtraction(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, compute.Stopped)
		w.Start = func(ctx context.Context) (op.ID, error) {
			v := s.root(t)
			_, job, err := s.now.Extractions.OfVolume(auth.With(ctx, auth.System()), v.ID, v.Zone)
			return job, err
		}
		look := func(copies int) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				there, err := s.World.Inspect(s.ctx)
				must(t, err)
				if v := s.root(t); v.State != volume.Ready || len(there.Snapshots) != copies {
					t.Errorf("the volume is %s, and there are copies %v, want %d", v.State, there.Snapshots, copies)
				}
			}
		}
		w.There, w.Nothing = look(1), look(0)
	})
}
