// Package tinyimage makes the tiny guest: a bootable disk image of some 13 MB with Debian's kernel for clouds, a static busybox and a
// few lines of shell. It boots in seconds where there is no KVM, says on its serial port how far it has come, takes its address by DHCP,
// reads what a cloud tells its guests, and answers by HTTP. It is for trying a cloud out and for tests: whoever is at its serial port
// is root.
package tinyimage
