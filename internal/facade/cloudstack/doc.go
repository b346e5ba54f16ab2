// Package cloudstack speaks CloudStack's API: it translates between the contract (package api/cloudstack) and the services. It
// decides nothing else: whose things a list shows and who may touch what are the services' rules.
//
// A request comes in through package front, which establishes who calls and whether the caller's role may use the command, goes
// on to a translator (one file per noun, listed in handlers.go), and its answer goes out through front again. A new command is
// declared in the contract and given a handler in the register function of its noun's file; helpers for owners, pending jobs
// and scopes are in list.go, those for pages and for what items name in package look.
package cloudstack
