// Package op runs what a user asked once and what takes a while: durable operations, made of named steps with undo.
//
// A [Plan] is written as a table: Accept checks and allocates in the request's own transaction; then, when it is the
// operation's turn on its thing ([Key]: one at a time, in order), its steps run. A Tx step works in the database and commits
// together with the record that it ran, so it happens exactly once. A Do step works outside and may run twice; its undo may
// meet what never or half happened. A Wait step names a condition and holds no worker while it waits. A step that returns
// an error wrapped in [Retry] is tried again with back-off; any other error undoes what was done, in reverse, down to
// Accept's own undo. An undo that fails leaves the operation stuck, which operators see and [Engine.Cancel] tries again.
//
// The [Engine] is one table of operations. A server that accepts an operation owns it from the same commit on; one that
// dies loses its lease, and the others (or its own next start) take its operations over, each under a new fence number, so
// that the dead one, should it only have slept, can record nothing any more. What is stored under a plan's, a step's or a
// state field's name is there for ever: these names are never changed (testdata/plans.golden of package cloud lists them).
//
// A Do step is recorded together with the Tx step after it, where there is one; if that fails it is recorded alone.
//
// Functions of a plan get the state as it was last recorded. What they change in it is kept if they succeed, and forgotten
// if they fail; so a name that a Do step gives to something outside is chosen in a Tx step before it.
package op
