package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
)

type auditLog struct {
	Export auditExport `cmd:"" help:"Write the log to the standard output, a line of JSON for each record."`
	Verify auditVerify `cmd:"" help:"Look whether the log, or what was exported of it, is what was written."`
}

// auditSource says where the log is.
type auditSource struct {
	Data     string `help:"The server's --data." placeholder:"DIR"`
	Database string `help:"The server's --database." placeholder:"URL"`
	KeyFile  string `help:"The server's key file; the one in its data folder, if there is one." placeholder:"PATH"`
}

func (s auditSource) named() bool { return s.Data != "" || s.Database != "" }

// open opens the database for reading, and the key file where there is one.
func (s auditSource) open(ctx context.Context) (*db.DB, *secret.Box, error) {
	url, key := s.Database, s.KeyFile
	if url == "" {
		url = filepath.Join(s.Data, cloud.DatabaseFile)
	}
	if key == "" && s.Data != "" {
		key = filepath.Join(s.Data, "virga.key")
	}
	d, err := db.OpenReader(ctx, url, time.Now)
	if err != nil || key == "" {
		return d, nil, err
	}
	if _, err := os.Stat(key); err != nil {
		if s.KeyFile == "" {
			return d, nil, nil // it is elsewhere
		}
		d.Close()
		return nil, nil, err
	}
	box, err := secret.OpenBox(key)
	if err != nil {
		d.Close()
	}
	return d, box, err
}

type auditExport struct {
	auditSource
	After int64 `help:"Only records after the one with this number." placeholder:"NUMBER"`
}

var errNoSource = errors.New("say where the log is: the server's --data, or its --database")

// Run exports.
func (e auditExport) Run(ctx context.Context) error {
	if !e.named() {
		return errNoSource
	}
	d, _, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Snapshot(ctx, func(ctx context.Context, q db.Tx) error {
		_, err := audit.Export(ctx, q, e.After, os.Stdout)
		return err
	})
}

type auditVerify struct {
	auditSource
	From string `help:"Verify what was exported into this file. With --data or --database, look whether the records are still there, too." type:"path" placeholder:"FILE"`
}

// Run verifies.
func (v auditVerify) Run(ctx context.Context) error {
	if !v.named() && v.From == "" {
		return errNoSource
	}
	var d *db.DB
	var box *secret.Box
	if v.named() {
		var err error
		if d, box, err = v.open(ctx); err != nil {
			return err
		}
		defer d.Close()
	}
	var r audit.Report
	var err error
	if v.From == "" {
		err = d.Snapshot(ctx, func(ctx context.Context, q db.Tx) error { // the server may go on writing
			r, err = audit.Verify(ctx, q, box)
			return err
		})
	} else {
		r, err = verifyFile(ctx, v.From, d)
	}
	if err != nil {
		return err
	}
	return report(r, box != nil || v.From != "")
}

func verifyFile(ctx context.Context, name string, d *db.DB) (audit.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return audit.Report{}, err
	}
	defer func() { _ = f.Close() }() // it was read
	if d == nil {
		return audit.VerifyFile(ctx, f, nil)
	}
	var r audit.Report
	err = d.Snapshot(ctx, func(ctx context.Context, q db.Tx) (err error) {
		r, err = audit.VerifyFile(ctx, f, &q)
		return err
	})
	return r, err
}

func report(r audit.Report, sealed bool) error {
	if r.Records == 0 {
		fmt.Println("no records")
	} else {
		fmt.Printf("%d records, %d to %d\nthe last one's hash is %s\n", r.Records, r.First, r.Last, r.Head)
	}
	if r.Waiting > 0 {
		fmt.Printf("%d more are not in the chain yet\n", r.Waiting)
	}
	if !sealed {
		fmt.Println("without the key file nobody can tell whether beginning and end are the cloud's own: give --data or --key-file")
	}
	for _, what := range r.Wrong {
		fmt.Println("WRONG:", what)
	}
	if len(r.Wrong) > 0 {
		return errors.New("the audit log is not what was written")
	}
	return nil
}
