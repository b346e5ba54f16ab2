package compute

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// The host gets the guest's password while it has not been shown; what is kept is sealed, and good for that machine alone.
func TestTellPassword(t *testing.T) {
	t.Parallel()
	box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{box: box}
	vm := known{VM: VM{ID: uid.New[uid.VM](), KeyPairs: "a\nb", SSHKeys: "ssh-rsa A\nssh-rsa B"}}
	m, err := s.tell(t.Context(), vm)
	if err != nil || !m.Password.IsEmpty() || len(m.SSHKeys) != 2 || m.CD != nil {
		t.Errorf("without a password: %+v, %v", m, err)
	}
	s.GivePassword(&vm.VM, NewPassword(), "")
	m, err = s.tell(t.Context(), vm)
	if err != nil || len(m.Password.Reveal()) != passwordLength {
		t.Errorf("the host gets %q, %v", m.Password.Reveal(), err)
	}
	if strings.Contains(vm.Password+fmt.Sprintf("%+v", m), m.Password.Reveal()) {
		t.Error("the password is readable where it is kept or printed")
	}
	vm.ID = uid.New[uid.VM]()
	if _, err := s.tell(t.Context(), vm); err == nil {
		t.Error("another machine's sealed password opens")
	}
}
