// Package metadata answers guests of a virtual router who ask what they are: user data, metadata and, once, their password.
//
// It is a process of its own in the router's network namespace ([Child]), so that it goes on while the agent is away; the agent
// hands it what to say over a unix socket ([Control]). A guest is who the router's document says has the address that a
// packet came from, on the link that it came in by, with the MAC that answers for the address: a guest that claims another's
// gets nothing. Passwords are kept in this process's memory only, and forgotten when the guest says that it has saved its own.
package metadata
