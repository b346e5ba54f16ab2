// Package balancer translates the commands on load balancers.
package balancer
