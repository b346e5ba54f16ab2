package agent

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Hypervisor is what hosts with agents run machines with.
const Hypervisor = "KVM"

// Place is where a host is to be. The zero one is none: it is said later.
type Place struct {
	Zone    uid.Zone    `bun:"zone_id,nullzero"`
	Pod     uid.Pod     `bun:"pod_id,nullzero"`
	Cluster uid.Cluster `bun:"cluster_id,nullzero"`
}

// Agent is who may speak for a host.
type Agent struct {
	Host      uid.Host       `bun:"host_id,pk"`
	PublicKey string         // that it proves to have the other half of
	Token     uid.AgentToken `bun:"token_id"` // that it came with
	Name      string
	Place
	Tags     string
	Address  string // that other hosts reach it at
	Enrolled time.Time
}

// Service keeps agents and their tokens. Its methods may be called concurrently.
type Service struct {
	db    *db.DB
	box   *secret.Box
	hosts *host.Service
}

// New makes a service, which adds no hosts before [Service.Over].
func New(d *db.DB, box *secret.Box) *Service { return &Service{db: d, box: box} }

// Over gives it the hosts. Drivers of hosts with agents need to know who may speak for these first.
func (s *Service) Over(hosts *host.Service) { s.hosts = hosts }

// Known gives the host that the holder of a key speaks for. It is fault.Denied when there is none, or not any more.
func (s *Service) Known(ctx context.Context, key string) (uid.Host, error) {
	a, deleted, err := byKey(ctx, s.db.Read(), key)
	switch {
	case err != nil:
		return "", err
	case a.Host == "":
		return "", fault.Deniedf("no agent here has this key")
	case deleted:
		return "", fault.Deniedf("host %s (%s) was deleted", a.Name, a.Host)
	}
	return a.Host, nil
}

// Revoked gives those of some hosts that nobody may speak for, or not any more.
func (s *Service) Revoked(ctx context.Context, hosts []uid.Host) ([]uid.Host, error) {
	if len(hosts) == 0 {
		return nil, nil
	}
	good, err := goodOf(ctx, s.db.Read(), hosts)
	if err != nil {
		return nil, err
	}
	var out []uid.Host
	for _, h := range hosts {
		if !good[h] {
			out = append(out, h)
		}
	}
	return out, nil
}

// EnrolIn is an agent that introduces itself.
type EnrolIn struct {
	Key     string // its public key
	Name    string // of its host
	Address string // that other hosts reach it at
}

// names are what hosts may be called: they stand in URLs.
var names = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$`)

// Enrol uses a token up: from now on the holder of the key speaks for a host, whose id it gives. An agent that has missed the answer
// may ask again.
func (s *Service) Enrol(ctx context.Context, token uid.AgentToken, in EnrolIn) (uid.Host, error) {
	if !names.MatchString(in.Name) {
		return "", fault.Invalidf("a host can't be called %q: want letters, digits, dots and dashes, 63 at most", in.Name)
	}
	if in.Key == "" {
		return "", fault.Invalidf("it has no key")
	}
	a := Agent{Host: uid.New[uid.Host](), PublicKey: in.Key, Token: token, Name: in.Name, Address: in.Address}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, err := lockToken(ctx, tx, token)
		switch {
		case err != nil:
			return err
		case !t.Used.IsZero():
			a, err = s.again(ctx, tx, t, in.Key)
			return err
		case t.State(tx.Now) == Expired:
			return fault.Deniedf("the token has expired; make a new one with createAgentToken")
		}
		a.Place, a.Tags, a.Enrolled = t.Place, t.Tags, tx.Now
		if err := useToken(ctx, tx, token); err != nil {
			return err
		}
		if err := insertAgent(ctx, tx, a); db.IsUnique(err) {
			return fault.Conflictf("an agent with this key is there already; an agent that is to be another host needs a new folder")
		} else if err != nil {
			return err
		}
		_, err = event.Write(auth.With(ctx, auth.System()), tx, event.Event{
			Type: event.AgentEnrol, Description: fmt.Sprintf("agent %s came with token %s to be host %s", a.Name, token, a.Host),
			ResourceID: string(a.Host), User: t.CreatedBy,
		})
		return err
	})
	return a.Host, err
}

// again answers who comes a second time with a token that is used up.
func (s *Service) again(ctx context.Context, tx db.Tx, t Token, key string) (Agent, error) {
	a, deleted, err := byKey(ctx, tx, key)
	if err != nil {
		return a, err
	}
	if a.Token != t.ID || deleted {
		return Agent{}, fault.Deniedf("the token has been used; make a new one with createAgentToken")
	}
	return a, nil
}

// Outcome is how it stands with a host whose agent is there.
type Outcome int

// The outcomes.
const (
	There Outcome = iota // the host is one of the cloud's
	Waits                // nobody said where it is to be
)

// Ready notes that the agent of a host is there. The first time it adds the host, if it is known where. It is fault.Denied when the
// host was deleted.
func (s *Service) Ready(ctx context.Context, id uid.Host, address string, t host.Told) (Outcome, error) {
	ctx = auth.With(ctx, auth.System())
	a, deleted, err := byHost(ctx, s.db.Read(), id)
	switch {
	case err != nil:
		return There, err
	case a.Host == "" || deleted:
		return There, fault.Deniedf("host %s was deleted", id)
	}
	there, err := s.hosts.Answered(ctx, id, t)
	if err != nil {
		return There, err
	}
	if there {
		return There, s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if err := host.BeUnsure(ctx, tx, id); err != nil {
				return err
			}
			return document.Again(ctx, tx, id)
		})
	}
	if address != "" && address != a.Address {
		a.Address = address
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setAddress(ctx, tx, id, address) }); err != nil {
			return There, err
		}
	}
	if a.Cluster == "" {
		return Waits, nil
	}
	if _, err := s.hosts.Join(ctx, a.joins(host.JoinIn{Zone: a.Zone, Pod: a.Pod, Cluster: a.Cluster, Tags: []string{a.Tags}})); err != nil {
		return There, fmt.Errorf("add host %s: %w", a.Name, err)
	}
	_, err = s.hosts.Answered(ctx, id, t)
	return There, err
}

func (a Agent) joins(in host.JoinIn) host.JoinIn {
	in.ID, in.Hypervisor, in.URL, in.Address = a.Host, Hypervisor, "http://"+a.Name, a.Address
	return in
}

// AddHost adds a host as [host.Service.Join] does. One of a hypervisor whose hosts have agents must be there already: its agent came
// with a token that says no place, and waits.
func (s *Service) AddHost(ctx context.Context, in host.JoinIn) (uid.Host, error) {
	driver, err := s.hosts.Driver(in.Hypervisor)
	if err != nil || !strings.EqualFold(in.Hypervisor, Hypervisor) {
		return s.hosts.Join(ctx, in) // which has words for it
	}
	if _, told := driver.(hypervisor.Enroller); told {
		return s.hosts.Join(ctx, in)
	}
	name, err := host.NameOf(in.URL)
	if err != nil {
		return "", err
	}
	waiting, err := waitingCalled(ctx, s.db.Read(), name)
	switch {
	case err != nil:
		return "", err
	case len(waiting) == 0:
		return "", fault.Conflictf("no agent called %q waits for a place: make a token with createAgentToken, and run on the host "+
			"virga agent --server … --token …", name)
	case len(waiting) > 1:
		return "", fault.Conflictf("%d agents called %q wait for a place; delete the tokens of those that are not meant, or give the "+
			"hosts names of their own with virga agent --name", len(waiting), name)
	}
	in = waiting[0].joins(in)
	if waiting[0].Tags != "" {
		in.Tags = append(in.Tags, waiting[0].Tags)
	}
	return s.hosts.Join(ctx, in)
}
