package main_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

// send posts a file to where an upload goes.
func (o *ownCloud) send(p cs.UploadParams, content []byte) (status int, text string) {
	o.t.Helper()
	return send(o.t, o.http, p, content)
}

func send(t testing.TB, client *http.Client, p cs.UploadParams, content []byte) (status int, text string) {
	t.Helper()
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		file, err := form.CreateFormFile("filename", "disk")
		if err == nil {
			_, err = file.Write(content)
		}
		if err == nil {
			err = form.Close()
		}
		_ = into.CloseWithError(err)
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.PostURL, body)
	must(t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("X-signature", p.Signature)
	r.Header.Set("X-metadata", p.Metadata)
	r.Header.Set("X-expires", p.Expires)
	res, err := client.Do(r)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	said, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(said)
}

func sum(content []byte) string {
	is := sha256.Sum256(content)
	return "{SHA-256}" + hex.EncodeToString(is[:])
}

// What is sent through the API comes to the host's storage as it was sent: a machine starts from a template, has a disk with just those
// bytes and a CD, and what is not what its checksum says is refused and leaves nothing.
func TestRealUpload(t *testing.T) {
	t.Parallel()
	o := newOwnCloud(t)
	ctx, c := t.Context(), o.client
	zones, err := api.Fetch(ctx, c, cs.ListZones, cs.ListZonesIn{})
	zone := only(t, zones, err)
	taken := func(p cs.UploadParams, content []byte) {
		t.Helper()
		if status, text := o.send(p, content); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}

	tiny, err := os.ReadFile(tinyimagetest.Path(t))
	must(t, err)
	p, err := api.Do(ctx, c, cs.GetUploadParamsForTemplate, cs.GetUploadParamsForTemplateIn{
		Name: "sent", Format: "QCOW2", Hypervisor: "KVM", ZoneID: zone.ID, Checksum: sum(tiny),
	})
	must(t, err)
	taken(p, tiny)
	o.p.until("the template", func() bool {
		found, err := api.Fetch(ctx, c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self", ID: uid.Template(p.ID)})
		return only(t, found, err).Ready
	})
	offerings, err := api.Fetch(ctx, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "Tiny Instance"})
	vm, err := api.Run(ctx, c, cs.DeployVirtualMachine, cs.DeployVirtualMachineIn{
		Name: "sent", ZoneID: zone.ID, TemplateID: uid.Template(p.ID), ServiceOfferingID: only(t, offerings, err).ID,
	})
	must(t, err)
	o.serial(vm.ID, "TINY-READY", 1)

	content := make([]byte, 5<<20)
	_, _ = rand.Read(content)
	disk := cs.GetUploadParamsForVolumeIn{Name: "data", Format: "RAW", ZoneID: zone.ID, Checksum: sum(content)}
	state := func(id string) cs.Volume {
		t.Helper()
		found, err := api.Fetch(ctx, c, cs.ListVolumes, cs.ListVolumesIn{ID: uid.Volume(id)})
		return only(t, found, err)
	}
	bad, err := api.Do(ctx, c, cs.GetUploadParamsForVolume, disk)
	must(t, err)
	taken(bad, content[1:])
	o.p.until("the refusal", func() bool { return state(bad.ID).State == "UploadError" })
	if left, _ := filepath.Glob(filepath.Join(o.dir, "*", "snapshots", "*")); len(left) > 0 {
		t.Errorf("of what was refused is left: %v", left)
	}
	good, err := api.Do(ctx, c, cs.GetUploadParamsForVolume, disk)
	must(t, err)
	taken(good, content)
	o.p.until("the volume", func() bool { return state(good.ID).State == "Uploaded" })
	if v := state(good.ID); v.Size != int64(len(content)) {
		t.Errorf("the volume is %+v", v)
	}
	_, err = api.Run(ctx, c, cs.AttachVolume, cs.AttachVolumeIn{ID: uid.Volume(good.ID), VMID: vm.ID})
	must(t, err)
	if v := state(good.ID); v.State != "Ready" || v.VMID != vm.ID {
		t.Errorf("attached, the volume is %+v", v)
	}
	_, err = c.Call(ctx, "updateConfiguration", api.Params{"name": "upload.monitoring.interval", "value": "1"})
	must(t, err)
	o.p.until("an empty store", func() bool {
		left, _ := filepath.Glob(filepath.Join(o.dir, "*", "snapshots", "*"))
		return len(left) == 0
	})

	cd, err := api.Do(ctx, c, cs.GetUploadParamsForIso, cs.GetUploadParamsForIsoIn{Name: "cd", Format: "ISO", ZoneID: zone.ID})
	must(t, err)
	taken(cd, content)
	o.p.until("the ISO", func() bool {
		found, err := api.Fetch(ctx, c, cs.ListIsos, cs.ListIsosIn{Filter: "self", ID: uid.Template(cd.ID)})
		return only(t, found, err).Ready
	})
	_, err = api.Run(ctx, c, cs.AttachIso, cs.AttachIsoIn{ID: uid.Template(cd.ID), VMID: vm.ID})
	must(t, err)

	_, err = api.Run(ctx, c, cs.DetachVolume, cs.DetachVolumeIn{ID: uid.Volume(good.ID)})
	must(t, err)
	back, err := api.Run(ctx, c, cs.ExtractVolume, cs.ExtractVolumeIn{ID: uid.Volume(good.ID), ZoneID: zone.ID, Mode: "HTTP_DOWNLOAD"})
	must(t, err)
	image, raw := filepath.Join(t.TempDir(), "back.qcow2"), filepath.Join(t.TempDir(), "back")
	must(t, os.WriteFile(image, []byte(o.get(back.URL)), 0o600))
	if out, err := exec.CommandContext(ctx, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, raw).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	is, err := os.ReadFile(raw)
	if must(t, err); !bytes.Equal(is, content) {
		t.Errorf("what comes back has %d bytes and is not what was sent", len(is))
	}

	_, err = api.Run(ctx, c, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	must(t, err)
	_, err = api.Do(ctx, c, cs.DeleteVolume, cs.DeleteVolumeIn{ID: uid.Volume(good.ID)})
	must(t, err)
	_, err = api.Run(ctx, c, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: vm.NICs[0].NetworkID})
	must(t, err)
	for _, id := range []string{p.ID, cd.ID} {
		if left, _ := filepath.Glob(filepath.Join(o.dir, "*", "images", id+"*")); len(left) == 0 {
			t.Errorf("%s was not where this looks for what is left", id)
		}
	}
	_, err = api.Run(ctx, c, cs.DeleteTemplate, cs.DeleteTemplateIn{ID: uid.Template(p.ID)})
	_, other := api.Run(ctx, c, cs.DeleteIso, cs.DeleteIsoIn{ID: uid.Template(cd.ID)})
	must(t, errors.Join(err, other))
	for _, id := range []string{p.ID, cd.ID} {
		if left, _ := filepath.Glob(filepath.Join(o.dir, "*", "images", id+"*")); len(left) > 0 {
			t.Errorf("left of it is %v", left)
		}
	}
	if text := o.p.out.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the cloud has said:\n%s", text)
	}
	o.p.stop(os.Interrupt)
}
