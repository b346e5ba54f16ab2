package main

import (
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/setting"
)

// page is the name of the page of settings, in docs.
const page = "settings.md"

// settings writes the page of all settings, by group, and of those that CloudStack has besides.
func settings() []byte {
	var b strings.Builder
	b.WriteString(`<!-- Generated from the declarations in internal/setting by make generate. -->

# Settings

What operators can change while the cloud runs, with [updateConfiguration](reference/configuration.md#updateconfiguration). The server that is asked
works by a new value at once, every other one within two seconds; nothing needs a restart. Where a setting can have values of single
places, the nearest one holds: the account's, its domain's, that of the domains above, the cloud's; the cluster's or pool's, its zone's, the
cloud's.
`)
	for _, g := range setting.Groups("") {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| setting | default | effect |\n|---|---|---|\n", g.Name, g.Doc)
		for _, s := range setting.All() {
			if s.Group != g.Name {
				continue
			}
			more := ""
			if len(s.Scopes) > 0 {
				words := make([]string, len(s.Scopes))
				for i, scope := range s.Scopes {
					words[i] = string(scope)
				}
				more = " Also of a single " + strings.Join(words, ", ") + "."
			}
			if len(s.Choices) > 0 && s.Kind != "Boolean" {
				more += " One of " + strings.Join(s.Choices, ", ") + "."
			}
			value := "`" + s.Default() + "`"
			if s.Default() == "" {
				value = ""
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s%s |\n", s.Name, value, s.Doc, more)
		}
	}
	b.WriteString(`
## Without effect here

CloudStack's settings that steer nothing here: what they are about does not exist here yet or at all, or needs no setting.
updateConfiguration refuses them, so that nobody believes to have changed something.

`)
	for _, name := range setting.Foreign() {
		fmt.Fprintf(&b, "- `%s`\n", name)
	}
	return []byte(b.String())
}
