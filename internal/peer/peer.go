package peer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Drivers are what hosts are driven by.
type Drivers interface {
	Driver(hypervisor string) (hypervisor.Driver, error)
}

// Service tells hosts of their peers.
type Service struct {
	db        *db.DB
	drivers   Drivers
	documents *document.Service
}

// New makes a service, which gives the documents of peers.
func New(d *db.DB, drivers Drivers, documents *document.Service) *Service {
	s := &Service{d, drivers, documents}
	documents.GivenBy(document.Peers, s.give)
	return s
}

// mesher is the driver of hosts that want to know their peers; nil for others.
func (s *Service) mesher(name string) hypervisor.Mesher {
	driver, err := s.drivers.Driver(name)
	if err != nil {
		return nil
	}
	m, _ := driver.(hypervisor.Mesher)
	return m
}

// give tells a host of the others.
func (s *Service) give(ctx context.Context, h document.Host, version int64) error {
	m := s.mesher(h.Hypervisor)
	if m == nil {
		return fault.Unavailablef("hosts of hypervisor %s can't be reached by this server", h.Hypervisor)
	}
	there, err := hostsIn(ctx, s.db.Read(), h.Zone)
	if err != nil {
		return err
	}
	p := hypervisor.Peers{Version: version}
	for _, other := range there {
		if other.ID != h.ID && s.mesher(other.Hypervisor) != nil {
			p.Addresses = append(p.Addresses, other.Address)
		}
	}
	return m.ApplyPeers(ctx, h.ID, p)
}

// member is a host, and where others reach it.
type member struct {
	ID         uid.Host
	Hypervisor string
	Address    string
}

// Round looks in which zones hosts have come, gone or moved, and tells those that are there. It is a keeper's.
func (s *Service) Round(ctx context.Context) error {
	zones, err := meshes(ctx, s.db.Read())
	if err != nil {
		return err
	}
	meshed := map[uid.Zone]bool{}
	for _, z := range zones {
		meshed[z.Zone] = meshed[z.Zone] || s.mesher(z.Hypervisor) != nil
	}
	var failed []error
	for zone, is := range meshed {
		if !is {
			continue
		}
		if err := s.look(ctx, zone); err != nil {
			failed = append(failed, fmt.Errorf("tell the hosts of zone %s of each other: %w", zone, err))
		}
	}
	return errors.Join(failed...)
}

// look wants newer documents for the hosts of a zone, if others are there than at the last look.
func (s *Service) look(ctx context.Context, zone uid.Zone) error {
	ids, now, err := s.mesh(ctx, s.db.Read(), zone)
	if err != nil {
		return err
	}
	if was, err := known(ctx, s.db.Read(), zone); err != nil || was == now {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if ids, now, err = s.mesh(ctx, tx, zone); err != nil {
			return err
		}
		if err := note(ctx, tx, zone, now); err != nil {
			return err
		}
		_, err := document.Want(ctx, tx, document.Peers, ids...)
		return err
	})
	if err == nil {
		s.documents.Wake(document.Peers, ids...)
	}
	return err
}

// mesh are the hosts of a zone that are to know each other, and a digest of who and where they are.
func (s *Service) mesh(ctx context.Context, q db.Tx, zone uid.Zone) (ids []uid.Host, digest string, err error) {
	there, err := hostsIn(ctx, q, zone)
	if err != nil {
		return nil, "", err
	}
	var all strings.Builder
	for _, m := range there {
		if s.mesher(m.Hypervisor) != nil {
			ids = append(ids, m.ID)
			fmt.Fprintf(&all, "%s %s\n", m.ID, m.Address)
		}
	}
	sum := sha256.Sum256([]byte(all.String()))
	return ids, hex.EncodeToString(sum[:]), nil
}
