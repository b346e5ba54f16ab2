// Package audit keeps the record of who has asked for what, from where, and what came of it: every call that changes something, done
// or refused, and every end of a job. A call's record is written by the transaction of the change itself. A keeper links the records
// into a chain: each holds the hash of the one before it, so that whatever is changed, taken out or put elsewhere later is found and
// told where. No value of a parameter is recorded but ids of things.
package audit
