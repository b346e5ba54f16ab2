// Package vmgroup owns the groups of machines: a name under which an account keeps some of them together. A group comes with the first
// machine that is put into it; which one a machine is in stands in its row.
package vmgroup
