package image

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// fetching is the state of bringing an image into a zone.
type fetching struct {
	Template uid.Template `json:"template"`
	Zone     uid.Zone     `json:"zone"`
	Bytes    int64        `json:"bytes,omitempty"`
	Stored   int64        `json:"stored,omitempty"`
	Problem  string       `json:"problem,omitempty"` // why it can't be had, however often one tries
}

func (s *Service) fetchPlan() *op.Plan[fetching] {
	return op.New[fetching]("template.fetch").
		Accept(s.beginFetch, s.failFetch).
		Do("fetch", s.fetchImage, s.dropFetched).
		Tx("finish", s.fetched, nil)
}

// startFetch starts bringing an image into a zone, where it is Waiting.
func (s *Service) startFetch(ctx context.Context, tx db.Tx, t Template, z uid.Zone) error {
	command := "registerTemplate"
	if t.IsISO() {
		command = "registerIso"
	}
	_, err := s.fetch.StartTx(ctx, tx, &op.Request{
		Thing: op.On("template", t.ID), Caller: auth.From(ctx), Command: command, SubjectKind: "Template", SubjectID: string(t.ID),
		Account: t.Account, Domain: t.Domain,
	}, &fetching{Template: t.ID, Zone: z})
	return err
}

func (s *Service) beginFetch(ctx context.Context, tx db.Tx, q *op.Request, f *fetching) error {
	t, err := entry(ctx, tx, f.Template, f.Zone)
	if err != nil {
		return err
	}
	e := t.event(event.TemplateFetch, fmt.Sprintf("fetching %s %s (%s) into zone %s", t.noun(), t.Name, t.ID, f.Zone))
	e.State = event.Scheduled
	q.Event, err = event.Write(ctx, tx, e)
	return err
}

// failFetch leaves the image in the zone as one that could not be had, until it is deleted.
func (s *Service) failFetch(ctx context.Context, tx db.Tx, f *fetching) error {
	problem := f.Problem
	if problem == "" {
		problem = "it was not fetched in time; delete it and register it again"
	}
	return setPlace(ctx, tx, Place{Template: f.Template, Zone: f.Zone, State: Failed, Problem: problem})
}

// fetchImage has a host fetch the image. What trying again would not help with is kept for the user to read.
func (s *Service) fetchImage(ctx context.Context, f *fetching) error {
	t, err := entry(ctx, s.DB.Read(), f.Template, f.Zone)
	if err != nil {
		return err
	}
	imager, on, ref, err := s.imagerOf(ctx, t)
	if err != nil {
		return err
	}
	if on == "" {
		f.Problem = fmt.Sprintf("the zone has no %s hosts any more", t.Hypervisor)
		return nil
	}
	stop := s.follow(ctx, imager, on, ref, f.Zone)
	report, err := imager.FetchImage(ctx, on, hypervisor.Image{
		ImageRef: ref, URL: t.URL, Format: t.Format, Checksum: t.Checksum, MostBytes: setting.MaxImageSize.Of(s.Settings) << 30,
	})
	stop()
	switch {
	case fault.Is(err, fault.Unavailable):
		return op.Retry(err)
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Invalid):
		f.Problem = err.Error()
		return nil
	}
	f.Bytes, f.Stored = report.Bytes, report.StoredBytes
	return err
}

func (s *Service) dropFetched(ctx context.Context, f *fetching) error {
	return s.Drop(ctx, f.Template, f.Zone)
}

func (s *Service) fetched(ctx context.Context, tx db.Tx, f *fetching) error {
	if f.Problem != "" {
		return fault.Conflictf("%s", f.Problem)
	}
	t, err := entry(ctx, tx, f.Template, f.Zone)
	if err != nil {
		return err
	}
	if err := setPlace(ctx, tx, Place{Template: t.ID, Zone: f.Zone, State: Ready, Stored: f.Stored}); err != nil {
		return err
	}
	if err := setSize(ctx, tx, t.ID, f.Bytes); err != nil {
		return err
	}
	return account.Take(ctx, tx, t.Account, limit.Use{limit.SecondaryGB: gigabytes(f.Stored)})
}

// imagerOf gives who handles an image in its zone: the driver, one of its hosts ("" where there are none), and what it is to
// them.
func (s *Service) imagerOf(ctx context.Context, t Template) (hypervisor.Imager, uid.Host, hypervisor.ImageRef, error) {
	ref := hypervisor.ImageRef{Template: t.ID, Store: t.Place.Store}
	kind := t.Hypervisor
	if t.IsISO() {
		var err error
		if kind, err = s.fetcher(ctx, s.DB.Read(), t.Zone, ""); err != nil || kind == "" {
			return nil, "", ref, err
		}
	}
	driver, err := s.Hosts.Driver(kind)
	if err != nil {
		return nil, "", ref, op.Retry(err) // another server may have it
	}
	imager, can := driver.(hypervisor.Imager)
	if !can {
		return nil, "", ref, fault.Conflictf("%s hosts can't fetch images", kind)
	}
	stores, err := StoresByID(ctx, s.DB.Read(), []uid.ImageStore{ref.Store})
	if err != nil {
		return nil, "", ref, err
	}
	ref.StoreURL = stores[ref.Store].URL
	on, err := s.AnyHost(ctx, t.Zone, kind)
	return imager, on, ref, err
}

// Drop removes an image from a zone's store. Where no host is left that could, there is nothing that could be used, either.
func (s *Service) Drop(ctx context.Context, id uid.Template, z uid.Zone) error {
	t, err := entry(ctx, s.DB.Read(), id, z)
	if err != nil || t.Place.Store == "" {
		return err
	}
	imager, on, ref, err := s.imagerOf(ctx, t)
	if err != nil || on == "" && !hypervisor.Reaches(imager, hypervisor.StoreRef{Store: ref.Store, URL: ref.StoreURL}) {
		return err
	}
	if err := imager.DropImage(ctx, on, ref); fault.Is(err, fault.Unavailable) {
		return op.Retry(err)
	} else if err != nil {
		return err
	}
	return nil
}

// gigabytes is a size in whole GB, a part counted as one.
func gigabytes(bytes int64) int64 { return (bytes + 1<<30 - 1) >> 30 }
