package dump

import (
	"context"
	"encoding/json"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// Command is a list command that needs no parameters.
type Command struct {
	Name    string
	ListAll bool // whether it takes listall
}

// In says what to write down.
type In struct {
	Cloud    remote.Cloud
	Endpoint string
	Client   string // the version of the program that asks
	Commands []Command
	Events   time.Duration // how far back events go
	Asking   func(command string)
}

// Document is what a cloud says of itself.
type Document struct {
	Taken        string            `json:"taken"`
	Endpoint     string            `json:"endpoint"`
	Client       string            `json:"client,omitempty"`
	Version      string            `json:"cloudstackversion,omitempty"`
	Capabilities any               `json:"capabilities,omitempty"`
	Commands     []string          `json:"commands,omitempty"` // what the caller may use
	Since        string            `json:"eventssince"`
	Lists        map[string]Listed `json:"lists"` // by command
	Missing      []Missing         `json:"missing"`
	Removed      map[string]int    `json:"removed"` // how many fields were left out, by name
}

// Listed is what a list command has answered.
type Listed struct {
	Count int   `json:"count"`
	Items []any `json:"items"`
}

// Missing is what could not be had.
type Missing struct {
	Command string `json:"command"`
	Why     string `json:"why"`
}

// timeLayout is a date as every CloudStack takes it.
const timeLayout = "2006-01-02T15:04:05-0700"

// Take asks a cloud for everything. What can't be had is named in the document; an error is one that leaves nothing to say.
func Take(ctx context.Context, in In) (*Document, error) {
	now := in.Cloud.Now().UTC()
	since := now.Add(-in.Events).Format(timeLayout)
	d := &Document{Taken: now.Format(timeLayout), Endpoint: clean(in.Endpoint), Client: in.Client, Since: since,
		Lists: map[string]Listed{}, Missing: []Missing{}, Removed: map[string]int{}}
	raw, err := in.Cloud.Send(ctx, "listCapabilities", nil)
	if err != nil {
		return nil, err
	}
	var answer struct{ Capability map[string]any }
	if err := json.Unmarshal(raw, &answer); err == nil {
		d.Version, _ = answer.Capability["cloudstackversion"].(string)
		d.Capabilities = d.strip(answer.Capability)
	}
	for _, q := range questions(in.Commands, since) {
		if in.Asking != nil {
			in.Asking(q.command)
		}
		if err := d.ask(ctx, in.Cloud, q); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// question is a list to be asked for: in the first way that the cloud takes.
type question struct {
	command string
	ways    []api.Params
}

func questions(commands []Command, since string) []question {
	out := []question{
		{"listApis", []api.Params{nil}},
		{"listEvents", []api.Params{{"listall": "true", "startdate": since}, {"listall": "true"}}},
		{"listTemplates", []api.Params{{"templatefilter": "all", "listall": "true"}, {"templatefilter": "executable", "listall": "true"}}},
		{"listIsos", []api.Params{{"isofilter": "all", "listall": "true"}, {"isofilter": "executable", "listall": "true"}}},
	}
	known := map[string]bool{"listCapabilities": true}
	for _, q := range out {
		known[q.command] = true
	}
	for _, c := range commands {
		if known[c.Name] {
			continue
		}
		params := api.Params{}
		if c.ListAll {
			params["listall"] = "true"
		}
		out = append(out, question{c.Name, []api.Params{params}})
	}
	return out
}

// ask writes one list down. Only the end of the context is an error.
func (d *Document) ask(ctx context.Context, c remote.Cloud, q question) error {
	var items []json.RawMessage
	var err error
	for _, params := range q.ways {
		if items, err = c.All(ctx, q.command, params); err == nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		d.Missing = append(d.Missing, Missing{q.command, clean(remote.Text(err))})
		return nil
	}
	listed := Listed{Count: len(items), Items: make([]any, 0, len(items))}
	for _, raw := range items {
		v, err := value(raw)
		if err != nil {
			d.Missing = append(d.Missing, Missing{q.command, "an item can't be read: " + err.Error()})
			return nil //nolint:nilerr // the document says so
		}
		if q.command == "listApis" { // its names tell enough: the rest is the same for all
			if info, ok := v.(map[string]any); ok {
				name, _ := info["name"].(string)
				d.Commands = append(d.Commands, name)
			}
			continue
		}
		listed.Items = append(listed.Items, d.strip(v))
	}
	if q.command != "listApis" {
		d.Lists[q.command] = listed
	}
	return nil
}
