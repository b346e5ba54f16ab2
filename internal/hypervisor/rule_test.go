package hypervisor

import (
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

func TestParseRule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		count       int
		want        Rule
	}{
		{"StartCommand", "fault", 3, Rule{Command: CommandStart, Fault: "simulated fault in Start", Kind: fault.Unavailable, Count: 3}},
		{"StopCommand", "Fault:no: really", 0, Rule{Command: CommandStop, Fault: "no: really", Kind: fault.Unavailable}},
		{"CopyCommand", "conflict:taken", 0, Rule{Command: CommandMakeDisk, Fault: "taken", Kind: fault.Conflict}},
		{"DestroyCommand", "result:fail", 0, Rule{Command: CommandDropDisk, Fault: "simulated fault in DropDisk", Kind: fault.Conflict}},
		{"PingCommand", "wait:1500|result:fault", 1, Rule{Command: CommandProbe, Wait: 1500 * time.Millisecond,
			Fault: "simulated fault in Probe", Kind: fault.Unavailable, Count: 1}},
		{"RebootCommand", "timeout|wait:20", 0, Rule{Command: CommandReboot, Wait: 20 * time.Millisecond, Lost: true}},
		{"StartCommand", "none", 0, Rule{Command: CommandStart}},
		{"StartCommand", "", 0, Rule{Command: CommandStart}},
	} {
		got, err := ParseRule(c.name, c.value, c.count)
		if err != nil || got != c.want {
			t.Errorf("ParseRule(%q, %q, %d) is %+v, %v; want %+v", c.name, c.value, c.count, got, err, c.want)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		count       int
		says        string
	}{
		{"EatCommand", "fault", 0, "SecStorageSetupCommand, SetFirewallRulesCommand"},
		{"StartCommand", "fault", -1, "count is -1"},
		{"StartCommand", "explode", 0, "wait:MILLISECONDS"},
		{"StartCommand", "wait", 0, "wait:1500"},
		{"StartCommand", "wait:-5", 0, "wait:1500"},
		{"StartCommand", "wait:5s", 0, "wait:1500"},
		{"StartCommand", "result:well", 0, "result:fail"},
		{"StartCommand", "fault|", 0, "result:fail"},
	} {
		_, err := ParseRule(c.name, c.value, c.count)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("ParseRule(%q, %q, %d) gave %v; want Invalid with %q", c.name, c.value, c.count, err, c.says)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	f.Add("StartCommand", "fault:text|wait:10|timeout|result:fail", 1)
	f.Fuzz(func(t *testing.T, name, value string, count int) {
		r, err := ParseRule(name, value, count)
		switch {
		case err != nil && !fault.Is(err, fault.Invalid):
			t.Errorf("%v is not for the user", err)
		case err == nil && (r.Wait < 0 || r.Count < 0 || r.Command == ""):
			t.Errorf("%+v makes no sense", r)
		case err == nil && (r.Err() != nil) != (r.Fault != "" || r.Lost):
			t.Errorf("%+v fails with %v", r, r.Err())
		}
	})
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	type driver struct{ Driver }
	drivers := Drivers{"Simulator": driver{}, "KVM": driver{}}
	if _, err := drivers.Find("simulator"); err != nil {
		t.Error(err)
	}
	if _, err := drivers.Find("VMware"); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "KVM, Simulator") {
		t.Errorf("got %v, want Unavailable that names what there is", err)
	}
	if _, err := (Drivers{}).Find("KVM"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
}
