package cloudstack

import (
	"cmp"
	"context"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
)

func (f *Facade) registerDiscovery(m *api.Mux) {
	api.HandleList(m, cs.ListAPIs, f.listAPIs)
	api.HandleCall(m, cs.ListCapabilities, f.listCapabilities)
}

func (f *Facade) listAPIs(ctx context.Context, in cs.ListAPIsIn) (api.Page[api.CommandInfo], error) {
	caller := auth.From(ctx)
	var failed error
	commands := f.mux.ListAllowed(front.RoleOf(caller), in.Name, func(d *api.Description) bool {
		if d.Session {
			return true
		}
		ok, err := f.Roles.Allows(ctx, caller, d.Name)
		failed = cmp.Or(failed, err)
		return ok
	})
	if failed != nil {
		return api.Page[api.CommandInfo]{}, failed
	}
	if in.Name != "" && len(commands) == 0 {
		return api.Page[api.CommandInfo]{}, front.UnknownCommand(in.Name)
	}
	return api.Page[api.CommandInfo]{Count: len(commands), Items: commands}, nil
}

// listCapabilities says what there is: a switch is turned here when the commands behind it come.
func (f *Facade) listCapabilities(ctx context.Context, _ api.None) (cs.Capabilities, error) {
	caller := auth.From(ctx)
	groups, err := zone.AnyWithGroups(ctx, f.DB.Read())
	if err != nil {
		return cs.Capabilities{}, err
	}
	places := []setting.Place{setting.InAccount(caller.Account), setting.InDomain(caller.Domain)}
	out := cs.Capabilities{
		Version:             cs.Version,
		PublicTemplates:     setting.PublicTemplates.Of(f.Settings),
		SecurityGroups:      groups,
		ElasticLoadBalancer: "false",
		MinDiskSize:         setting.CustomDiskMin.Of(f.Settings),
		MaxDiskSize:         setting.CustomDiskMax.Of(f.Settings),
		UserViewDestroyed:   setting.UsersViewDestroyed.Of(f.Settings, places...),
		UserExpungeRecover:  setting.UsersExpungeRecover.Of(f.Settings, places...),
		UserForceStop:       true,
		DynamicRoles:        true,
		PageSize:            20,
	}
	if f.Limits.On() {
		out.APILimitInterval = new(int(setting.ThrottlingInterval.Of(f.Settings) / time.Second))
		out.APILimitMax = new(int(setting.ThrottlingMax.Of(f.Settings)))
	}
	return out, nil
}
