// Package meter keeps what machines and hosts use, as hosts say it: every so often all hosts are asked, each of them once for all of
// its machines, and what they say is written down for many at once, in tables of its own that nothing else waits for.
package meter
