package main

import (
	"context"

	"github.com/virga-cloud/virga/internal/hypervisor/metadata"
)

// metadataCommand is what an agent starts this program with in each virtual router. It is nothing for people, and in no help.
const metadataCommand = "router-metadata"

type routerMetadata struct{}

// Run answers the guests of a virtual router.
func (routerMetadata) Run(ctx context.Context) error { return metadata.Child(ctx) }
