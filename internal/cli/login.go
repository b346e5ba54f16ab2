package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// assigned reads words of the form name=value where only some names are known.
func assigned(words []string, names ...string) (map[string]string, error) {
	out := map[string]string{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		name = strings.ToLower(name)
		if !ok || !slices.Contains(names, name) {
			return nil, usagef("%q: want %s, as name=value%s", word, strings.Join(names, ", "), meant(name, names))
		}
		out[name] = value
	}
	return out, nil
}

// login signs in to a cloud and keeps a profile of it: with keys, even where it was by a name and a password, if the cloud
// hands them out.
func (r *runner) login(ctx context.Context, f flags, words []string) error {
	in, err := assigned(words, "url", "username", "password", "domain", "apikey", "secretkey", "insecure")
	if err != nil {
		return err
	}
	p := &profile{Name: cmp.Or(f.profile, r.Getenv("VIRGA_PROFILE"), "default"), APIKey: in["apikey"], SecretKey: in["secretkey"],
		Username: in["username"], Password: in["password"], Domain: in["domain"], Insecure: in["insecure"] == "true"}
	if err := r.askFor(p, in["url"]); err != nil {
		return err
	}
	r.profile, r.missing, r.cloud = p, nil, nil
	if p.APIKey == "" {
		if err := r.exchange(ctx, p); err != nil {
			return err
		}
	}
	server := r.Env.cloud(p)
	if _, err := server.send(ctx, "listCapabilities", nil); err != nil {
		return err
	}
	r.settings.Profiles[p.Name] = p
	r.settings.Profile = p.Name
	if err := r.settings.save(); err != nil {
		return err
	}
	with := "keys"
	if p.APIKey == "" {
		with = "name and password"
	}
	_, err = fmt.Fprintf(r.Stdout, "signed in to %s; the profile %q keeps its %s in %s\n", p.Endpoint, p.Name, with, r.settings.path)
	return err
}

// askFor asks for what a login was not given.
func (r *runner) askFor(p *profile, address string) (err error) {
	if address == "" {
		if address, err = r.ask("URL of the cloud (http://127.0.0.1:8080/client/api): "); err != nil {
			return err
		}
		if address == "" {
			address = "http://127.0.0.1:8080/client/api"
		}
	}
	if p.Endpoint, err = endpointOf(address); err != nil {
		return err
	}
	if (p.APIKey == "") != (p.SecretKey == "") {
		return usagef("apikey and secretkey go together")
	}
	if p.APIKey != "" {
		return nil
	}
	if p.Username == "" {
		if p.Username, err = r.ask("Name of the user: "); err != nil {
			return err
		}
	}
	if p.Password == "" {
		p.Password, err = r.askSecret("Password: ")
	}
	return err
}

func (r *runner) ask(question string) (string, error) {
	if r.StdinTerminal {
		_, _ = io.WriteString(r.Stderr, question)
	}
	text, err := r.line()
	if err != nil {
		return "", usagef("%s what is missing can't be asked for: %v", strings.TrimSpace(question), err)
	}
	return strings.TrimSpace(text), nil
}

func (r *runner) askSecret(question string) (string, error) {
	if !r.StdinTerminal || r.ReadSecret == nil {
		return r.ask(question)
	}
	_, _ = io.WriteString(r.Stderr, question)
	text, err := r.ReadSecret()
	_, _ = io.WriteString(r.Stderr, "\n")
	return text, err
}

// exchange signs in with a name and a password, and keeps the user's keys in their place where the cloud hands them out.
func (r *runner) exchange(ctx context.Context, p *profile) error {
	server := r.Env.cloud(p)
	user, err := server.login(ctx)
	if err != nil {
		return err
	}
	keys, err := server.keys(ctx, "getUserKeys", user)
	if err == nil && keys == (userKeys{}) { // a new pair would end an old one: only who has none gets one
		keys, err = server.keys(ctx, "registerUserKeys", user)
	}
	if _, refused := errors.AsType[*api.RemoteError](err); err != nil && !refused {
		return err
	}
	if keys.APIKey != "" && keys.SecretKey != "" {
		p.APIKey, p.SecretKey, p.Username, p.Password = keys.APIKey, keys.SecretKey, "", ""
	}
	_, _ = server.send(ctx, "logout", nil) // a session that is not ended ends by itself
	return nil
}

type userKeys struct{ APIKey, SecretKey string }

// keys sends a command that answers with a user's keys.
func (c *cloud) keys(ctx context.Context, command, user string) (userKeys, error) {
	var out struct{ UserKeys userKeys }
	answer, err := c.send(ctx, command, api.Params{"id": user})
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	return out.UserKeys, err
}

// profiles lists, shows and chooses profiles.
func (r *runner) profiles(f flags, words []string) error {
	verb := "list"
	if len(words) > 0 {
		verb, words = words[0], words[1:]
	}
	verbs := []string{"list", "show", "use"}
	switch {
	case verb == "use" && len(words) == 1:
		return r.set([]string{"profile", words[0]})
	case verb == "show" && len(words) <= 1:
		return r.showProfile(f, words)
	case verb == "list" && len(words) == 0:
		a := answer{noun: "profile", list: true}
		for _, name := range slices.Sorted(maps.Keys(r.settings.Profiles)) {
			inUse := r.profile != nil && r.profile.Name == name
			a.items = append(a.items, object{{"name", name}, {"url", r.settings.Profiles[name].Endpoint}, {"inuse", inUse}})
		}
		a.count = len(a.items)
		return r.showOwn(a, f)
	}
	return usagef("profile %s: want profile list, profile show [NAME] or profile use NAME%s",
		strings.Join(append([]string{verb}, words...), " "), meant(verb, verbs))
}

// showProfile shows a profile, the one in use if none is named, without its secrets.
func (r *runner) showProfile(f flags, words []string) (err error) {
	p := r.profile
	if len(words) > 0 {
		p, err = r.settings.named(words[0])
	} else {
		err = r.missing
	}
	if err != nil {
		return err
	}
	item := object{}
	for _, one := range []field{{"name", p.Name}, {"url", p.Endpoint}, {"apikey", p.APIKey}, {"username", p.Username}, {"domain", p.Domain}} {
		if one.value != "" {
			item = append(item, one)
		}
	}
	if p.Insecure {
		item = append(item, field{"insecure", true})
	}
	return r.showOwn(answer{noun: "profile", items: []object{item}, count: 1}, f)
}

// showOwn shows an answer that no server gave.
func (r *runner) showOwn(a answer, f flags) error {
	a.raw = a.filtered()
	output, err := outputOf(r.output(f))
	if err != nil {
		return err
	}
	return a.show(r.out(output), output, true, r.coloured())
}

// set keeps a choice in the configuration.
func (r *runner) set(words []string) error {
	if _, _, err := r.choice(words); err != nil {
		return err
	}
	return r.settings.save()
}

// choice reads what is set, and to what, and puts it into the configuration. The words of both CloudMonkeys are understood.
func (r *runner) choice(words []string) (name, value string, err error) {
	if len(words) == 1 {
		if name, value, ok := strings.Cut(words[0], "="); ok {
			words = []string{name, value}
		}
	}
	if len(words) != 2 {
		return "", "", usagef("want set output text|table|json|csv, or set profile NAME")
	}
	name, value = strings.ToLower(words[0]), words[1]
	switch name {
	case "display":
		name = "output"
	case "tabularize":
		name = "output"
		value = map[bool]string{true: "table", false: "text"}[strings.EqualFold(value, "true")]
	}
	switch name {
	case "output":
		value, err = outputOf(value)
		r.settings.Output = value
	case "profile":
		_, err = r.settings.named(value)
		r.settings.Profile = value
	default:
		err = usagef("there is nothing to set that is called %q%s", words[0], meant(name, []string{"output", "profile", "prompt"}))
	}
	return name, value, err
}
