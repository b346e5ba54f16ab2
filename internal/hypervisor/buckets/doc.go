// Package buckets lets hosts work with stores of images that are buckets of S3, though no host has a bucket's keys: servers make links for
// what is to be done once, and a host makes the rest as it would for a store that is a folder, in one of its own that is emptied again.
package buckets
