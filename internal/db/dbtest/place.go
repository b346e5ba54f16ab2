package dbtest

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A place is a PostgreSQL database that tests have one after the other. What makes tests slow there is not what they ask but that each
// new connection has to learn all tables and plan all statements anew: so a test that is given a place gets its content put back to what
// it was made from, and the connections of the tests before it.
type place struct {
	name string
	from string // the template that it is a copy of; "" while it isn't there

	mu     sync.Mutex
	idle   []*kept
	out    int  // connections that the test has
	filled bool // for the test that has it
	opened bool // by the test that has it, with connections that are kept
}

// kept is a connection that goes back to its place instead of being closed.
type kept struct {
	*pgConn
	to *place
}

type pgConn = stdlib.Conn // so that embedding it doesn't hide its method Conn

// keptConnections bounds what a place keeps; a cloud of a test seldom uses more at once.
const keptConnections = 12

// Connect gives a connection that an earlier test has left, or a new one.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if k := c.to.take(); k != nil {
		return k, nil
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c.to.mu.Lock()
	defer c.to.mu.Unlock()
	c.to.out++
	return &kept{conn.(*stdlib.Conn), c.to}, nil
}

type connector struct {
	driver.Connector
	to *place
}

func (p *place) connector(conf pgx.ConnConfig) driver.Connector {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = true
	return connector{stdlib.GetConnector(conf), p}
}

func (p *place) take() *kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	k := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	p.out++
	return k
}

// Close gives the connection back to its place, if it is in a state to be used again.
func (k *kept) Close() error {
	p := k.to
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out--
	under := k.Conn()
	if under.IsClosed() || under.PgConn().TxStatus() != 'I' || len(p.idle) == keptConnections || p.from == "" {
		return k.pgConn.Close()
	}
	p.idle = append(p.idle, &kept{k.pgConn, p})
	return nil
}

// free are the places that no test has.
var free struct {
	sync.Mutex
	places []*place
}

// places are those that tests have: name → *place.
var places sync.Map

func takePlace() *place {
	free.Lock()
	defer free.Unlock()
	p := &place{name: newName("t")}
	if last := len(free.places) - 1; last >= 0 {
		p, free.places = free.places[last], free.places[:last]
	}
	p.filled, p.opened = false, false
	places.Store(p.name, p)
	return p
}

// leave gives a place to the next test, or drops it where a test may have done more to it than change its rows.
func (p *place) leave() error {
	places.Delete(p.name)
	p.mu.Lock()
	again := p.opened && p.out == 0 && len(p.idle) > 0
	p.mu.Unlock()
	if again {
		free.Lock()
		defer free.Unlock()
		free.places = append(free.places, p)
		return nil
	}
	return p.drop()
}

// hangUp closes the connections that earlier tests have left.
func (p *place) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.idle {
		_ = k.pgConn.Close()
	}
	p.idle = nil
}

func (p *place) drop() error {
	p.hangUp()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from == "" {
		return nil
	}
	p.from = "" // connections that are still out aren't kept
	return drop(p.name)
}

// fill makes the place a copy of a template.
func (p *place) fill(template string) error {
	p.filled = true
	if p.from == template {
		if k := p.take(); k != nil {
			_, err := k.Conn().Exec(context.Background(), "select kept.rewind()")
			_ = k.Close()
			if pg, is := errors.AsType[*pgconn.PgError](err); !is || pg.Code != otherTables {
				return err
			}
		}
	}
	if p.from != "" {
		if err := p.drop(); err != nil {
			return err
		}
	}
	if err := onServer(server(), copying(p.name, template)); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = template
	return nil
}

// otherTables is what kept.rewind fails with where a test has made or altered tables: such a place is made anew.
const otherTables = "VT001"

// keepable puts into a database what its copies need to be put back: the rows that it has, and a function that brings them back into
// those tables that have changed since, or refuses to where more than rows has changed.
func keepable(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `select c.relname::text as name, coalesce((select string_agg(format('k.%1$I = t.%1$I', a.attname), ' and ')
			from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) where i.indrelid = c.oid and i.indisprimary), 'k is not distinct from t') as same
		from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Name, Same string }])
	if err != nil {
		return err
	}
	steps := []string{"drop schema if exists kept cascade", "create schema kept"}
	var deletes, inserts []string
	for _, t := range tables {
		var n int
		if err := conn.QueryRow(ctx, fmt.Sprintf("select count(*) from public.%q", t.Name)).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			deletes = append(deletes, fmt.Sprintf("delete from public.%q;", t.Name))
			continue
		}
		steps = append(steps, fmt.Sprintf("create table kept.%[1]q as table public.%[1]q", t.Name))
		deletes = append(deletes, fmt.Sprintf("delete from public.%q where xmin::text::bigint > since;", t.Name))
		inserts = append(inserts, fmt.Sprintf(`if (select count(*) from public.%[1]q) <> %[2]d then
				insert into public.%[1]q select k.* from kept.%[1]q k where not exists (select from public.%[1]q t where %[3]s);
			end if;`, t.Name, n, t.Same))
	}
	// Rows come and go in any order then: whether they fit together is asked at the end. (Not asking at all, with
	// session_replication_role, would make the connection forget its plans.)
	steps = append(steps, `do $$ declare c record; begin
		for c in select conrelid::regclass as of, conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace loop
			execute format('alter table %s alter constraint %I deferrable', c.of, c.conname);
		end loop;
	end $$`)
	steps = append(steps, `create function kept.rewind() returns void language plpgsql as $$
		declare since bigint := (select at from kept.last); begin
		if exists (select from pg_attribute where xmin::text::bigint > since) or exists (select from pg_trigger where xmin::text::bigint > since)
			or (select count(*) from pg_attribute) <> (select attributes from kept.last) then
			raise 'a test has changed tables' using errcode = '`+otherTables+`';
		end if;
		set constraints all deferred;
		`+strings.Join(slices.Concat(deletes, inserts), "\n")+`
		update kept.last set at = txid_current();
	end $$`, "create table kept.last (at bigint, attributes bigint)",
		"insert into kept.last select txid_current(), count(*) from pg_attribute")
	for _, statement := range steps {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
