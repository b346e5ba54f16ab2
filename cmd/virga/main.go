// Command virga is the whole of Virga in one binary: "virga dev" is a cloud on a laptop, "virga server" a management
// server, "virga agent" what runs on its hosts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/virga-cloud/virga/internal/cli"

	// Time zones are the users', not the machine's: a host without tzdata must know them too.
	_ "time/tzdata"
)

// version is set by the build: git describe.
var version = "development"

type commands struct {
	Dev     dev         `cmd:"" help:"A whole cloud on this machine, with simulated hosts. For trying things out and for tests."`
	Server  server      `cmd:"" help:"A management server."`
	Agent   agent       `cmd:"" help:"What runs on a host, and runs its machines for the cloud."`
	Apply   apply       `cmd:"" help:"Bring a cloud into the shape that a file describes: zones, pods, clusters, hosts, networks, storage, offerings, settings."`
	Audit   auditLog    `cmd:"" help:"The record of who asked for what: export it, verify it."`
	Image   imageTools  `cmd:"" help:"Images that machines are made from."`
	Version versionText `cmd:"" help:"Print the version."`

	RouterMetadata routerMetadata `cmd:"" hidden:"" help:"Answer the guests of a virtual router. For virga agent."`
}

// houses are the commands above, for everything else is the cloud's.
var houses = []cli.House{
	{Name: "dev", Doc: "A whole cloud on this machine, with simulated hosts."},
	{Name: "server", Doc: "A management server."},
	{Name: "agent", Doc: "What runs on a host, and runs its machines for the cloud."},
	{Name: "apply", Doc: "Bring a cloud into the shape that a file describes."},
	{Name: "audit", Doc: "Export and verify the record of who asked for what."},
	{Name: "image", Doc: "Make the tiny guest, an image for trying hosts out."},
	{Name: "version", Doc: "Print the version."},
}

type versionText struct{}

// Run prints the version.
func (versionText) Run() error { //nolint:unparam // kong wants an error
	text := version
	if info, ok := debug.ReadBuildInfo(); ok {
		text += " " + info.GoVersion
	}
	fmt.Println("virga", text)
	return nil
}

func main() {
	// A thread that was in another network namespace ends when its work there is done. The first one, which this is, can't end: it is
	// kept for this function, or whoever looks would find the agent in a namespace of its routers'.
	if len(os.Args) > 1 && slices.Contains([]string{"agent", "dev"}, os.Args[1]) {
		runtime.LockOSThread()
	}
	// Whatever this program writes is for its owner only: databases, their logs, keys, the simulated hosts' world.
	syscall.Umask(0o077)
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ours := func(name string) bool {
		return name == metadataCommand || slices.ContainsFunc(houses, func(h cli.House) bool { return h.Name == name })
	}
	if len(os.Args) < 2 || !ours(os.Args[1]) {
		return cli.Run(ctx, terminal(), os.Args[1:])
	}
	ctx, stop = interrupts(ctx)
	defer stop()
	var c commands
	k := kong.Parse(&c,
		kong.Name("virga"),
		kong.Description("A private cloud in one binary. It speaks Apache CloudStack's API."),
		kong.DefaultEnvars("VIRGA"),
		kong.Configuration(kong.JSON, "/etc/virga/virga.json", "~/.config/virga/virga.json"),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	k.FatalIfErrorf(k.Run())
	return 0
}
