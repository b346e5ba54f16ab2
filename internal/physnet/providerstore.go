package physnet

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type providerRow struct {
	bun.BaseModel `bun:"table:network_providers,alias:s"`
	Provider
}

type elementRow struct {
	bun.BaseModel `bun:"table:router_elements,alias:e"`
	Element
}

func insertProvider(ctx context.Context, tx db.Tx, p Provider) error {
	_, err := tx.NewInsert().Model(&providerRow{Provider: p}).Exec(ctx)
	return err
}

func updateProvider(ctx context.Context, tx db.Tx, p Provider) error {
	_, err := tx.NewUpdate().Model(&providerRow{Provider: p}).Column("state", "services").WherePK().Exec(ctx)
	return err
}

func dropProvider(ctx context.Context, tx db.Tx, id uid.NetworkProvider) error {
	if _, err := tx.NewRaw("delete from router_elements where provider_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from network_providers where id = ?", id).Exec(ctx)
	return err
}

// findProvider gives a provider; operations on a physical network's providers take turns, so it is not locked.
func findProvider(ctx context.Context, q db.Tx, id uid.NetworkProvider) (Provider, error) {
	var row providerRow
	err := q.NewSelect().Model(&row).Where("s.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Provider{}, fault.Missing(id)
	}
	return row.Provider, err
}

func providersOf(ctx context.Context, tx db.Tx, physical uid.PhysicalNetwork) ([]Provider, error) {
	var rows []providerRow
	err := tx.NewSelect().Model(&rows).Where("s.physical_network_id = ?", physical).Order("s.id").Scan(ctx)
	return providers(rows), err
}

func providers(rows []providerRow) []Provider {
	out := make([]Provider, len(rows))
	for i, r := range rows {
		out[i] = r.Provider
	}
	return out
}

func insertElement(ctx context.Context, tx db.Tx, e Element) error {
	_, err := tx.NewInsert().Model(&elementRow{Element: e}).Exec(ctx)
	return err
}

// providerOf gives the provider of a virtual router element.
func providerOf(ctx context.Context, q db.Tx, id uid.RouterElement) (Provider, error) {
	var row elementRow
	err := q.NewSelect().Model(&row).Where("e.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Provider{}, fault.Missing(id)
	}
	if err != nil {
		return Provider{}, err
	}
	return findProvider(ctx, q, row.Provider)
}

func setElement(ctx context.Context, tx db.Tx, id uid.RouterElement, enabled bool) error {
	_, err := tx.NewRaw("update router_elements set enabled = ? where id = ?", enabled, id).Exec(ctx)
	return err
}

func elementEnabled(ctx context.Context, tx db.Tx, provider uid.NetworkProvider) (enabled bool, err error) {
	err = tx.NewRaw("select exists (select 1 from router_elements where provider_id = ? and enabled)", provider).Scan(ctx, &enabled)
	return enabled, err
}

// ProviderFilter says which providers a list shows. Zero fields don't restrict.
type ProviderFilter struct {
	Physical uid.PhysicalNetwork
	Name     string
	State    Switch
	Keyword  string // in the name
	Offset   int
	Limit    int // 0 or less: all
}

// Providers gives a page of the providers on physical networks, the oldest first, and how many there are in all.
func (s *Service) Providers(ctx context.Context, f ProviderFilter) ([]Provider, int, error) {
	var rows []providerRow
	q := s.db.Read().NewSelect().Model(&rows).Order("s.id")
	db.Equal(q, "s.physical_network_id", f.Physical)
	db.EqualFold(q, "s.name", f.Name)
	db.EqualFold(q, "s.state", f.State)
	db.Like(q, f.Keyword, "s.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return providers(rows), n, err
}

// ProvidersByID gives providers on physical networks by their ids, in one query.
func ProvidersByID(ctx context.Context, q db.Tx, ids []uid.NetworkProvider) (map[uid.NetworkProvider]Provider, error) {
	out := map[uid.NetworkProvider]Provider{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []providerRow
	err := q.NewSelect().Model(&rows).Where("s.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Provider
	}
	return out, err
}

// ElementFilter says which virtual router elements a list shows. Zero fields don't restrict.
type ElementFilter struct {
	ID       uid.RouterElement
	Provider uid.NetworkProvider
	Enabled  *bool
	Keyword  string // in the provider's name
	Offset   int
	Limit    int // 0 or less: all
}

// Elements gives a page of virtual router elements, the oldest first, and how many there are in all.
func (s *Service) Elements(ctx context.Context, f ElementFilter) ([]Element, int, error) {
	var rows []elementRow
	q := s.db.Read().NewSelect().Model(&rows).Join("join network_providers as s on s.id = e.provider_id").Order("e.id")
	db.Equal(q, "e.id", f.ID)
	db.Equal(q, "e.provider_id", f.Provider)
	if f.Enabled != nil {
		q.Where("e.enabled = ?", *f.Enabled)
	}
	db.Like(q, f.Keyword, "s.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return elements(rows), n, err
}

func elements(rows []elementRow) []Element {
	out := make([]Element, len(rows))
	for i, r := range rows {
		out[i] = r.Element
	}
	return out
}

// ElementsByID gives virtual router elements by their ids, in one query.
func ElementsByID(ctx context.Context, q db.Tx, ids []uid.RouterElement) (map[uid.RouterElement]Element, error) {
	out := map[uid.RouterElement]Element{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []elementRow
	err := q.NewSelect().Model(&rows).Where("e.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Element
	}
	return out, err
}

// enableAll switches all providers on a physical network on, with their elements.
func enableAll(ctx context.Context, tx db.Tx, physical uid.PhysicalNetwork) error {
	if _, err := tx.NewRaw("update network_providers set state = ? where physical_network_id = ?", Enabled, physical).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw(`update router_elements set enabled = ?
		where provider_id in (select id from network_providers where physical_network_id = ?)`,
		true, physical).Exec(ctx)
	return err
}
