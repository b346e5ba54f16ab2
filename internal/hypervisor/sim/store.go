package sim

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"slices"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is how many queries are answered at the same time.
const readers = 4

// version is the schema's, in the file's user_version. A world is a simulation: another version's is refused, not migrated.
const version = 7

const schema = `
create table if not exists host (
	id text primary key, zone text not null, pod text not null, cluster text not null,
	cores int not null, mhz int not null, mb int not null,
	silent int not null default 0, -- it does not answer
	sign int not null default 0,   -- its last sign of life, in nanoseconds; 0: it goes on giving them
	lapse int not null default 0   -- when its leased machines end; 0: never
) without rowid;
create index if not exists host_trouble on host (id) where silent or sign > 0;
create table if not exists disk (
	volume text, pool text, url text not null, bytes int not null, template text not null, template_bytes int not null,
	vm text not null default '', -- who started with it and was not stopped since
	primary key (volume, pool)
) without rowid;
create index if not exists disk_vm on disk (vm) where vm <> '';
create table if not exists guest (
	vm text primary key, host text not null, running int not null, machine blob not null,
	since int not null -- when it was started there, in nanoseconds
) without rowid;
create index if not exists guest_host on guest (host);
create table if not exists image (
	template text, store text, url text not null,
	primary key (template, store)
) without rowid;
create table if not exists snapshot (
	snapshot text, store text, bytes int not null,
	primary key (snapshot, store)
) without rowid;
create table if not exists sent (
	id text, store text, bytes int not null, -- on its way to become an image or a snapshot
	primary key (id, store)
) without rowid;
create table if not exists checkpoint (
	id text primary key, vm text not null, memory int not null, machine blob not null
) without rowid;
create table if not exists arrival (
	vm text primary key, host text not null, machine blob not null
) without rowid;
create index if not exists arrival_host on arrival (host);
create table if not exists routed (
	id text, host text, version int not null, document blob not null,
	primary key (host, id)
) without rowid;
create table if not exists routed_guest (
	router text, host text, network text, nic text, guest blob not null,
	primary key (host, router, network, nic)
) without rowid;
drop table if exists router; -- what it had is told again
create table if not exists guards (
	host text primary key, version int not null, document blob not null
) without rowid;
create table if not exists rule (
	zone text, pod text, cluster text, host text, command text,
	wait int not null, fault text not null, kind text not null, lost int not null, count int not null,
	primary key (zone, pod, cluster, host, command)
) without rowid;`

// store is the world's file: one connection that writes, a few that read.
type store struct {
	*writer
	pool    *sql.DB // of read
	read    *prepared
	closers []io.Closer // in the order of their opening
	once    sync.Once
	err     error
}

func openStore(path string) (_ *store, err error) {
	s := &store{}
	defer func() {
		if err != nil {
			_ = s.closeAll()
			err = fmt.Errorf("open simulated world %s: %w", path, err)
		}
	}()
	// synchronous=OFF leaves it to the kernel when a commit reaches the disk. A killed process loses nothing by it; a power
	// cut may, and would have taken the simulated guests along.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(OFF)", "cache_size(-8000)"}}.Encode()
	open := func(conns int) (*sql.DB, error) {
		pool, err := sql.Open("sqlite", dsn)
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(conns)
		pool.SetMaxIdleConns(conns)
		s.closers = append(s.closers, pool)
		return pool, nil
	}
	writers, err := open(1)
	if err != nil {
		return nil, err
	}
	conn, err := writers.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, conn)
	if err := install(conn); err != nil {
		return nil, err
	}
	pool, err := open(readers)
	if err != nil {
		return nil, err
	}
	s.pool = pool
	s.read = newPrepared(pool)
	write := newPrepared(conn)
	s.closers = append(s.closers, s.read, write)
	s.writer = newWriter(write)
	return s, nil
}

// install makes the tables, unless they are there.
func install(conn *sql.Conn) error {
	ctx := context.Background()
	var found int
	if err := conn.QueryRowContext(ctx, "pragma user_version").Scan(&found); err != nil {
		return err
	}
	switch found {
	case version:
		return nil
	case 0:
		// Two processes may be here at once; the second finds the tables made.
		_, err := conn.ExecContext(ctx, fmt.Sprintf("begin immediate; %s pragma user_version = %d; commit", schema, version))
		return err
	}
	return fmt.Errorf("it is of version %d, this program writes version %d: remove the file for a new world", found, version)
}

func (s *store) close() error {
	s.once.Do(func() {
		s.stop()
		s.err = s.closeAll()
	})
	return s.err
}

func (s *store) closeAll() (err error) {
	for _, c := range slices.Backward(s.closers) {
		if e := c.Close(); err == nil {
			err = e
		}
	}
	return err
}
