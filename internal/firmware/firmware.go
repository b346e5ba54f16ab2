// Package firmware says what starts a machine: a BIOS, or UEFI where it was asked for. A machine that wants UEFI has it among its details,
// under [Detail], which is where CloudStack and its clients keep it; an image may have the detail, too, and is what it is made for then.
package firmware

import (
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// Detail is the key of the detail that says that a machine, or the machines of an image, want UEFI. Its value is [Legacy].
const Detail = "UEFI"

// Legacy is UEFI that starts what it finds, whoever signed it: the one way there is.
const Legacy = "LEGACY"

// Asked is what a deployment says about a machine's firmware, in CloudStack's words; case does not matter.
type Asked struct {
	Type string // BIOS or UEFI; "" for what the details say, or else the image's
	Mode string // LEGACY, which "" means, too
}

// Check refuses what there is not.
func (a Asked) Check() error {
	switch {
	case a.Type == "" && a.Mode != "":
		return fault.Invalidf("bootmode %q was given without a boottype: name BIOS or UEFI", a.Mode)
	case a.Type != "" && !strings.EqualFold(a.Type, "BIOS") && !a.uefi():
		return fault.Invalidf("boottype %q is unknown; there is: BIOS, UEFI", a.Type)
	case strings.EqualFold(a.Mode, "SECURE"):
		return fault.Invalidf("bootmode SECURE is not there: machines start what they find, whoever signed it; want LEGACY")
	case a.Mode != "" && !strings.EqualFold(a.Mode, Legacy):
		return fault.Invalidf("bootmode %q is unknown; there is: LEGACY", a.Mode)
	}
	return nil
}

func (a Asked) uefi() bool { return strings.EqualFold(a.Type, "UEFI") }

// Note writes into a new machine's details what starts it, where neither they nor its image have said so.
func (a Asked) Note(details, image map[string]string) error {
	if err := Check(details); err != nil {
		return err
	}
	switch {
	case a.uefi(), a.Type == "" && Wanted(image):
		details[Detail] = Legacy
	case a.Type != "" && Wanted(details):
		return fault.Invalidf("boottype BIOS was given, and the detail %s: leave one of them out", Detail)
	}
	return nil
}

// Check refuses details that ask for a firmware which there is not.
func Check(details map[string]string) error {
	for key, value := range details {
		switch {
		case !strings.EqualFold(key, Detail):
		case key != Detail:
			return fault.Invalidf("detail %q: want it as %s", key, Detail)
		case !strings.EqualFold(value, Legacy):
			return fault.Invalidf("detail %s is %q; there is: %s", Detail, value, Legacy)
		}
	}
	return nil
}

// Wanted tells whether details ask for UEFI.
func Wanted(details map[string]string) bool { return details[Detail] != "" }
