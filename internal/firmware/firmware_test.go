package firmware_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/firmware"
)

func TestAsked(t *testing.T) {
	t.Parallel()
	none, uefi := map[string]string{"keyboard": "de"}, map[string]string{"UEFI": "LEGACY"}
	for _, one := range []struct {
		asked          firmware.Asked
		details, image map[string]string
		want           bool
		refused        string // a part of why
	}{
		{firmware.Asked{}, none, nil, false, ""},
		{firmware.Asked{}, none, uefi, true, ""},
		{firmware.Asked{}, uefi, nil, true, ""},
		{firmware.Asked{Type: "UEFI"}, none, nil, true, ""},
		{firmware.Asked{Type: "uefi", Mode: "legacy"}, none, none, true, ""},
		{firmware.Asked{Type: "UEFI"}, uefi, uefi, true, ""},
		{firmware.Asked{Type: "BIOS", Mode: "LEGACY"}, none, uefi, false, ""},
		{firmware.Asked{Type: "BIOS"}, uefi, nil, false, "leave one of them out"},
		{firmware.Asked{Type: "Coreboot"}, none, nil, false, "BIOS, UEFI"},
		{firmware.Asked{Mode: "LEGACY"}, none, nil, false, "without a boottype"},
		{firmware.Asked{Type: "UEFI", Mode: "SECURE"}, none, nil, false, "SECURE is not there"},
		{firmware.Asked{Type: "UEFI", Mode: "odd"}, none, nil, false, `"odd" is unknown`},
		{firmware.Asked{}, map[string]string{"UEFI": "SECURE"}, nil, false, "there is: LEGACY"},
		{firmware.Asked{}, map[string]string{"uefi": "LEGACY"}, nil, false, "want it as UEFI"},
	} {
		err := one.asked.Check()
		got := maps.Clone(one.details)
		if err == nil {
			err = one.asked.Note(got, one.image)
		}
		switch {
		case one.refused != "":
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), one.refused) {
				t.Errorf("%+v with %v: %v, want a refusal with %q", one.asked, one.details, err, one.refused)
			}
		case err != nil || firmware.Wanted(got) != one.want || got["keyboard"] != one.details["keyboard"]:
			t.Errorf("%+v with %v of %v: %v, %v; want UEFI: %v", one.asked, one.details, one.image, got, err, one.want)
		}
	}
}
