// Package bucket speaks with S3: servers keep objects in a bucket, of which they know the keys, and hosts carry files to and from it by
// links that servers make, which open one object each and for a while.
package bucket
