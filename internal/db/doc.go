// Package db opens Virga's one state, in SQLite (embedded, one server) or PostgreSQL (many servers), and is the only way to
// it. [DB.Write] runs a closure in a transaction and returns when its effects are durable; on SQLite, closures that are
// waiting at the same time share one commit. [DB.Read] is for everything that only asks. Queries are built with bun, in the
// files named *store.go of the package that owns the table.
//
// Isolation. SQLite has one writer at a time, hence serializable writes. PostgreSQL runs READ COMMITTED: what must not
// happen twice is a constraint or a conditional update, and a row that is read in order to be changed is read through
// [Tx.Lock]. Closures lock in the order machine, network, host, pool, account counts, so that they don't deadlock; one that
// does is run again, so a closure has no effect outside the transaction.
package db
