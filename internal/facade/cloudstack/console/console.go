package console

import (
	"context"
	"net"
	"net/url"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/console"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/secret"
)

// The paths, below which nothing else is.
const (
	pagePath   = "/client/console"
	socketPath = pagePath + "/socket"
	serialPath = pagePath + "/serial"
	filesPath  = pagePath + "/files/"
)

// Translator translates for the service that gives tickets.
type Translator struct {
	Console *console.Service
}

// Register gives the command its handler.
func (t Translator) Register(m *api.Mux) {
	api.HandleCall(m, cs.CreateConsoleEndpoint, t.create)
}

func (t Translator) create(ctx context.Context, in cs.CreateConsoleEndpointIn) (cs.ConsoleEndpoint, error) {
	token, err := t.Console.Open(ctx, in.VMID, secret.New(in.Token))
	if err != nil {
		return cs.ConsoleEndpoint{}, err
	}
	base := front.Base(ctx)
	query := url.Values{"token": {token.Reveal()}}
	if in.Token != "" {
		query.Set("extra", in.Token)
	}
	page := base
	page.Path, page.RawQuery = pagePath, query.Encode()
	name, port := base.Hostname(), base.Port()
	if port == "" && base.Host != "" {
		port = map[string]string{"https": "443", "http": "80"}[base.Scheme]
	}
	return cs.ConsoleEndpoint{Success: true, URL: page.String(), WebSocket: cs.ConsoleSocket{
		Token: token.Reveal(), Host: host(name), Port: port, Path: socketPath[1:], Extra: in.Token,
	}}, nil
}

// host is a host's name or address as URLs have it.
func host(name string) string {
	if ip := net.ParseIP(name); ip != nil && ip.To4() == nil {
		return "[" + name + "]"
	}
	return name
}
