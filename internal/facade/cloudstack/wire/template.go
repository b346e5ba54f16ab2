package wire

import (
	"github.com/virga-cloud/virga/internal/image"
)

// Status says how far an image has come. What is ready is "Download Complete": CloudStack's words, which clients wait for.
func Status(t image.Template) string {
	switch {
	case t.Ready:
		return "Download Complete"
	case t.Place.State == image.Waiting:
		return "Downloading"
	case t.Place.State == image.Deleting:
		return "Deleting"
	}
	return t.Place.Problem
}
