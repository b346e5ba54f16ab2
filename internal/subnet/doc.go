// Package subnet reckons with IPv4 addresses and the address plans of networks. It knows no network and no database.
package subnet
