// Package offering owns what operators offer: service offerings (a machine's cores and memory), disk offerings (a volume's
// size) and network offerings (a network's kind and services).
package offering
