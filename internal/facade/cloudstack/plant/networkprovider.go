package plant

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerNetworkProviders(m *api.Mux) {
	shown := look.Subject[uid.NetworkProvider](look.Show(t.DB.Read, physnet.ProvidersByID, t.providersOut))
	api.HandleList(m, cs.ListSupportedNetworkServices, t.listNetworkServices)
	api.HandleList(m, cs.ListNetworkServiceProviders, t.listProviders)
	api.HandleJob(m, cs.AddNetworkServiceProvider, t.addProvider, shown)
	api.HandleJob(m, cs.UpdateNetworkServiceProvider, t.updateProvider, shown)
	api.HandleList(m, cs.ListVirtualRouterElements, t.listElements)
	api.HandleJob(m, cs.ConfigureVirtualRouterElement, t.configureElement,
		look.Subject[uid.RouterElement](look.Show(t.DB.Read, physnet.ElementsByID, t.elementsOut)))
}

func (t Translator) listNetworkServices(_ context.Context, in cs.ListSupportedNetworkServicesIn) (none api.Page[cs.NetworkService], err error) {
	supported, err := provider.Supported(in.Service, in.Provider)
	if err != nil {
		return none, err
	}
	var all []cs.NetworkService
	for _, s := range supported {
		if !strings.Contains(strings.ToLower(s.Name), strings.ToLower(in.Keyword)) {
			continue
		}
		one := cs.NetworkService{Name: s.Name, Capabilities: wire.Capabilities(s.Capabilities, in.Provider != "")}
		for _, p := range s.Providers {
			one.Providers = append(one.Providers, cs.ServiceProvider{Name: p.Name, Individual: new(p.Single)})
		}
		all = append(all, one)
	}
	return look.Cut(all, in.Paging), nil
}

func (t Translator) listProviders(ctx context.Context, in cs.ListNetworkServiceProvidersIn) (none api.Page[cs.NetworkServiceProvider], err error) {
	filter := physnet.ProviderFilter{Physical: in.PhysicalNetworkID, Name: in.Name, State: physnet.Switch(in.State), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.PhysNets.Providers(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.providersOut(ctx, found)
	return api.Page[cs.NetworkServiceProvider]{Count: total, Items: items}, err
}

func (t Translator) providersOut(ctx context.Context, all []physnet.Provider) ([]cs.NetworkServiceProvider, error) {
	out := make([]cs.NetworkServiceProvider, len(all))
	for i, p := range all {
		kind, err := provider.Named(p.Name)
		if err != nil {
			return nil, err
		}
		out[i] = cs.NetworkServiceProvider{
			ID: p.ID, Name: p.Name, Physical: p.Physical, Destination: p.Destination, State: string(p.State), Services: p.Services,
			Individual: kind.Single,
		}
	}
	return out, t.Owned.Pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

func (t Translator) addProvider(ctx context.Context, in cs.AddNetworkServiceProviderIn) (api.Started, error) {
	id, job, err := t.PhysNets.AddProvider(ctx, physnet.AddProviderIn{
		Physical: in.PhysicalNetworkID, Destination: in.Destination, Name: in.Name, Services: in.Services,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) updateProvider(ctx context.Context, in cs.UpdateNetworkServiceProviderIn) (api.Started, error) {
	job, err := t.PhysNets.ChangeProvider(ctx, in.ID, in.State, in.Services)
	return api.Started{JobID: job}, err
}

func (t Translator) listElements(ctx context.Context, in cs.ListVirtualRouterElementsIn) (none api.Page[cs.VirtualRouterElement], err error) {
	filter := physnet.ElementFilter{ID: in.ID, Provider: in.ProviderID, Enabled: in.Enabled, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.PhysNets.Elements(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.elementsOut(ctx, found)
	return api.Page[cs.VirtualRouterElement]{Count: total, Items: items}, err
}

func (t Translator) elementsOut(ctx context.Context, all []physnet.Element) ([]cs.VirtualRouterElement, error) {
	out := make([]cs.VirtualRouterElement, len(all))
	for i, e := range all {
		out[i] = cs.VirtualRouterElement{ID: e.ID, ProviderID: e.Provider, Enabled: e.Enabled}
	}
	if err := t.Owned.Owners(ctx, len(all), func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, t.Owned.Pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

func (t Translator) configureElement(ctx context.Context, in cs.ConfigureVirtualRouterElementIn) (api.Started, error) {
	job, err := t.PhysNets.ConfigureElement(ctx, in.ID, *in.Enabled)
	return api.Started{JobID: job}, err
}
