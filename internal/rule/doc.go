// Package rule owns what is done with the traffic of public addresses: port forwarding, static NAT, load balancing, and the firewall in
// both directions. A rule is a row that networks' routers are told of: who changes one bumps the network's revision, and the job that
// did it ends when the router has got it. What of an address's ports a rule has taken no other one can have.
package rule
