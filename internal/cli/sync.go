package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// index is the first line of the file that keeps what commands a cloud has; a line for each command follows. Only those that
// are used are ever read.
type index struct {
	Format   int         `json:"format"`
	Endpoint string      `json:"url"`
	Commands []indexLine `json:"commands"`
}

type indexLine struct {
	Name string `json:"name"`
	At   int    `json:"at"` // counted from the end of the index
	Size int    `json:"size"`
}

// indexFormat changes with what the file has in it.
const indexFormat = 1

// sync asks the cloud which commands it has, and keeps them.
func (r *runner) sync(ctx context.Context, words []string) error {
	if len(words) > 0 {
		return usagef("sync takes nothing, but %q was given", words[0])
	}
	n, err := r.fetch(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%d commands discovered and kept\n", n)
	return err
}

func (r *runner) fetch(ctx context.Context) (n int, err error) {
	server, err := r.connect()
	if err != nil {
		return 0, err
	}
	raw, err := server.send(ctx, "listApis", api.Params{})
	if err != nil {
		return 0, err
	}
	var answer struct{ API []api.CommandInfo }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return 0, fmt.Errorf("read what listApis says: %w", err)
	}
	if len(answer.API) == 0 {
		return 0, usagef("%s says that it has no commands: nothing was kept", r.profile.Endpoint)
	}
	slices.SortFunc(answer.API, func(a, b api.CommandInfo) int { return strings.Compare(a.Name, b.Name) })
	head := index{Format: indexFormat, Endpoint: r.profile.Endpoint}
	var bodies bytes.Buffer
	for _, c := range answer.API {
		text, err := line(c)
		if err != nil {
			return 0, err
		}
		head.Commands = append(head.Commands, indexLine{c.Name, bodies.Len(), len(text)})
		bodies.Write(text)
	}
	first, err := line(head)
	if err != nil {
		return 0, err
	}
	return len(answer.API), WriteFile(r.cached(r.profile), append(first, bodies.Bytes()...))
}

// synced is the catalogue that sync has kept for a profile, nil where there is none, or one of another format.
func (r *runner) synced(p *profile) *catalogue {
	text, err := os.ReadFile(r.cached(p))
	if err != nil {
		return nil
	}
	first, bodies, _ := bytes.Cut(text, []byte("\n"))
	var head index
	if json.Unmarshal(first, &head) != nil || head.Format != indexFormat || head.Endpoint != p.Endpoint {
		return nil
	}
	names := make([]string, 0, len(head.Commands))
	where := make(map[string]indexLine, len(head.Commands))
	for _, c := range head.Commands {
		names = append(names, c.Name)
		where[c.Name] = c
	}
	return newCatalogue(names, func(name string) (*command, error) {
		at := where[name]
		if at.At < 0 || at.Size < 0 || at.At+at.Size > len(bodies) {
			return nil, fmt.Errorf("what was kept about %s is damaged: run 'virga sync' again", name)
		}
		var info api.CommandInfo
		if err := json.Unmarshal(bodies[at.At:at.At+at.Size], &info); err != nil {
			return nil, fmt.Errorf("what was kept about %s is damaged: run 'virga sync' again (%w)", name, err)
		}
		return discovered(info), nil
	})
}

// oneLine is a text of another cloud's as it can be shown.
func oneLine(text string) string { return clean(strings.Join(strings.Fields(text), " ")) }

// discovered is a command as listApis tells of it.
func discovered(info api.CommandInfo) *command {
	c := &command{entry: entryOf(info.Name), Doc: oneLine(info.Description), Since: oneLine(info.Since), Async: info.Async}
	for _, p := range info.Params {
		if !word(p.Name) {
			continue
		}
		one := param{Name: p.Name, Doc: oneLine(p.Description), Since: oneLine(p.Since), Type: oneLine(p.Type), Required: p.Required}
		if p.Related != "" {
			one.Related = strings.Split(p.Related, ",")
		}
		c.Params = append(c.Params, one)
	}
	for _, f := range info.Response {
		if word(f.Name) {
			c.Fields = append(c.Fields, f.Name)
		}
	}
	return c
}
