// Package secgroup translates the commands on security groups and their rules.
package secgroup
