package agent

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Token is good for introducing one agent.
type Token struct {
	ID   uid.AgentToken `bun:",pk"`
	Hash string         `bun:"secret_hash"`
	Place
	Tags      string
	Expires   time.Time
	Used      time.Time `bun:",nullzero"`
	CreatedBy uid.User
	Created   time.Time
}

// State says what a token is good for.
type State string

// The states.
const (
	Valid   State = "Valid"
	Used    State = "Used"
	Expired State = "Expired"
)

// State is the token's at a time.
func (t Token) State(now time.Time) State {
	switch {
	case !t.Used.IsZero():
		return Used
	case !now.Before(t.Expires):
		return Expired
	}
	return Valid
}

// How long a token is good for, where it is not said, and at most.
const (
	validity    = time.Hour
	maxValidity = 7 * 24 * time.Hour
)

// InviteIn says what a token is for.
type InviteIn struct {
	Place           // the zone and the pod may be left to the cluster
	Tags   []string // of the host
	Lasts  time.Duration
	Lasted bool // Lasts was said
}

// Invite makes a token and gives its secret, which is not kept.
func (s *Service) Invite(ctx context.Context, in InviteIn) (Token, secret.String, error) {
	if !in.Lasted {
		in.Lasts = validity
	}
	if in.Lasts < time.Second || in.Lasts > maxValidity {
		return Token{}, secret.String{}, fault.Invalidf("validity is %d seconds; want 1 to %d", int64(in.Lasts/time.Second),
			int64(maxValidity/time.Second))
	}
	text := rand.Text()
	t := Token{ID: uid.New[uid.AgentToken](), Hash: hashed(text), Place: in.Place, Tags: host.Tags(in.Tags), CreatedBy: auth.From(ctx).User}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if t.Place, err = placed(ctx, tx, in.Place); err != nil {
			return err
		}
		t.Created, t.Expires = tx.Now, tx.Now.Add(in.Lasts)
		if err := insertToken(ctx, tx, t); err != nil {
			return err
		}
		if err := announce(ctx, tx, event.AgentTokenCreate, "made", t.ID); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(t.ID), "")
	})
	return t, secret.New(text), err
}

// placed completes a place, if it is one where hosts with agents can be.
func placed(ctx context.Context, tx db.Tx, p Place) (Place, error) {
	if p.Zone != "" {
		if _, err := zone.Find(ctx, tx, p.Zone); err != nil {
			return p, err
		}
	}
	if p.Pod != "" {
		if _, err := zone.FindPod(ctx, tx, p.Pod); err != nil {
			return p, err
		}
	}
	if p.Cluster == "" {
		if p.Zone != "" || p.Pod != "" {
			return p, fault.Invalidf("say in which cluster, with clusterid, or leave zoneid and podid out, too: addHost says it then")
		}
		return p, nil
	}
	c, err := zone.FindCluster(ctx, tx, p.Cluster)
	switch {
	case err != nil:
		return p, err
	case p.Pod != "" && p.Pod != c.Pod:
		return p, fault.Invalidf("cluster %q is not in the pod with id %s", c.Name, p.Pod)
	case p.Zone != "" && p.Zone != c.Zone:
		return p, fault.Invalidf("cluster %q is not in the zone with id %s", c.Name, p.Zone)
	case c.Hypervisor != Hypervisor:
		return p, fault.Conflictf("cluster %q is for %s hosts; those with agents are %s", c.Name, c.Hypervisor, Hypervisor)
	}
	return Place{Zone: c.Zone, Pod: c.Pod, Cluster: c.ID}, nil
}

// Invited tells whether a token is one, so that who has it may introduce itself. It is fault.Denied when not. That it is used up is
// said by [Service.Enrol], which knows by whom.
func (s *Service) Invited(ctx context.Context, id uid.AgentToken, text string) error {
	t, err := findToken(ctx, s.db.Read(), id)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hashed(text))) != 1 {
		return fault.Deniedf("token %s is none of ours, or its secret is another", id)
	}
	if !s.db.Now().Before(t.Expires) {
		return fault.Deniedf("token %s has expired", id)
	}
	return nil
}

// hashed is what is kept of a secret that nobody has chosen, and so nobody guesses.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Filter says which tokens a list shows. Zero fields don't restrict.
type Filter struct {
	ID      uid.AgentToken
	Zone    uid.Zone
	Cluster uid.Cluster
	State   State
	Keyword string // in the tags
	Offset  int
	Limit   int // 0 or less: all
}

// DeleteToken makes a token useless. An agent that has come with it and has no place yet is turned away.
func (s *Service) DeleteToken(ctx context.Context, id uid.AgentToken) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := lockToken(ctx, tx, id); err != nil {
			return err
		}
		if err := dropWaiting(ctx, tx, id); err != nil {
			return err
		}
		if err := dropToken(ctx, tx, id); err != nil {
			return err
		}
		return announce(ctx, tx, event.AgentTokenDelete, "deleted", id)
	})
}

// tokensKept is how long one is shown that is good for nothing any more.
const tokensKept = 24 * time.Hour

// Sweep removes tokens that expired a while ago. It is a keeper's work.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return dropTokens(ctx, tx, tx.Now.Add(-tokensKept)) })
}

func announce(ctx context.Context, tx db.Tx, kind event.Kind, did string, id uid.AgentToken) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s token %s for an agent", did, id), ResourceID: string(id),
	})
	return err
}

// Seconds is that many, or the nearest that can be said.
func Seconds(n int64) time.Duration {
	const most = 1 << 32
	return time.Duration(min(max(n, -1), most)) * time.Second
}
