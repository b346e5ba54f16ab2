// Package account owns domains, accounts, users, their API keys and their second factors. It answers who calls (by password, key or
// session's user), which rows a list shows to that caller, who owns what a caller creates, and whose counts that is (package limit has
// those). A project is an account here, which nobody signs in to; who belongs to it is package project's to know.
package account
