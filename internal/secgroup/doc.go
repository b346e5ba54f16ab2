// Package secgroup owns security groups: names under which an account gathers machines that the same traffic is to reach. Every
// account has one called "default" from its beginning. A machine with a card in a network that has security groups is in one at
// least, of its own account; which traffic a group lets through is not said yet, there are no rules.
package secgroup
