// Package note translates the commands about what is noted of things: details and annotations; and about certificates.
package note
