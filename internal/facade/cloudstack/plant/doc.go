// Package plant translates for what operators pool: zones, pods, clusters, hosts, storage pools and image stores, how full those are,
// and the physical networks with their traffic types, providers and ranges of addresses.
package plant
