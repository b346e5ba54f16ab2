package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
)

func (f *Facade) registerDiscovery(m *api.Mux) {
	api.HandleList(m, cs.ListAPIs, f.listAPIs)
	api.HandleCall(m, cs.ListCapabilities, f.listCapabilities)
}

func (f *Facade) listAPIs(ctx context.Context, in cs.ListAPIsIn) (api.Page[api.CommandInfo], error) {
	commands := f.mux.ListAPIs(roleOf(auth.From(ctx)), in.Name)
	if in.Name != "" && len(commands) == 0 {
		return api.Page[api.CommandInfo]{}, unknownCommand(in.Name)
	}
	return api.Page[api.CommandInfo]{Count: len(commands), Items: commands}, nil
}

// listCapabilities says what there is: a switch is turned here when the commands behind it come.
func (f *Facade) listCapabilities(context.Context, api.None) (cs.Capabilities, error) {
	return cs.Capabilities{
		Version:             cs.Version,
		ElasticLoadBalancer: "false",
		MinDiskSize:         1,
		MaxDiskSize:         1024,
		UserForceStop:       true,
		PageSize:            20,
	}, nil
}
