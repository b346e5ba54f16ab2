package physnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Provider is a provider of network services on a physical network.
type Provider struct {
	ID          uid.NetworkProvider `bun:",pk"`
	Physical    uid.PhysicalNetwork `bun:"physical_network_id"`
	Destination uid.PhysicalNetwork `bun:"destination_id,nullzero"` // where its traffic goes, for providers that bridge
	Name        string
	State       Switch
	Services    []string `bun:"services,type:text"`
	Created     time.Time
}

// Element is what a provider that is made of virtual routers consists of: it is enabled before the provider is.
type Element struct {
	ID       uid.RouterElement   `bun:",pk"`
	Provider uid.NetworkProvider `bun:"provider_id"`
	Account  uid.Account         `bun:"account_id"`
	Domain   uid.Domain          `bun:"domain_id"`
	Enabled  bool
	Created  time.Time
}

// addDefaultProviders gives a new physical network the providers that every one has, switched off.
func addDefaultProviders(ctx context.Context, tx db.Tx, j *networkJob) error {
	p, err := find(ctx, tx, j.Physical, forUpdate)
	if err != nil {
		return err
	}
	z, err := zone.Find(ctx, tx, p.Zone)
	if err != nil {
		return err
	}
	names := []string{provider.VirtualRouter, provider.SecurityGroupProvider, provider.ConfigDrive}
	if z.NetworkType == zone.Advanced {
		names = append(names, provider.VPCVirtualRouter, provider.InternalLB)
	}
	for _, name := range names {
		kind, err := provider.Named(name)
		if err != nil {
			return err
		}
		row := Provider{
			ID: uid.New[uid.NetworkProvider](), Physical: p.ID, Name: name, State: Disabled, Services: kind.Names(), Created: tx.Now,
		}
		if err := insertProvider(ctx, tx, row); err != nil {
			return err
		}
		if err := addElement(ctx, tx, kind, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// addElement gives a provider its element, if it is of a kind that has one.
func addElement(ctx context.Context, tx db.Tx, kind provider.Kind, of uid.NetworkProvider) error {
	if !kind.Router {
		return nil
	}
	system := auth.System()
	return insertElement(ctx, tx, Element{
		ID: uid.New[uid.RouterElement](), Provider: of, Account: system.Account, Domain: system.Domain, Created: tx.Now,
	})
}

// AddProviderIn says what provider to add to a physical network.
type AddProviderIn struct {
	Physical, Destination uid.PhysicalNetwork
	Name                  string
	Services              []string // none: all that it has
}

// providerJob is the state of adding a provider.
type providerJob struct {
	Provider uid.NetworkProvider `json:"provider"`

	in *AddProviderIn // for Accept only
}

// AddProvider begins to add a provider, which is Disabled, to a physical network, and gives its id and that of the job.
func (s *Service) AddProvider(ctx context.Context, in AddProviderIn) (uid.NetworkProvider, op.ID, error) {
	id := uid.New[uid.NetworkProvider]()
	q := request(ctx, in.Physical, "addNetworkServiceProvider", "PhysicalNetworkServiceProvider", string(id))
	job, _, err := s.addProvider.Start(ctx, q, providerJob{Provider: id, in: &in})
	return id, job, err
}

func (s *Service) addProviderPlan() *op.Plan[providerJob] {
	return op.New[providerJob]("networkprovider.add").
		Accept(beginProvider, func(ctx context.Context, tx db.Tx, j *providerJob) error { return dropProvider(ctx, tx, j.Provider) }).
		Tx("element", func(ctx context.Context, tx db.Tx, j *providerJob) error {
			p, err := findProvider(ctx, tx, j.Provider)
			if err != nil {
				return err
			}
			kind, err := provider.Named(p.Name)
			if err != nil {
				return err
			}
			return addElement(ctx, tx, kind, p.ID)
		}, nil)
}

func beginProvider(ctx context.Context, tx db.Tx, q *op.Request, j *providerJob) error {
	p, err := find(ctx, tx, j.in.Physical, forUpdate)
	if err != nil {
		return err
	}
	if j.in.Destination != "" {
		if _, err := find(ctx, tx, j.in.Destination, forReading); err != nil {
			return err
		}
	}
	kind, err := provider.Named(j.in.Name)
	if err != nil {
		return err
	}
	services, err := kind.Some(j.in.Services)
	if err != nil {
		return err
	}
	err = insertProvider(ctx, tx, Provider{
		ID: j.Provider, Physical: p.ID, Destination: j.in.Destination, Name: kind.Name, State: Disabled, Services: services, Created: tx.Now,
	})
	if db.IsUnique(err) {
		return fault.Conflictf("physical network %q has provider %s already", p.Name, kind.Name)
	}
	if err != nil {
		return err
	}
	return scheduled(ctx, tx, q, event.ServiceProviderCreate, fmt.Sprintf("adding provider %s to physical network %s", kind.Name, p.Name))
}

// providerChange is the state of changing a provider.
type providerChange struct {
	Provider uid.NetworkProvider `json:"provider"`
	State    string              `json:"state,omitempty"`
	Services []string            `json:"services,omitempty"`
}

// ChangeProvider begins to switch a provider on or off, or to change which services it has; "" and none leave that as it is.
func (s *Service) ChangeProvider(ctx context.Context, id uid.NetworkProvider, state string, services []string) (op.ID, error) {
	p, err := findProvider(ctx, s.db.Read(), id)
	if err != nil {
		return "", err
	}
	q := request(ctx, p.Physical, "updateNetworkServiceProvider", "PhysicalNetworkServiceProvider", string(id))
	job, _, err := s.changeProvider.Start(ctx, q, providerChange{Provider: id, State: state, Services: services})
	return job, err
}

func (s *Service) changeProviderPlan() *op.Plan[providerChange] {
	return op.New[providerChange]("networkprovider.update").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, c *providerChange) error {
			p, err := c.changed(ctx, tx)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.ServiceProviderUpdate, "updating provider "+p.Name)
		}, nil).
		Tx("change", func(ctx context.Context, tx db.Tx, c *providerChange) error {
			p, err := c.changed(ctx, tx)
			if err != nil {
				return err
			}
			return updateProvider(ctx, tx, p)
		}, nil)
}

// changed gives the provider, locked, as it is to be, if it may be so.
func (c *providerChange) changed(ctx context.Context, tx db.Tx) (Provider, error) {
	p, err := findProvider(ctx, tx, c.Provider)
	if err != nil {
		return p, err
	}
	kind, err := provider.Named(p.Name)
	if err != nil {
		return p, err
	}
	if len(c.Services) > 0 {
		if p.Services, err = kind.Some(c.Services); err != nil {
			return p, err
		}
	}
	switch {
	case c.State == "":
	case strings.EqualFold(c.State, string(Disabled)):
		p.State = Disabled
	case strings.EqualFold(c.State, string(Enabled)):
		p.State = Enabled
		return p, mayEnable(ctx, tx, kind, p)
	default:
		return p, fault.Invalidf("state %q is none that a provider can be given: want Enabled or Disabled", c.State)
	}
	return p, nil
}

// mayEnable refuses to switch a provider on that could do nothing.
func mayEnable(ctx context.Context, tx db.Tx, kind provider.Kind, p Provider) error {
	if kind.Device != "" {
		return fault.Conflictf("provider %s can't be enabled: it is made of %s, and this cloud has none", p.Name, kind.Device)
	}
	if !kind.Router {
		return nil
	}
	enabled, err := elementEnabled(ctx, tx, p.ID)
	if err == nil && !enabled {
		err = fault.Conflictf("provider %s can't be enabled before its virtual router element is: see configureVirtualRouterElement", p.Name)
	}
	return err
}

// elementJob is the state of configuring a virtual router element.
type elementJob struct {
	Element uid.RouterElement `json:"element"`
	Enabled bool              `json:"enabled"`
}

// ConfigureElement begins to switch a virtual router element on or off. Off it goes only when its provider is.
func (s *Service) ConfigureElement(ctx context.Context, id uid.RouterElement, enabled bool) (op.ID, error) {
	p, err := providerOf(ctx, s.db.Read(), id)
	if err != nil {
		return "", err
	}
	q := request(ctx, p.Physical, "configureVirtualRouterElement", "VirtualRouterElement", string(id))
	job, _, err := s.configureElement.Start(ctx, q, elementJob{Element: id, Enabled: enabled})
	return job, err
}

func (s *Service) configureElementPlan() *op.Plan[elementJob] {
	return op.New[elementJob]("routerelement.configure").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *elementJob) error {
			p, err := j.check(ctx, tx)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.NetworkElementConfigure, "configuring the virtual router element of provider "+p.Name)
		}, nil).
		Tx("configure", func(ctx context.Context, tx db.Tx, j *elementJob) error {
			if _, err := j.check(ctx, tx); err != nil {
				return err
			}
			return setElement(ctx, tx, j.Element, j.Enabled)
		}, nil)
}

func (j *elementJob) check(ctx context.Context, tx db.Tx) (Provider, error) {
	p, err := providerOf(ctx, tx, j.Element)
	if err == nil && !j.Enabled && p.State == Enabled {
		err = fault.Conflictf("the element can't be disabled while its provider %s is enabled; disable that first", p.Name)
	}
	return p, err
}

// Offers refuses an offering that needs a provider, or a service of one, that isn't enabled on a physical network.
func (p Network) Offers(ctx context.Context, tx db.Tx, wanted map[string][]string) error {
	have, err := providersOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	for _, k := range provider.Catalogue() { // in one order, so that the same error comes each time
		services := wanted[k.Name]
		if len(services) == 0 {
			continue
		}
		i := slices.IndexFunc(have, func(h Provider) bool { return h.Name == k.Name })
		if i < 0 || have[i].State != Enabled {
			return fault.Conflictf("the network offering needs provider %s, which is not enabled on physical network %q", k.Name, p.Name)
		}
		for _, service := range services {
			if !slices.Contains(have[i].Services, service) {
				return fault.Conflictf("the network offering needs service %s of provider %s, which is switched off on physical network %q",
					service, k.Name, p.Name)
			}
		}
	}
	return nil
}
