// Package capacity tells how full the cloud is: for each kind of capacity (memory, CPU, storage, addresses, VLANs) how much of it
// a zone, a pod or a cluster has, and how much of that is taken. It owns nothing: it sums up what the packages below it keep, with
// one query for each source, however many places there are.
package capacity
