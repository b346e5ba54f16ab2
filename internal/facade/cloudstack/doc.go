// Package cloudstack speaks CloudStack's API at /client/api: it establishes who calls, asks whether the caller's role may use
// the command, and translates between the contract (package api/cloudstack) and the services. It decides nothing else: whose
// things a list shows and who may touch what are the services' rules.
//
// A request goes through dispatch.go (find the caller and the command), a translator (one file per noun, listed in
// handlers.go) and answer.go (write JSON or XML). A new command is declared in the contract and given a handler in the
// register function of its noun's file; helpers for owners, pending jobs, scopes and pages are in list.go.
package cloudstack
