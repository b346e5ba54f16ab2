// Package project keeps projects: things that several accounts and users of a domain own together. A project owns through an account of its
// own (package account), so that limits, counts, events and all else that is about owners need not know of it. What is kept here is who
// belongs to it, as an administrator or not, who is invited, and the roles that say which commands a member may use in it.
package project
