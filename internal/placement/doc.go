// Package placement finds a host for a machine, and pools for its disks, and takes the room there.
//
// What a host must have is a list of filters (filterstore.go). Each is one condition in SQL with the words for a host that does
// not meet it: the same conditions find the candidates of a placement, sort the hosts of a refusal by the first one that they
// fail, and make the ranking of a dry run, so that what is said can't drift from what is done. Among the candidates, scorers
// (score.go) decide who is tried first. When no host is left, an admin is told why, per host and with figures, and a user in sum
// and without numbers.
//
// In a big cloud many placements at once want much the same: they go by what one of them has read up to 50 ms ago (offerstore.go),
// since taking the room tells whether it is still there.
package placement
