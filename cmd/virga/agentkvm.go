package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"

	"github.com/virga-cloud/virga/internal/hypervisor/node"
	"github.com/virga-cloud/virga/internal/outside/bucket"
	"github.com/virga-cloud/virga/internal/outside/download"
	"github.com/virga-cloud/virga/uid"
)

// self is this program, for who is started as a user that may not be able to get to where it is installed.
const self = "/proc/self/exe"

// kvm is this machine as a host.
func (a *agent) kvm(data string, log *slog.Logger) func(context.Context, uid.Host, string) (node.Machine, error) {
	return func(ctx context.Context, id uid.Host, address string) (node.Machine, error) {
		var own []netip.Prefix
		for _, cidr := range a.Fetch {
			own = append(own, netip.MustParsePrefix(cidr)) // AfterApply has parsed them
		}
		return node.OpenHost(ctx, id, node.HostOptions{
			Dir: data, Address: address, Public: a.Public, Trunk: a.Trunk, Guest: a.Guest, Roots: a.Roots, Fetcher: download.New(own...),
			Carrier:  bucket.NewCarrier(),
			Metadata: []string{self, metadataCommand}, Log: log,
		})
	}
}

// check says what this machine can do.
func (a *agent) check(ctx context.Context, log *slog.Logger) error {
	return node.Report(ctx, os.Stdout, log)
}
