// Package snapshot owns snapshots: copies of volumes as they were at a moment, whole, in the stores of images. Nothing depends on the
// volume afterwards: it may change and go. Volumes are made from them, and a volume can be taken back to one of its own.
package snapshot
