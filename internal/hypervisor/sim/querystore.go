package sim

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared keeps a statement for every query it has been asked; queries are constants, hence few. It runs them without the
// caller's context: they take microseconds, and watching a context costs as much again.
type prepared struct {
	on interface {
		PrepareContext(context.Context, string) (*sql.Stmt, error)
	}
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func newPrepared(on interface {
	PrepareContext(context.Context, string) (*sql.Stmt, error)
}) *prepared {
	return &prepared{on: on, stmts: map[string]*sql.Stmt{}}
}

func (p *prepared) stmt(query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.stmts[query]; ok {
		return s, nil
	}
	s, err := p.on.PrepareContext(context.Background(), query)
	if err == nil {
		p.stmts[query] = s
	}
	return s, err
}

// Close lets go of the statements. SQLite keeps a file open for as long as there are any.
func (p *prepared) Close() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stmts {
		if e := s.Close(); err == nil {
			err = e
		}
	}
	return err
}

// exec changes rows and tells how many.
func (p *prepared) exec(query string, args ...any) (int64, error) {
	s, err := p.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// one reads the first row into dest and tells whether there was one.
func (p *prepared) one(dest []any, query string, args ...any) (bool, error) {
	s, err := p.stmt(query)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls row for every row; row scans it.
func (p *prepared) each(row func(scan func(...any) error) error, query string, args ...any) error {
	s, err := p.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
