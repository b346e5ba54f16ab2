package datacenter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Text is a text that may be written as a number or a truth value, too: a VLAN, the value of a setting.
type Text string

// UnmarshalYAML takes any single value as it is written.
func (t *Text) UnmarshalYAML(raw []byte) error {
	text := strings.TrimSpace(string(raw))
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || strings.Contains(text, "\n") {
		return fmt.Errorf("want a text or a number, got %s", text)
	}
	var s string
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		if err := yaml.Unmarshal(raw, &s); err != nil {
			return err
		}
		text = s
	}
	*t = Text(text)
	return nil
}

// Flag is true or false, "" where the file says neither: what is not said is not looked at.
type Flag string

// UnmarshalYAML takes a truth value, as a text, too: Marvin's files have "True".
func (f *Flag) UnmarshalYAML(raw []byte) error {
	var t Text
	if err := t.UnmarshalYAML(raw); err != nil {
		return err
	}
	b, err := strconv.ParseBool(strings.ToLower(string(t)))
	if err != nil {
		return fmt.Errorf("want true or false, got %s", t)
	}
	*f = Flag(strconv.FormatBool(b))
	return nil
}

// List is a list of words, written as one or with commas.
type List []string

// UnmarshalYAML takes a list, or a text with commas.
func (l *List) UnmarshalYAML(raw []byte) error {
	var many []string
	if yaml.Unmarshal(raw, &many) == nil {
		*l = many
		return nil
	}
	var one string
	if err := yaml.Unmarshal(raw, &one); err != nil {
		return fmt.Errorf("want a list of words, or words with commas between them: %w", err)
	}
	*l = nil
	for word := range strings.SplitSeq(one, ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// UnmarshalYAML takes a provider by its name alone, too.
func (p *Provider) UnmarshalYAML(raw []byte) error {
	type plain Provider
	if yaml.UnmarshalWithOptions(raw, (*plain)(p), yaml.Strict()) == nil {
		return nil
	}
	return yaml.Unmarshal(raw, &p.Name)
}

// Read reads a data centre from YAML, or from JSON as Marvin, CloudStack's test driver, writes it. Unknown keys are refused: a
// misspelt one would be missed in silence.
func Read(r io.Reader) (*File, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var f *File
	if json, ok := asJSON(text); ok {
		f, err = readMarvin(json)
	} else {
		f, err = decode(text)
	}
	if err != nil {
		return nil, err
	}
	return f, f.check()
}

func decode(text []byte) (*File, error) {
	f := &File{}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := d.Decode(f); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, err
	}
	if err := d.Decode(&File{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one document; want one")
	}
	return f, nil
}

// asJSON gives the text without the comment lines that Marvin's files begin with, if it is JSON.
func asJSON(text []byte) ([]byte, bool) {
	var out []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			out = append(out, line...)
		}
	}
	out = bytes.TrimSpace(out)
	return out, bytes.HasPrefix(out, []byte("{"))
}

// check finds what is wrong in the file itself, before anything is changed: every mistake in one go.
func (f *File) check() error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	names := func(where, kind string, list []string) {
		seen := map[string]bool{}
		for i, n := range list {
			switch {
			case n == "":
				say("%s: %s %d has no name", where, kind, i+1)
			case seen[n]:
				say("%s: there are two %ss called %q", where, kind, n)
			}
			seen[n] = true
		}
	}
	names("the file", "zone", each(f.Zones, func(z Zone) string { return z.Name }))
	names("the file", "service offering", each(f.ServiceOfferings, func(o ServiceOffering) string { return o.Name }))
	names("the file", "disk offering", each(f.DiskOfferings, func(o DiskOffering) string { return o.Name }))
	for _, z := range f.Zones {
		at := fmt.Sprintf("zone %q", z.Name)
		if !strings.EqualFold(z.NetworkType, "Advanced") && !strings.EqualFold(z.NetworkType, "Basic") {
			say("%s: networktype %q; want Advanced or Basic", at, z.NetworkType)
		}
		names(at, "physical network", each(z.PhysicalNetworks, func(p PhysicalNetwork) string { return p.Name }))
		names(at, "pod", each(z.Pods, func(p Pod) string { return p.Name }))
		names(at, "primary storage", each(z.PrimaryStorages, func(p PrimaryStorage) string { return p.Name }))
		for _, p := range z.Pods {
			at := fmt.Sprintf("%s, pod %q", at, p.Name)
			names(at, "cluster", each(p.Clusters, func(c Cluster) string { return c.Name }))
			for _, c := range p.Clusters {
				at := fmt.Sprintf("%s, cluster %q", at, c.Name)
				if c.Hypervisor == "" {
					say("%s has no hypervisor; want Simulator or KVM", at)
				}
				names(at, "primary storage", each(c.PrimaryStorages, func(p PrimaryStorage) string { return p.Name }))
				names(at, "host (url)", each(c.Hosts, func(h Host) string { return h.URL }))
			}
		}
	}
	return errors.Join(wrong...)
}

func each[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
