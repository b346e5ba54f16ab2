package kvm

import (
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// cdArgs are the CD drive, which every machine has, and what is in it.
func (d *Driver) cdArgs(m hypervisor.Machine) ([]string, error) {
	drive := map[string]any{"driver": "ide-cd", "id": cdDevice, "bus": "ide.0", "bootindex": 2}
	if m.CD == nil {
		return []string{"-device", text(drive)}, nil
	}
	medium, err := d.medium(*m.CD)
	if err != nil {
		return nil, err
	}
	drive["drive"] = cdNode
	return []string{"-blockdev", text(medium), "-device", text(drive)}, nil
}

// medium is an ISO as the block layer has it.
func (d *Driver) medium(ref hypervisor.ImageRef) (map[string]any, error) {
	path, err := d.imagePath(ref, "iso")
	if err != nil {
		return nil, err
	}
	if !exists(path) {
		return nil, fault.Conflictf("ISO %s is not in its store at %s", ref.Template, ref.StoreURL)
	}
	return map[string]any{
		"driver": "raw", "node-name": cdNode, "read-only": true,
		"file": map[string]any{"driver": "file", "filename": path, "read-only": true},
	}, nil
}
