package cloudstack

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerConfigurations(m *api.Mux) {
	api.HandleList(m, cs.ListConfigurations, f.listConfigurations)
	api.HandleList(m, cs.ListConfigurationGroups, f.listConfigurationGroups)
	api.HandleCall(m, cs.UpdateConfiguration, f.updateConfiguration)
	api.HandleCall(m, cs.ResetConfiguration, f.resetConfiguration)
	api.HandleCall(m, cs.GetCloudIdentifier, f.getCloudIdentifier)
}

func (f *Facade) listConfigurations(ctx context.Context, in cs.ListConfigurationsIn) (api.Page[cs.Configuration], error) {
	at, err := placeOf(in.SettingPlace, in.ImageStoreID)
	if err != nil {
		return api.Page[cs.Configuration]{}, err
	}
	filter := setting.Filter{
		Name: in.Name, Category: in.Category, Group: in.Group, Subgroup: in.Subgroup, Parent: in.Parent, Keyword: in.Keyword, Place: at,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := f.Settings.List(ctx, filter)
	return look.Page(found, total, configurationOut), err
}

func (f *Facade) listConfigurationGroups(_ context.Context, in cs.ListConfigurationGroupsIn) (api.Page[cs.ConfigurationGroup], error) {
	groups := slices.DeleteFunc(setting.Groups(in.Group), func(g setting.Group) bool {
		return !strings.Contains(strings.ToLower(g.Name+" "+g.Doc), strings.ToLower(in.Keyword))
	})
	total := len(groups)
	offset, limit := look.Window(in.Paging)
	groups = groups[min(offset, total):]
	if limit > 0 {
		groups = groups[:min(limit, len(groups))]
	}
	return look.Page(groups, total, func(g setting.Group) cs.ConfigurationGroup {
		out := cs.ConfigurationGroup{Name: g.Name, Description: g.Doc, Precedence: g.Precedence}
		for i, name := range g.Subgroups {
			out.Subgroups = append(out.Subgroups, cs.ConfigurationSubgroup{Name: name, Precedence: int64(i + 1)})
		}
		return out
	}), nil
}

func (f *Facade) updateConfiguration(ctx context.Context, in cs.UpdateConfigurationIn) (cs.Configuration, error) {
	at, err := placeOf(in.SettingPlace, in.ImageStoreID)
	if err != nil {
		return cs.Configuration{}, err
	}
	return f.changeSetting(ctx, in.Name, at, in.Value)
}

func (f *Facade) resetConfiguration(ctx context.Context, in cs.ResetConfigurationIn) (cs.Configuration, error) {
	at, err := placeOf(in.SettingPlace, in.ImageStoreID)
	if err != nil {
		return cs.Configuration{}, err
	}
	return f.changeSetting(ctx, in.Name, at, "")
}

func (f *Facade) changeSetting(ctx context.Context, name string, at setting.Place, value string) (cs.Configuration, error) {
	changed, err := f.Settings.Change(ctx, name, at, value)
	if err != nil {
		return cs.Configuration{}, err
	}
	return configurationOut(changed), nil
}

func (f *Facade) getCloudIdentifier(ctx context.Context, in cs.GetCloudIdentifierIn) (cs.CloudIdentifier, error) {
	id, signature, err := f.Accounts.CloudIdentity(ctx, in.UserID)
	return cs.CloudIdentifier{UserID: in.UserID, CloudIdentifier: id, Signature: signature}, err
}

// placeOf reads which thing's own value is meant.
func placeOf(in cs.SettingPlace, store uid.ImageStore) (setting.Place, error) {
	var at setting.Place
	for _, p := range []setting.Place{
		setting.InZone(in.ZoneID), setting.InCluster(in.ClusterID), setting.InPool(in.StorageID), setting.InDomain(in.DomainID),
		setting.InAccount(in.AccountID), setting.InImageStore(store),
	} {
		switch {
		case p.ID == "":
		case at.ID != "":
			return setting.Place{}, fault.Invalidf("%sid and %sid can't both be given: a value is one thing's own",
				strings.TrimSuffix(string(at.Scope), "pool"), strings.TrimSuffix(string(p.Scope), "pool"))
		default:
			at = p
		}
	}
	return at, nil
}

// scopeNames are CloudStack's words for what can have a value of its own.
var scopeNames = map[setting.Scope]string{
	setting.Global: "Global", setting.OfZone: "Zone", setting.OfCluster: "Cluster", setting.OfPool: "StoragePool",
	setting.OfDomain: "Domain", setting.OfAccount: "Account", setting.OfImageStore: "ImageStore",
}

func configurationOut(s setting.Shown) cs.Configuration {
	scopes := []string{scopeNames[s.Place.Scope]}
	if s.Place.Scope == setting.Global {
		for _, scope := range s.Scopes {
			scopes = append(scopes, scopeNames[scope])
		}
	}
	return cs.Configuration{
		Category: string(s.Category), Group: s.Group, Subgroup: s.Subgroup(), Component: s.Group, Parent: s.Parent(),
		Name: s.Name, Value: s.Value, DefaultValue: s.Default, Description: s.Doc,
		DisplayText: strings.ToUpper(s.Name[:1]) + strings.ReplaceAll(s.Name[1:], ".", " "), Scope: strings.Join(scopes, ","),
		Type: s.Kind, Options: strings.Join(s.Choices, ","), IsDynamic: true,
	}
}
