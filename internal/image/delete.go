package image

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Users tells how many machines have been made from a template, or have an ISO in their CD drive, and are in some zones, expunged ones
// not counted.
type Users func(ctx context.Context, q db.Tx, id uid.Template, zones []uid.Zone) (int, error)

// UsedBy says who knows the machines. It is set once, before the first deletion.
func (s *Service) UsedBy(users Users) { s.users = users }

// removal is the state of a template's deletion.
type removal struct {
	Template uid.Template `json:"template"`
	Zones    []uid.Zone   `json:"zones"`

	zone   uid.Zone
	forced bool
	kind   kind
}

// kind is what a deletion says that an image is.
type kind string

const (
	either   kind = ""
	template kind = "template"
	iso      kind = "ISO"
)

// Delete starts deleting a template that the caller owns or reaches: in one zone, or ("") everywhere. What machines were made
// from is deleted only if forced; they go on running.
func (s *Service) Delete(ctx context.Context, id uid.Template, z uid.Zone, forced bool) (op.ID, error) {
	return s.start(ctx, "deleteTemplate", removal{Template: id, zone: z, forced: forced, kind: template})
}

// DeleteISO is [Service.Delete] for an ISO. One that machines have in their CD drives stays.
func (s *Service) DeleteISO(ctx context.Context, id uid.Template, z uid.Zone) (op.ID, error) {
	return s.start(ctx, "deleteIso", removal{Template: id, zone: z, kind: iso})
}

// End starts deleting a template or ISO everywhere, whoever uses it.
func (s *Service) End(ctx context.Context, id uid.Template) (op.ID, error) {
	return s.start(ctx, "deleteTemplate", removal{Template: id, forced: true, kind: either})
}

func (s *Service) start(ctx context.Context, command string, r removal) (op.ID, error) {
	job, _, err := s.remove.Start(ctx, op.Request{
		Thing: op.On("template", r.Template), Caller: auth.From(ctx), Command: command, SubjectKind: "Template", SubjectID: string(r.Template),
	}, r)
	return job, err
}

func (s *Service) removePlan() *op.Plan[removal] {
	return op.New[removal]("template.delete").
		Accept(s.beginRemoval, nil).
		NoWayBack().
		Do("drop", s.dropAll, nil).
		Tx("finish", s.removed, nil)
}

func (s *Service) beginRemoval(ctx context.Context, tx db.Tx, q *op.Request, r *removal) error {
	if err := tx.Retire(ctx, r.Template); err != nil {
		return err
	}
	t, err := ownLocked(ctx, tx, q.Caller, r.Template)
	if err != nil {
		return err
	}
	if r.kind != either && r.kind != kind(t.noun()) {
		return fault.Invalidf("%q is no %s but a %s", t.Name, r.kind, t.noun())
	}
	places, err := placesOf(ctx, tx, t.ID)
	if err != nil {
		return err
	}
	r.Zones = nil
	for _, p := range places {
		if r.zone != "" && p.Zone != r.zone {
			continue
		}
		switch p.State {
		case Waiting:
			return fault.Conflictf("%s %q is being fetched or made; cancel that job, or wait for its end", t.noun(), t.Name)
		case Deleting:
			return fault.Conflictf("%s %q is being deleted already", t.noun(), t.Name)
		case UploadInProgress:
			return fault.Conflictf("%s %q is being uploaded; wait for the end of that", t.noun(), t.Name)
		case Ready, Failed, NotUploaded, UploadError, UploadAbandoned:
		}
		r.Zones = append(r.Zones, p.Zone)
	}
	if len(r.Zones) == 0 {
		return fault.NotFoundf("%s %q is not in zone %s", t.noun(), t.Name, r.zone)
	}
	if err := s.unused(ctx, tx, t, *r); err != nil {
		return err
	}
	q.Account, q.Domain = t.Account, t.Domain
	e := t.event(event.TemplateDelete, fmt.Sprintf("deleting %s %s (%s)", t.noun(), t.Name, t.ID))
	e.State = event.Scheduled
	if q.Event, err = event.Write(ctx, tx, e); err != nil {
		return err
	}
	return setDeleting(ctx, tx, t.ID, r.Zones)
}

func (s *Service) unused(ctx context.Context, tx db.Tx, t Template, r removal) error {
	if r.forced || s.users == nil {
		return nil
	}
	n, err := s.users(ctx, tx, t.ID, r.Zones)
	if err == nil && n > 0 && t.IsISO() {
		err = fault.Conflictf("ISO %q is in the CD drive of %s: take it out with detachIso first", t.Name, fault.Count(n, "virtual machine"))
	} else if err == nil && n > 0 {
		err = fault.Conflictf("template %q has %s made from it: expunge those, or give forced=true: they go on running", t.Name,
			fault.Count(n, "virtual machine"))
	}
	return err
}

func (s *Service) dropAll(ctx context.Context, r *removal) error {
	for _, z := range r.Zones {
		if err := s.Drop(ctx, r.Template, z); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) removed(ctx context.Context, tx db.Tx, r *removal) error {
	t, err := ownLocked(ctx, tx, auth.System(), r.Template)
	if err != nil {
		return err
	}
	places, err := placesOf(ctx, tx, t.ID)
	if err != nil {
		return err
	}
	use, left := limit.Use{}, 0
	for _, p := range places {
		if slices.Contains(r.Zones, p.Zone) {
			use[limit.SecondaryGB] += gigabytes(p.Stored)
		} else {
			left++
		}
	}
	if err := removePlaces(ctx, tx, t.ID, r.Zones); err != nil {
		return err
	}
	if left == 0 {
		use[limit.Templates] = 1
		if err := removeTemplate(ctx, tx, t.ID); err != nil {
			return err
		}
	}
	return account.Give(ctx, tx, t.Account, use)
}

// LeaveZone removes a zone's stores, and the ISOs that are there: see [zone.Leave]. An ISO that is in no other zone is gone.
func (s *Service) LeaveZone(ctx context.Context, tx db.Tx, z uid.Zone) error {
	ids, err := imagesIn(ctx, tx, z)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.removed(ctx, tx, &removal{Template: id, Zones: []uid.Zone{z}}); err != nil {
			return err
		}
	}
	return removeStores(ctx, tx, z)
}
