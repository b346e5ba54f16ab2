// Package qcow makes and reads disk images with qemu-img, and tells who has them open: QEMU locks what it uses, on shared storage
// too, and whoever touches an image asks for those locks first.
package qcow
