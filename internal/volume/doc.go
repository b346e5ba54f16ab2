// Package volume owns volumes: machines' root and data disks, from the wish for one to the disk that was made and its end.
package volume
