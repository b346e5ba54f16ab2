// Package network owns guest networks and what is allocated in and before them: addresses, public ones, too, MAC addresses and device
// numbers. That no two machines get the same one is a constraint of the database; that a free one is found at once is the work of
// a counter per network and a table of addresses that were given back.
package network
