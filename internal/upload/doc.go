// Package upload lets users send templates, ISOs and volumes to the cloud. Who asks is given an address and what to say there; what is sent
// is passed on, piece by piece, to a host that reaches the zone's store of images, and taken there once it has all come. What was sent for a
// volume is kept in that store until the volume's disk is made from it.
package upload
