// Package rule translates the commands on port forwarding, static NAT and firewall rules.
package rule
