package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/secret"
)

// The key and the times are RFC 6238's, and so are the codes' last six digits.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	t.Parallel()
	key := secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"} {
		for off, want := range map[int64]bool{0: true, 30: true, -30: true, 60: false, -60: false} {
			if at+off < 0 {
				continue
			}
			step, fits := auth.CodeStep(key, secret.New(code), time.Unix(at+off, 0))
			if fits != want || fits && step != at/30 {
				t.Errorf("%s at %d%+d: %d, %v", code, at, off, step, fits)
			}
		}
	}
}

func FuzzCode(f *testing.F) {
	for _, text := range []string{"287082", " 287082", "28708２", "-00001", "", "000000\x00"} {
		f.Add(text, int64(59))
	}
	key := secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	f.Fuzz(func(t *testing.T, text string, at int64) {
		at &= 1<<40 - 1
		if _, fits := auth.CodeStep(key, secret.New(text), time.Unix(at, 0)); fits && (len(text) != 6 || strings.Trim(text, "0123456789") != "") {
			t.Errorf("%q is taken for a code", text)
		}
	})
}
