package image

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Template is a disk from which machines' root disks are made.
type Template struct {
	ID              uid.Template `bun:",pk"`
	Account         uid.Account  `bun:"account_id"`
	Domain          uid.Domain   `bun:"domain_id"`
	Zone            uid.Zone     `bun:"zone_id"`
	OSType          uid.OSType   `bun:"os_type_id"`
	Name            string
	DisplayText     string
	Hypervisor      string
	Format          string
	Type            string // USER, SYSTEM, BUILTIN
	URL             string `bun:"url"`
	Checksum        string
	Size            int64 // bytes
	Public          bool  `bun:"is_public"`
	Featured        bool  `bun:"is_featured"`
	Extractable     bool  `bun:"is_extractable"`
	Ready           bool  `bun:"is_ready"`
	PasswordEnabled bool
	Created         time.Time
	Removed         time.Time `bun:",nullzero"`
}

// OSType is an operating system that a template may hold.
type OSType struct {
	ID          uid.OSType     `bun:",pk"`
	Category    uid.OSCategory `bun:"category_id"`
	Description string
}

// OSCategory groups OS types.
type OSCategory struct {
	ID   uid.OSCategory `bun:",pk"`
	Name string
}

// Service keeps templates and OS types.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// Create adds a template; its id and times are filled in.
func (s *Service) Create(ctx context.Context, t Template) (Template, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t.ID, t.Created = uid.New[uid.Template](), tx.Now
		return insert(ctx, tx, &templateRow{Template: t})
	})
	return t, err
}

// CreateOSTypes adds OS types by category, and gives their ids by description.
func (s *Service) CreateOSTypes(ctx context.Context, types map[string][]string) (map[string]uid.OSType, error) {
	ids := map[string]uid.OSType{}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		clear(ids)
		for category, descriptions := range types {
			c := OSCategory{ID: uid.New[uid.OSCategory](), Name: category}
			if err := insert(ctx, tx, &categoryRow{OSCategory: c}); err != nil {
				return err
			}
			for _, d := range descriptions {
				t := OSType{ID: uid.New[uid.OSType](), Category: c.ID, Description: d}
				if err := insert(ctx, tx, &osTypeRow{OSType: t}); err != nil {
					return err
				}
				ids[d] = t.ID
			}
		}
		return nil
	})
	return ids, err
}
