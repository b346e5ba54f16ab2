package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/doctor"
)

// examine looks at what a server with these flags would have: its database and its folder.
func examine(ctx context.Context, database, folder string) []doctor.Check {
	url := database
	if url == "" {
		url = filepath.Join(folder, cloud.DatabaseFile)
	}
	checks := []doctor.Check{examineDatabase(ctx, url)}
	if folder != "" {
		checks = append(checks, examineFolder(folder))
	}
	return checks
}

func finding(what, why, do string) []doctor.Finding {
	return []doctor.Finding{{What: what, Why: why, Do: do}}
}

// fullConnections is the part of PostgreSQL's connections from which on a server may get none.
const fullConnections = 0.9

func examineDatabase(ctx context.Context, url string) doctor.Check {
	c := doctor.Check{Name: "database"}
	s, err := db.Inspect(ctx, url)
	if err != nil {
		do := "Look whether PostgreSQL runs, and whether address, name and password are right."
		if !db.IsPostgres(url) {
			do = "Look whether it is the server's --data folder. A damaged file: put a kept copy in its place."
			if errors.Is(err, fs.ErrNotExist) {
				do = "Name the folder that the server was started with as --data."
			}
		}
		c.Findings = finding(err.Error(), "Without its database no server starts.", do)
		return c
	}
	c.Text = fmt.Sprintf("%s, schema %d, %d MB", db.Redact(url), s.Schema, s.Size>>20)
	if s.Connections > 0 {
		c.Text += fmt.Sprintf(", %d of %d connections", s.Connections, s.MaxConnections)
	}
	switch {
	case s.Damage != "":
		c.Findings = finding("the file is damaged: "+s.Damage, "What lies on the damaged pages is lost, and more may follow.",
			"Stop the server, copy the folder, and put a kept copy in the file's place.")
	case s.Schema > s.Newest:
		c.Findings = finding(fmt.Sprintf("the schema is of version %d, and this program knows %d", s.Schema, s.Newest),
			"This version of Virga will not start with it.", "Use the newer version, or the copy that was kept before its migration.")
	case s.Schema == 0:
		c.Findings = finding("the database has no schema", "No server was ever started with it.", "Look whether it is the right one; the first start makes the schema.")
	case s.Schema < s.Newest:
		c.Findings = finding(fmt.Sprintf("the schema is of version %d, and this program has %d", s.Schema, s.Newest),
			"The server that runs is an older version than this program.", "Start the server again with this version: it migrates, and keeps a copy.")
	case float64(s.Connections) > fullConnections*float64(s.MaxConnections):
		c.Findings = finding(fmt.Sprintf("%d of %d connections are taken", s.Connections, s.MaxConnections),
			"A server that needs one more gets none, and its requests fail.", "Raise max_connections, or look who has so many.")
	}
	return c
}

// How much room a folder must have: less than both is too little. A twentieth of a large disk is a lot.
const (
	roomBytes = 1 << 30
	roomPart  = 0.05
)

func examineFolder(folder string) doctor.Check {
	c := doctor.Check{Name: "folder"}
	info, err := os.Stat(folder)
	var room syscall.Statfs_t
	if err == nil {
		err = syscall.Statfs(folder, &room)
	}
	if err != nil {
		c.Findings = finding(err.Error(), "The server keeps its database and keys there.", "Name the folder that the server was started with as --data.")
		return c
	}
	free, size := float64(room.Bavail)*float64(room.Bsize), float64(room.Blocks)*float64(room.Bsize)
	c.Text = fmt.Sprintf("%s has %.1f GB free of %.1f GB", folder, free/(1<<30), size/(1<<30))
	if free < roomBytes && free < roomPart*size {
		c.Findings = append(c.Findings, finding(fmt.Sprintf("there are only %.1f GB free where %s is", free/(1<<30), folder),
			"When the disk is full every change is refused.", "Make room: copies of the database from before migrations (virga.db.before…) may go.")...)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		c.Findings = append(c.Findings, finding(fmt.Sprintf("others can look into %s (mode %04o)", folder, mode),
			"The keys of the encrypted columns are there.", "chmod 700 "+folder)...)
	}
	return c
}
