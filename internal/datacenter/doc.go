// Package datacenter brings a cloud into the shape that a file describes: zones with their physical networks, pods, clusters, hosts
// and storage, offerings and settings. It is a client of the API like any other. What is there already is compared and, where it
// differs, changed; what can't be changed is reported; what the file does not name is left alone. So a file can be applied again
// and again, and one that was broken off half-way is completed by the next time.
package datacenter
