package cloudtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// send posts a file as CloudStack's clients do.
func send(t *testing.T, p cs.UploadParams, content io.Reader) (status int, text string) {
	t.Helper()
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		err := form.WriteField("note", "what is no file is passed over")
		if err == nil {
			var file io.Writer
			if file, err = form.CreateFormFile("files[]", "disk.qcow2"); err == nil {
				_, err = io.Copy(file, content)
			}
		}
		if err == nil {
			err = form.Close()
		}
		_ = into.CloseWithError(err)
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.PostURL, body)
	must(t, err)
	for name, value := range map[string]string{
		"X-signature": p.Signature, "X-metadata": p.Metadata, "X-expires": p.Expires, "Content-Type": form.FormDataContentType(),
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(read)
}

// sends is send for what is to be taken, and waits for that.
func sends(t *testing.T, c *cloudtest.Cloud, p cs.UploadParams, bytes int) {
	t.Helper()
	if status, text := send(t, p, io.LimitReader(zeros{}, int64(bytes))); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	settle(t, c, uid.Template(p.ID))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func called[In, Out any](t *testing.T, by *api.Client, command api.Call[In, Out], in In) Out {
	t.Helper()
	out, err := api.Do(t.Context(), by, command, in)
	must(t, err)
	return out
}

func refusedCall[In, Out any](t *testing.T, by *api.Client, command api.Call[In, Out], in In, code int, text string) {
	t.Helper()
	_, err := api.Do(t.Context(), by, command, in)
	refusedWith(t, err, code, text)
}

// What users have they send to an address that is good for one thing, once, and for a while.
func TestUpload(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Rest: []string{"uploads"}}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		in := cs.GetUploadParamsForTemplateIn{
			Name: "mine", Format: "qcow2", Hypervisor: "simulator", ZoneID: box.Zone, Extractable: true, Details: map[string]string{"k": "v"},
		}
		disk := cs.GetUploadParamsForVolumeIn{Name: "data", Format: "RAW", ZoneID: box.Zone}
		cd := cs.GetUploadParamsForIsoIn{Name: "cd", Format: "iso", ZoneID: box.Zone}
		one := func(id string) cs.Template {
			t.Helper()
			for _, isos := range []bool{false, true} {
				all := shownTo(t, red, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self", ID: uid.Template(id)})
				if isos {
					all = shownTo(t, red, cs.ListIsos, cs.ListIsosIn{Filter: "self", ID: uid.Template(id)})
				}
				if len(all) == 1 {
					return all[0]
				}
			}
			t.Fatalf("nothing is shown of %s", id)
			return cs.Template{}
		}
		vol := func(id string) cs.Volume {
			t.Helper()
			return shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{ID: uid.Volume(id)})[0]
		}

		// What can't be.
		bad := in
		bad.Format = "tar"
		refusedCall(t, red, cs.GetUploadParamsForTemplate, bad, 431, "are made from")
		bad = in
		bad.Checksum = "zz"
		refusedCall(t, red, cs.GetUploadParamsForTemplate, bad, 431, "checksum")
		bad = in
		bad.ZoneID = uid.New[uid.Zone]()
		refusedCall(t, red, cs.GetUploadParamsForTemplate, bad, 431, "zone")
		worse := disk
		worse.Format = "tar"
		refusedCall(t, red, cs.GetUploadParamsForVolume, worse, 431, "make disks from")
		worse = disk
		worse.Checksum = "12"
		refusedCall(t, red, cs.GetUploadParamsForVolume, worse, 431, "checksum")
		worse = disk
		for _, o := range itemsOf(t, c, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{}) {
			if !o.Customized {
				worse.DiskOfferingID = o.ID
			}
		}
		refusedCall(t, red, cs.GetUploadParamsForVolume, worse, 431, "fixed size")
		wrong := cd
		wrong.Format = "QCOW2"
		refusedCall(t, red, cs.GetUploadParamsForIso, wrong, 431, "as ISO")
		if left := shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{}); len(left) != 0 {
			t.Errorf("refused, and left %+v", left)
		}

		// A template: awaited, sent, and used.
		p := called(t, red, cs.GetUploadParamsForTemplate, in)
		if !strings.HasPrefix(p.PostURL, c.URL+"/client/upload/") || p.Metadata == "" || p.Signature == "" || p.Expires == "" {
			t.Fatalf("%+v", p)
		}
		if got := one(p.ID); got.Ready || got.Status != "Waiting for its upload" || got.Size != 0 {
			t.Errorf("awaited, it is %+v", got)
		}
		if all := shownTo(t, blue, cs.ListTemplates, cs.ListTemplatesIn{Filter: "executable", ID: uid.Template(p.ID)}); len(all) != 0 {
			t.Errorf("others see %+v", all)
		}
		deploy := box.Deploy()
		deploy.TemplateID = uid.Template(p.ID)
		refused(t, red, cs.DeployVirtualMachine, deploy, 431, "not ready")
		other := called(t, red, cs.GetUploadParamsForVolume, disk)
		for what, bad := range map[string]cs.UploadParams{
			"another's metadata":  {PostURL: p.PostURL, Metadata: other.Metadata, Signature: p.Signature, Expires: p.Expires},
			"another's signature": {PostURL: p.PostURL, Metadata: p.Metadata, Signature: other.Signature, Expires: p.Expires},
			"another time":        {PostURL: p.PostURL, Metadata: p.Metadata, Signature: p.Signature, Expires: "2100-01-01T00:00:00Z"},
			"another's address":   {PostURL: other.PostURL, Metadata: p.Metadata, Signature: p.Signature, Expires: p.Expires},
			"nothing":             {PostURL: p.PostURL},
		} {
			if status, text := send(t, bad, strings.NewReader("x")); status != 403 || !strings.Contains(text, "no good") {
				t.Errorf("with %s: %d %s", what, status, text)
			}
		}
		plain, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.PostURL, failing{}) // of which nothing is read
		must(t, err)
		for _, claimed := range []bool{false, true} {
			want := 403
			if claimed {
				want = 400 // it is no form, and does not use the address up
				plain.Header = http.Header{"X-Signature": {p.Signature}, "X-Metadata": {p.Metadata}, "X-Expires": {p.Expires}, "Content-Type": {"text/plain"}}
				plain.Body = io.NopCloser(strings.NewReader("x"))
			}
			r, err := http.DefaultClient.Do(plain)
			if r != nil {
				must(t, r.Body.Close())
			}
			if claimed && err != nil || r != nil && r.StatusCode != want {
				t.Errorf("claimed %v: %+v, %v", claimed, r, err)
			}
		}
		sends(t, c, p, 700_000)
		if got := one(p.ID); !got.Ready || got.Status != "Download Complete" || got.Size != 2<<30 || got.PhysicalSize == 0 || got.Details["k"] != "v" {
			t.Errorf("sent, it is %+v", got)
		}
		if status, text := send(t, p, strings.NewReader("x")); status != 403 {
			t.Errorf("sent once more: %d %s", status, text)
		}
		vm := run(t, red, cs.DeployVirtualMachine, deploy)
		back := run(t, red, cs.ExtractTemplate, cs.ExtractTemplateIn{ID: uid.Template(p.ID), Mode: "HTTP_DOWNLOAD"})
		if status, _, _ := download(t, back.URL, "0-9"); status != 206 {
			t.Errorf("downloaded again: %d", status)
		}

		// An ISO.
		p = called(t, red, cs.GetUploadParamsForIso, cd)
		sends(t, c, p, 1000)
		if got := one(p.ID); !got.Ready || got.Format != "ISO" || !got.Bootable {
			t.Errorf("the ISO is %+v", got)
		}
		run(t, red, cs.AttachIso, cs.AttachIsoIn{ID: uid.Template(p.ID), VMID: vm.ID})

		// A volume is in the store until it has a disk.
		if got := vol(other.ID); got.State != "NotUploaded" || got.Size != 0 {
			t.Errorf("awaited, it is %+v", got)
		}
		refused(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: uid.Volume(other.ID), VMID: vm.ID}, 431, "NotUploaded")
		sends(t, c, other, 300_000)
		if got := vol(other.ID); got.State != "Uploaded" || got.Size != 2<<30 {
			t.Errorf("sent, it is %+v", got)
		}
		for state, n := range map[string]int{"Uploaded": 1, "Allocated": 0, "Ready": 1} {
			if got := shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{State: state}); len(got) != n {
				t.Errorf("%d volumes are %s, want %d", len(got), state, n)
			}
		}
		whole(t, c)
		secondary := func() float64 {
			return *shownTo(t, red, cs.ListAccounts, cs.ListAccountsIn{})[0].SecondaryStorageTotal
		}
		before := secondary()
		must(t, c.Uploads.Sweep(t.Context()))
		run(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: uid.Volume(other.ID), VMID: vm.ID})
		if got := vol(other.ID); got.State != "Ready" || got.VMID != vm.ID {
			t.Errorf("attached, it is %+v", got)
		}
		must(t, c.Uploads.Sweep(t.Context()))
		if left, err := c.World.Inspect(t.Context()); err != nil || len(left.Snapshots) != 0 || secondary() != before-1 {
			t.Errorf("left in the store: %+v, %v; %v GB, and %v before", left.Snapshots, err, secondary(), before)
		}
		whole(t, c)

		// What breaks off is in vain, and so is what a host refuses.
		p = called(t, red, cs.GetUploadParamsForTemplate, in)
		broken := io.MultiReader(io.LimitReader(zeros{}, 600_000), failing{})
		if status, text := send(t, p, broken); status == 200 {
			t.Errorf("what broke off: %d %s", status, text)
		}
		settled(t, func() string { return one(p.ID).Status }, "broke off")
		run(t, red, cs.DeleteTemplate, cs.DeleteTemplateIn{ID: uid.Template(p.ID)})
		p = called(t, red, cs.GetUploadParamsForVolume, disk)
		if status, text := send(t, p, strings.NewReader("")); status != 400 || !strings.Contains(text, "no bytes") {
			t.Errorf("nothing: %d %s", status, text)
		}
		if got := vol(p.ID); got.State != "UploadError" {
			t.Errorf("after nothing it is %s", got.State)
		}
		called(t, red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: uid.Volume(p.ID)})
		script(t, c, "UploadStatusCommand", "conflict:this is no disk")
		p = called(t, red, cs.GetUploadParamsForTemplate, in)
		sends(t, c, p, 1000)
		if got := one(p.ID); got.Ready || got.Status != "this is no disk" {
			t.Errorf("refused, it is %+v", got)
		}
		script(t, c, "UploadStatusCommand", "none")
		script(t, c, "UploadTemplateCommand", "fault:the store is full")
		p = called(t, red, cs.GetUploadParamsForVolume, disk)
		if status, text := send(t, p, strings.NewReader("x")); status != 503 || !strings.Contains(text, "store is full") {
			t.Errorf("what a host does not take: %d %s", status, text)
		}
		script(t, c, "UploadTemplateCommand", "none")

		// What nobody sends is abandoned, and what users are over their limits for.
		p = called(t, red, cs.GetUploadParamsForTemplate, in)
		late := called(t, red, cs.GetUploadParamsForVolume, disk)
		gone := called(t, red, cs.GetUploadParamsForVolume, disk)
		called(t, red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: uid.Volume(gone.ID)})
		if status, _ := send(t, gone, strings.NewReader("x")); status != 403 {
			t.Errorf("for what is deleted: %d", status)
		}
		c.Clock.Forward(9 * time.Minute)
		must(t, c.Uploads.Sweep(t.Context()))
		if got := vol(late.ID); got.State != "NotUploaded" {
			t.Errorf("too early it is %s", got.State)
		}
		c.Clock.Forward(time.Minute)
		if status, _ := send(t, late, strings.NewReader("x")); status != 403 {
			t.Errorf("too late: %d", status)
		}
		must(t, c.Uploads.Sweep(t.Context()))
		if a, b := vol(late.ID), one(p.ID); a.State != "UploadAbandoned" || !strings.Contains(b.Status, "nothing came in time") {
			t.Errorf("abandoned, they are %+v, %+v", a, b)
		}
		called(t, red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: uid.Volume(late.ID)})
		for _, kind := range []string{"TEMPLATE.UPLOAD", "ISO.UPLOAD", "VOLUME.UPLOAD"} {
			if told := shownTo(t, red, cs.ListEvents, cs.ListEventsIn{Type: kind}); len(told) == 0 {
				t.Errorf("no event %s", kind)
			}
		}
		whole(t, c)
		called(t, red, cs.GetUploadParamsForTemplate, in)
		p = called(t, red, cs.GetUploadParamsForVolume, disk)
		sends(t, c, p, 1000)
		_, err = api.Run(t.Context(), c.Client, cs.DeleteAccount, cs.DeleteAccountIn{ID: accountOf(t, c, "red")})
		must(t, err)
		if left, err := c.World.Inspect(t.Context()); err != nil || len(left.Snapshots) != 0 {
			t.Errorf("left of the account: %+v, %v", left.Snapshots, err)
		}
	})
}

// failing is what can't be read.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

// script makes simulated hosts misbehave.
func script(t *testing.T, c *cloudtest.Cloud, command, value string) {
	t.Helper()
	_, err := c.Client.Call(t.Context(), "configureSimulator", api.Params{"name": command, "value": value})
	must(t, err)
}

// settled waits until something is shown that comes after an answer which nobody waited for.
func settled(t *testing.T, shown func() string, want string) {
	t.Helper()
	for begun := time.Now(); !strings.Contains(shown(), want); {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("shown is %q, want %q", shown(), want)
		}
		runtime.Gosched()
	}
}

func whole(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	for _, err := range cloudtest.Check(t.Context(), c.DB, c.World) {
		t.Errorf("not whole: %v", err)
	}
}

// Users who are over their limits, or may not any more, send in vain.
func TestUploadWithin(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	in := cs.GetUploadParamsForVolumeIn{Name: "data", Format: "RAW", ZoneID: box.Zone}
	account := accountOf(t, c, "red")
	domain := itemsOf(t, c, cs.ListAccounts, cs.ListAccountsIn{ID: account})[0].DomainID
	most := func(kind, n string) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), "updateResourceLimit", api.Params{"account": "red", "domainid": string(domain), "resourcetype": kind, "max": n})
		must(t, err)
	}
	most("2", "1") // volumes
	p := called(t, red, cs.GetUploadParamsForVolume, in)
	refusedCall(t, red, cs.GetUploadParamsForVolume, in, 532, "volume")
	most("11", "0") // secondary storage
	sends(t, c, p, 1000)
	state := func() string {
		return shownTo(t, red, cs.ListVolumes, cs.ListVolumesIn{ID: uid.Volume(p.ID)})[0].State
	}
	if state() != "UploadError" {
		t.Errorf("over the limit it is %s", state())
	}
	if left, err := c.World.Inspect(t.Context()); err != nil || len(left.Snapshots) != 0 {
		t.Errorf("left: %+v, %v", left.Snapshots, err)
	}
	most("11", "-1")
	most("2", "-1")
	set := func(name, value string) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": name, "value": value})
		must(t, err)
	}
	set("storage.max.volume.upload.size", "1")
	p = called(t, red, cs.GetUploadParamsForVolume, in)
	if status, text := send(t, p, io.LimitReader(zeros{}, 1<<30+1)); status != 400 && status != 0 || status == 400 && !strings.Contains(text, "1 GB") {
		t.Errorf("too much: %d %s", status, text)
	}
	settled(t, state, "UploadError")
	set("storage.max.volume.size", "1")
	p = called(t, red, cs.GetUploadParamsForVolume, in)
	sends(t, c, p, 1000)
	if state() != "UploadError" {
		t.Errorf("larger than a volume may be, it is %s", state())
	}
	p = called(t, red, cs.GetUploadParamsForVolume, in)
	_, err := c.Client.Call(t.Context(), "disableAccount", api.Params{"id": string(account), "lock": "false"})
	must(t, err)
	waitForJobs(t, c)
	if status, text := send(t, p, strings.NewReader("x")); status != 403 {
		t.Errorf("of a disabled account: %d %s", status, text)
	}
}

// A server that receives has a piece of it in memory, and not all.
func TestUploadIsPassedOn(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	id, err := c.Uploads.OfVolume(auth.With(t.Context(), auth.System()), upload.VolumeIn{
		CreateIn: volume.CreateIn{Name: "large", Zone: box.Zone}, Format: "RAW",
	})
	must(t, err)
	all, err := upload.ByID(t.Context(), c.DB.Read(), []uid.Upload{id})
	must(t, err)
	largest := 0
	body := readerFunc(func(p []byte) (int, error) { largest = max(largest, len(p)); clear(p); return len(p), nil })
	job, err := c.Uploads.Receive(t.Context(), c.Uploads.ClaimOf(all[id]), opened(io.LimitReader(body, 64<<20)))
	must(t, err)
	if largest > 1<<20 {
		t.Errorf("it is read %d bytes at a time", largest)
	}
	_, err = c.Engine.Wait(t.Context(), job)
	must(t, err)
}

func opened(r io.Reader) func() (io.Reader, error) {
	return func() (io.Reader, error) { return r, nil }
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestStormUpload(t *testing.T) {
	t.Parallel()
	for _, kind := range []upload.Kind{upload.Template, upload.Volume} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
				zone, _ := s.storeOf(t)
				var u upload.Upload
				w.Start = func(ctx context.Context) (op.ID, error) {
					ctx = auth.With(ctx, auth.System())
					id, err := expectIn(ctx, s.now.Uploads, kind, zone)
					if err != nil {
						return "", err
					}
					all, err := upload.ByID(ctx, s.DB.Read(), []uid.Upload{id})
					if err != nil {
						return "", err
					}
					u = all[id]
					return s.now.Uploads.Receive(ctx, s.now.Uploads.ClaimOf(u), opened(bytes.NewReader(make([]byte, 1000))))
				}
				look := func(state image.State, shown volume.State, n int) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						if kind == upload.Template {
							s.stands(t, u.Template, state, n)
							return
						}
						found, err := volume.ByID(s.ctx, s.DB.Read(), []uid.Volume{u.Volume})
						must(t, err)
						there, err := s.World.Inspect(s.ctx)
						must(t, err)
						if v := found[u.Volume]; v.Shown() != shown || len(there.Snapshots) != n {
							t.Errorf("the volume is %+v, and kept are %v; want %s and %d", v, there.Snapshots, shown, n)
						}
					}
				}
				w.There, w.Nothing = look(image.Ready, volume.Uploaded, 1), look(image.UploadError, volume.UploadError, 0)
			})
		})
	}
}

func expectIn(ctx context.Context, s *upload.Service, kind upload.Kind, zone uid.Zone) (uid.Upload, error) {
	if kind == upload.Volume {
		return s.OfVolume(ctx, upload.VolumeIn{CreateIn: volume.CreateIn{Name: "storm", Zone: zone}, Format: "RAW"})
	}
	if kind == upload.Template {
		return s.OfImage(ctx, image.RegisterIn{
			Template: image.Template{Name: "storm", Format: "QCOW2", Hypervisor: "Simulator"}, Zones: []uid.Zone{zone},
		})
	}
	return "", fmt.Errorf("no kind %s", kind)
}
