package secret_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/secret"
)

// A program that crashes with a secret in its hands tells it neither in what it panics with nor in the stacks of its goroutines.
func TestACrashTellsNoSecret(t *testing.T) {
	t.Parallel()
	if how := os.Getenv("VIRGA_TEST_CRASH"); how != "" {
		crash(how, secret.New(strings.ToLower("C4N4RY-OF-A-CRASH"))) // not in one piece in the program
	}
	for _, how := range []string{"value", "struct", "pointer", "error", "wrapped", "assertion"} {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestACrashTellsNoSecret$")
		c.Env = append(os.Environ(), "VIRGA_TEST_CRASH="+how, "GOTRACEBACK=system")
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "goroutine ") {
			t.Errorf("%s: it does not crash: %v\n%s", how, err, out)
		}
		if strings.Contains(strings.ToLower(string(out)), "c4n4ry-of-a-crash") {
			t.Errorf("%s: the crash tells the secret:\n%s", how, out)
		}
	}
}

type holder struct{ s secret.String }

func crash(how string, s secret.String) {
	switch how {
	case "value":
		panic(s)
	case "struct":
		panic(holder{s})
	case "pointer":
		panic(&holder{s})
	case "error":
		panic(fmt.Errorf("no use for %v", s))
	case "wrapped":
		panic(fmt.Errorf("%w of %+v", errors.New("a failure"), holder{s}))
	}
	var held any = holder{s}
	_ = held.(fmt.Stringer) // it is none, and the panic says what it is
}
