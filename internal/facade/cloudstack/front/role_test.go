package front

import (
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
)

func TestRolesOfCallers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller auth.Caller
		want   api.Role
	}{
		{auth.Caller{}, api.NoOne},
		{auth.Caller{Type: auth.RootAdmin}, api.NoOne}, // nobody with a type is nobody
		{auth.Caller{User: "u", Type: auth.User}, api.User},
		{auth.Caller{User: "u", Type: 4}, api.NoOne},
		{auth.Caller{User: "u", Type: auth.Project}, api.NoOne},
		{auth.Caller{User: "u", Type: auth.RootAdmin}, api.RootAdmin},
	} {
		if got := RoleOf(c.caller); got != c.want {
			t.Errorf("%+v: %v", c.caller, got)
		}
	}
}

// What a command is called decides whether a session's cookies are enough for it, so each must begin with a word that is
// known to mean the one or the other.
func TestCommandsSayWhetherTheyChangeSomething(t *testing.T) {
	t.Parallel()
	words := []string{
		"activate", "add", "assign", "associate", "attach", "authorize", "cancel", "change", "configure", "create", "delete", "deploy", "destroy",
		"detach", "disable", "disassociate", "enable", "expunge", "extract", "find", "get", "import", "ldap", "link", "list", "lock", "mark", "migrate", "move", "prepare", "query", "reboot",
		"reconnect", "recover", "register", "remove", "reset", "resize", "restart", "revert", "revoke", "search", "setup", "start", "stop", "suspend", "unlink", "update", "upload",
		"validate",
	}
	for _, command := range cs.All {
		d := command.Describe()
		if !d.Session && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(d.Name, w) }) {
			t.Errorf("%s: does it change anything? Add its first word here, and to changes() if it doesn't", d.Name)
		}
		if d.Event != "" && !d.Session && !changes(d) {
			t.Errorf("%s leaves an event and is said to change nothing", d.Name)
		}
	}
}
