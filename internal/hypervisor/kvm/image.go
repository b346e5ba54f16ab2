package kvm

import (
	"path/filepath"

	"github.com/virga-cloud/virga/internal/hypervisor"
)

// In a store a template is images/TEMPLATE.qcow2 or .iso, with what is known of it beside it.
const imagesDir = "images"

// imagePath is where an image is.
func (d *Driver) imagePath(ref hypervisor.ImageRef, extension string) (string, error) {
	dir, err := d.place(ref.StoreURL)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, imagesDir, string(ref.Template)+"."+extension), checkID(ref.Template)
}

// Fetcher brings files from elsewhere.
type Fetcher any
