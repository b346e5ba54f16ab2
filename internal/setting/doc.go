// Package setting is what operators can change while the cloud runs. A setting is a typed value declared in keys.go, with its
// default, its range and the kinds of things (a zone, a cluster, an account …) that can have a value of their own; the table
// holds only what was changed. Who needs a value asks its [Key] and gets it from memory: [Settings] holds a copy of the table,
// which a server's own changes renew at once, and other servers' changes within [Poll].
package setting
