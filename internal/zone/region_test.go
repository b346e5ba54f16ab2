package zone

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
)

func TestRegions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := auth.With(context.Background(), auth.System()), New(d, nil)
		good := Region{ID: 2, Name: "west", Endpoint: "https://west.example.org:8443/client/"}
		for what, bad := range map[string]Region{
			"number":    {0, "x", good.Endpoint},
			"negative":  {-1, "x", good.Endpoint},
			"name":      {3, " ", good.Endpoint},
			"no URL":    {3, "x", "west"},
			"no host":   {3, "x", "https:///client"},
			"a port":    {3, "x", "https://:80/client"},
			"scheme":    {3, "x", "javascript:alert(1)"},
			"file":      {3, "x", "file:///etc/passwd"},
			"password":  {3, "x", "https://u:p@west.example.org/"},
			"query":     {3, "x", "https://west.example.org/?a"},
			"empty one": {3, "x", "https://west.example.org/?"},
			"fragment":  {3, "x", "https://west.example.org/#a"},
			"long":      {3, "x", "https://west.example.org/" + strings.Repeat("a", 255)},
			"escape":    {3, "x", "https://west.example.org/%zz"},
		} {
			if err := s.AddRegion(ctx, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		var added atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				switch err := s.AddRegion(ctx, good); {
				case err == nil:
					added.Add(1)
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if added.Load() != 1 {
			t.Errorf("added %d times", added.Load())
		}
		if err := s.AddRegion(ctx, Region{3, "west", good.Endpoint}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second west: %v", err)
		}
		if err := s.AddRegion(ctx, Region{Own, "other", good.Endpoint}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second first one: %v", err)
		}
		if _, err := s.UpdateRegion(ctx, 2, new("Local"), nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("the name of another: %v", err)
		}
		if _, err := s.UpdateRegion(ctx, 2, nil, new("ftp://x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("a bad endpoint: %v", err)
		}
		if r, err := s.UpdateRegion(ctx, Own, new("east"), nil); err != nil || r.Name != "east" || r.Endpoint == "" {
			t.Errorf("rename this cloud: %+v, %v", r, err)
		}
		if got, n, err := s.Regions(ctx, RegionFilter{Keyword: "st", Limit: 1, Offset: 1}); err != nil || n != 2 || len(got) != 1 || got[0] != good {
			t.Errorf("listed %+v of %d, %v", got, n, err)
		}
		if err := s.RemoveRegion(ctx, Own); !fault.Is(err, fault.Conflict) {
			t.Errorf("remove this cloud: %v", err)
		}
		if err := s.RemoveRegion(ctx, 2); err != nil {
			t.Error(err)
		}
		for what, err := range map[string]error{"remove": s.RemoveRegion(ctx, 2), "update": second(s.UpdateRegion(ctx, 2, new("x"), nil))} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s what is gone: %v", what, err)
			}
		}
		for kind, want := range map[event.Kind]int{event.RegionCreate: 1, event.RegionEdit: 1, event.RegionDelete: 1} {
			if _, n, err := event.List(ctx, d.Read(), event.Filter{Scope: auth.Scope{All: true}, Type: kind}); err != nil || n != want {
				t.Errorf("%d events %s, %v", n, kind, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
