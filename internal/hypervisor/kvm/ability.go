package kvm

import "context"

// Runs tells what machines run on here: "kvm", where a guest has booted on it, or "tcg", which is many times slower.
func (d *Driver) Runs(ctx context.Context) (string, error) { return d.accelerator(ctx) }

// Limits tells whether machines can be kept to their processor time and their memory.
func Limits() (cpu, memory bool) {
	c := controls()
	return c.cpu != "", c.memory != ""
}
