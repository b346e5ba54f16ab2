package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// pages answers as a cloud with so many things that takes pages of so many at most; with 0 it knows no pages at all.
func pages(things, most int) api.Sender {
	return func(_ context.Context, _ string, p api.Params) (json.RawMessage, error) {
		from, size := 0, things
		if most > 0 {
			page, _ := strconv.Atoi(p["page"])
			if size, _ = strconv.Atoi(p["pagesize"]); size > most {
				return nil, &api.RemoteError{HTTPStatus: 431, Code: 431, Text: "too large"}
			}
			if size == 0 {
				page, size = 1, most
			}
			from = (page - 1) * size
		}
		var list []map[string]int
		for i := from; i < min(from+size, things); i++ {
			list = append(list, map[string]int{"n": i})
		}
		if list == nil {
			return json.RawMessage(`{}`), nil
		}
		return json.Marshal(map[string]any{"count": things, "thing": list})
	}
}

func TestListHasAllPages(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ things, most int }{{0, 500}, {3, 500}, {500, 500}, {1001, 500}, {1001, 300}, {1001, 0}} {
		t.Run(fmt.Sprint(row), func(t *testing.T) {
			t.Parallel()
			got, err := remote.List[struct{ N int }](t.Context(), remote.Cloud{Send: pages(row.things, row.most), Now: time.Now}, "listThings", nil)
			if err != nil || len(got) != row.things {
				t.Fatalf("%d things, %v", len(got), err)
			}
			for i, one := range got {
				if one.N != i {
					t.Fatalf("thing %d is %d", i, one.N)
				}
			}
		})
	}
}

func TestRunWaits(t *testing.T) {
	t.Parallel()
	looks := 0
	c := remote.Cloud{Now: time.Now, Send: func(_ context.Context, command string, p api.Params) (json.RawMessage, error) {
		switch {
		case command == "stopIt":
			return json.RawMessage(`{"jobid":17}`), nil
		case p["jobid"] != "17":
			return nil, errors.New("another job: " + p["jobid"])
		}
		if looks++; looks < 3 {
			return json.RawMessage(`{"jobstatus":0}`), nil
		}
		return json.RawMessage(`{"jobstatus":2,"jobresult":{"errorcode":530,"errortext":"no room"}}`), nil
	}}
	_, err := c.Run(t.Context(), "stopIt", nil)
	if remote.Text(err) != "no room" || looks != 3 {
		t.Errorf("after %d looks: %v", looks, err)
	}
}
