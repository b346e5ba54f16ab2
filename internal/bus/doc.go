// Package bus carries what a management server and the agents of hosts say to each other. The server has a NATS server inside; agents
// dial in to it over TLS, so that a host needs no open port, and are asked over the connection that they hold. Who dials in proves
// itself with a key pair, or with a token that is good for introducing itself once; either way it can speak only for itself: it hears
// what is said to its own name, and says things under that name only.
//
// What is asked is answered, or it is known soon that it won't be: whoever works on an answer says so every few seconds, and silence
// is taken for absence.
package bus
