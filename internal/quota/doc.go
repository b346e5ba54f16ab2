// Package quota knows who may list and set whose limits, and what the counts of accounts and domains must be, since it may look at all that
// is counted: it counts anew where an operator doubts them. Counting and refusing at the moment of an allocation is package limit's.
package quota
