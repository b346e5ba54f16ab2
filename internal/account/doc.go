// Package account owns domains, accounts, users, their API keys and the limits of what an account may use. It answers who
// calls (by password, key or session's user), which rows a list shows to that caller, and who owns what a caller creates.
package account
