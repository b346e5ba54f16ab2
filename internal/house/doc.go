// Package house holds the rules that keep this repository a place to work in, as tests: who may import whom, who owns which
// table, how large a file may get, what must come in from outside. They read the source files themselves, so a rule holds for
// every build tag too, and every rule has its reason beside it. There is nothing here to import.
//
// A rule that is wrong is changed here, in docs/architecture.md and in the code, in one commit.
package house
