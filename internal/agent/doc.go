// Package agent knows which agents may speak for which hosts. An operator makes a token; who comes with it introduces a key pair once,
// is given a host's id, and is known by the key from then on, until the host is deleted. The package keeps, too, who signs what
// servers prove themselves to agents with.
package agent
