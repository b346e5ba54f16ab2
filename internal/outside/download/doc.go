// Package download brings large files by HTTP: with bounds, from where an earlier try ended, and from no address that only this
// machine's own network has unless that is allowed.
package download
