// Package cli is the command line of a cloud: "virga list zones", "virga deploy virtualmachine name=web …". A command of the API
// is a verb, a noun and parameters as key=value. What commands there are is read from the contract, or from what another cloud
// says of itself (listApis), so that the same program drives any CloudStack. The package reads no environment and opens no
// terminal: an Env has all that comes from outside.
package cli
