// Package failover finds out what has become of machines whose hosts fell silent or are back, and has those that are highly available run
// again. It takes a machine for ended when the storage that its host shares with others proves it, or when the host says so itself, and
// never because time has passed.
package failover
