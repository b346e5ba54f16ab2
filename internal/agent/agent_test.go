package agent_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/uid"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v", what, err)
	}
}

// A token is good for one agent, for so long, and for who has its secret.
func TestTokens(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(t.Context(), auth.System())
		token, secret, err := c.Agents.Invite(ctx, agent.InviteIn{Tags: []string{"fast"}})
		must(t, err)
		other, _, err := c.Agents.Invite(ctx, agent.InviteIn{Lasts: time.Minute, Lasted: true})
		must(t, err)
		for _, lasts := range []time.Duration{0, -time.Second, 8 * 24 * time.Hour} {
			_, _, err := c.Agents.Invite(ctx, agent.InviteIn{Lasts: lasts, Lasted: true})
			is(t, lasts.String(), err, fault.Invalid)
		}
		must(t, c.Agents.Invited(ctx, token.ID, secret.Reveal()))
		is(t, "another token's secret", c.Agents.Invited(ctx, other.ID, secret.Reveal()), fault.Denied)
		is(t, "no secret", c.Agents.Invited(ctx, token.ID, ""), fault.Denied)
		is(t, "no token", c.Agents.Invited(ctx, uid.New[uid.AgentToken](), ""), fault.Denied)

		c.Clock.Forward(2 * time.Minute)
		_, err = c.Agents.Enrol(ctx, other.ID, agent.EnrolIn{Key: "U0", Name: "late"})
		is(t, "a token that has expired", err, fault.Denied)
		_, err = c.Agents.Enrol(ctx, token.ID, agent.EnrolIn{Key: "U0", Name: "not/a name"})
		is(t, "a bad name", err, fault.Invalid)

		// Two at once: one is in.
		var in, out atomic.Int32
		var both sync.WaitGroup
		for _, key := range []string{"U1", "U2"} {
			both.Go(func() {
				if _, err := c.Agents.Enrol(ctx, token.ID, agent.EnrolIn{Key: key, Name: "h-" + key}); err == nil {
					in.Add(1)
				} else if fault.Is(err, fault.Denied) {
					out.Add(1)
				} else {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if in.Load() != 1 || out.Load() != 1 {
			t.Errorf("%d are in, %d are not", in.Load(), out.Load())
		}
		winner := "U1"
		id, err := c.Agents.Known(ctx, winner)
		if err != nil {
			winner = "U2"
			id, err = c.Agents.Known(ctx, winner)
		}
		must(t, err)
		again, err := c.Agents.Enrol(ctx, token.ID, agent.EnrolIn{Key: winner, Name: "h"}) // its answer was lost
		if err != nil || again != id {
			t.Errorf("again it is %s, %v; was %s", again, err, id)
		}
		is(t, "an unknown key", second(c.Agents.Known(ctx, "U9")), fault.Denied)

		tokens, _, err := c.Agents.Tokens(ctx, agent.Filter{State: agent.Used})
		must(t, err)
		who, err := agent.AgentsWith(ctx, c.DB.Read(), []uid.AgentToken{token.ID})
		if err != nil || len(tokens) != 1 || tokens[0].ID != token.ID || tokens[0].Tags != "fast" || who[token.ID].Host != id {
			t.Errorf("used: %+v, by %+v, %v", tokens, who, err)
		}
		// Nobody said where it is to be. Without its token it is turned away.
		outcome, err := c.Agents.Ready(ctx, id, "", host.Told{})
		if err != nil || outcome != agent.Waits {
			t.Errorf("without a place it is %v, %v", outcome, err)
		}
		must(t, c.Agents.DeleteToken(ctx, token.ID))
		is(t, "after its token was deleted", second(c.Agents.Known(ctx, winner)), fault.Denied)
		is(t, "a token that is not there", c.Agents.DeleteToken(ctx, token.ID), fault.NotFound)
		c.Clock.Forward(25 * time.Hour)
		must(t, c.Agents.Sweep(ctx))
		if left, _, err := c.Agents.Tokens(ctx, agent.Filter{}); err != nil || len(left) != 0 {
			t.Errorf("a day later there is %v, %v", left, err)
		}
	})
}

func second[A any](_ A, err error) error { return err }

// All servers of a cloud have the same authority, however many make it at once.
func TestAuthority(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 1}, func(t *testing.T, c *cloudtest.Cloud) {
		var all sync.WaitGroup
		var seen sync.Map
		for range 4 {
			all.Go(func() {
				a, err := c.Agents.Authority(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				seen.Store(a.PEM(), true)
				if _, err := a.Server("agents.example"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		seen.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("there are %d authorities", n)
		}
	})
}
