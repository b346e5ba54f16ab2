// Package front is the HTTP side of CloudStack's API: what is the same for every command. It reads the request, establishes who
// calls (by session, by signature, or as the house itself on the integration port), asks whether the caller's role may use the
// command, hands on to the command's handler, and puts the answer or the error on the wire, the log and the metrics. It knows no
// noun: the commands and their handlers come in a mux, which package cloudstack fills. Login and logout are the only commands of
// its own.
//
// A request goes through routes.go and observe.go (one line in the log, whatever becomes of it), dispatch.go (find the caller and
// the command), session.go or signed.go, once.go (idempotency keys) and answer.go; errors.go says what the kinds of faults are on
// the wire. [Serve] listens.
package front
