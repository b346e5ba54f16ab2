// Package account owns domains, accounts, users and their API keys. It answers who calls (by password, key or session's user), which
// rows a list shows to that caller, who owns what a caller creates, and whose counts that is (package limit has those).
package account
