// Package closing holds what takes an operation to do to a tenant: to disable a user or an account, to take
// keys away, to mark an account's default zone,
// and to delete accounts and whole domains with all that they own. It stands above the packages whose things tenants own, and ends
// these by those packages' own operations, each of which leaves all or nothing.
//
// An account whose deletion is accepted is closed from that moment on: nobody signs in to it, and nothing new is made for it. What can't
// be freed (a host is silent, an operation is stuck) the deletion's error names; the account stays closed then, and a keeper begins
// again from time to time.
package closing
