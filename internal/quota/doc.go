// Package quota knows what the counts of accounts and domains must be, since it may look at all that is counted: it counts anew
// where an operator doubts them. Counting and refusing at the moment of an allocation is package account's.
package quota
