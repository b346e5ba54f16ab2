package db

import "io/fs"

// Migrations are the ones there are.
var Migrations = migrations

// WithMigrations are options for a database whose migrations are others.
func (o Options) WithMigrations(files fs.FS) Options {
	o.migrations = files
	return o
}
