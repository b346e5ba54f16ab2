package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// thing is what machines are made of: a zone, a template or an offering.
type thing struct {
	ID, Name        string
	AllocationState string
	IsReady         *bool
	IsCustomized    bool
}

// choose finds what to make machines of.
func (m *maker) choose(ctx context.Context) (*MachinesUsed, error) {
	zone, err := m.one(ctx, "zone", m.in.Zone, "listZones", api.Params{"available": "true"})
	if err != nil {
		return nil, err
	}
	template, err := m.one(ctx, "template", m.in.Template, "listTemplates", api.Params{"templatefilter": "featured", "zoneid": zone.ID})
	if err != nil {
		var other error
		mine := api.Params{"templatefilter": "executable", "zoneid": zone.ID}
		if template, other = m.one(ctx, "template", m.in.Template, "listTemplates", mine); other != nil {
			return nil, err
		}
	}
	offering, err := m.one(ctx, "offering", m.in.Offering, "listServiceOfferings", api.Params{"issystem": "false"})
	if err != nil {
		return nil, err
	}
	m.params = api.Params{"zoneid": zone.ID, "templateid": template.ID, "serviceofferingid": offering.ID}
	if m.in.Networks != "" {
		m.params["networkids"] = m.in.Networks
	}
	return &MachinesUsed{Zone: zone.Name, Template: template.Name, Offering: offering.Name, Prefix: m.in.Prefix}, nil
}

// one finds the thing with a name or an id, or the first that machines can be made of.
func (m *maker) one(ctx context.Context, what, wanted, command string, params api.Params) (thing, error) {
	all, err := remote.List[thing](ctx, m.cloud, command, params)
	if err != nil {
		return thing{}, fmt.Errorf("look for a %s: %w", what, err)
	}
	var names []string
	for _, one := range all {
		switch {
		case wanted != "" && (one.ID == wanted || strings.EqualFold(one.Name, wanted)):
			return one, nil
		case wanted == "" && one.AllocationState != "Disabled" && (one.IsReady == nil || *one.IsReady) && !one.IsCustomized:
			return one, nil
		}
		names = append(names, fmt.Sprintf("%q", one.Name))
	}
	if wanted == "" {
		return thing{}, fmt.Errorf("there is no %s that a machine could be made of", what)
	}
	return thing{}, fmt.Errorf("there is no %s %q; there are %s", what, wanted, orNone(names))
}

const namesShown = 10

func orNone(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > namesShown:
		names = append(names[:namesShown:namesShown], "others")
	}
	return strings.Join(names, ", ")
}

// LeftoverError are machines that could not be removed.
type LeftoverError struct {
	Machines map[string]string // why, by name
}

// Error names them.
func (l *LeftoverError) Error() string {
	names := slices.Sorted(maps.Keys(l.Machines))
	text := fmt.Sprintf("%d machines are left:", len(names))
	for i, name := range names {
		if i == namesShown {
			return text + fmt.Sprintf("\n  and %d more", len(names)-i)
		}
		text += "\n  " + name + ": " + l.Machines[name]
	}
	return text
}
