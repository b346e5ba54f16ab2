// Package vpc owns virtual private clouds. So far it knows what they can be made from, VPC offerings, so that what CloudStack's tools
// look for is there; the clouds themselves, their tiers and gateways are to come.
package vpc
