package hypervisor

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Command is a method of [Driver] or of an interface beside it, for a rule to name.
type Command string

// The commands. Recover has none: it concerns no host.
const (
	CommandProbe    Command = "Probe"
	CommandGuests   Command = "Guests"
	CommandMakeDisk Command = "MakeDisk"
	CommandDropDisk Command = "DropDisk"
	CommandStart    Command = "Start"
	CommandStop     Command = "Stop"
	CommandReboot   Command = "Reboot"

	CommandFetchImage Command = "FetchImage" // an Imager's, as the next
	CommandFetching   Command = "Fetching"
	CommandDropImage  Command = "DropImage"
	CommandMeasure    Command = "MeasureStore"
	CommandPlug       Command = "Plug"
	CommandUnplug     Command = "Unplug"
	CommandPool       Command = "Pool"

	CommandPlugCard       Command = "PlugCard"
	CommandUnplugCard     Command = "UnplugCard"
	CommandChangeCD       Command = "ChangeCD"
	CommandResizeDisk     Command = "ResizeDisk"
	CommandTakeSnapshot   Command = "TakeSnapshot"
	CommandDropSnapshot   Command = "DropSnapshot"
	CommandRevertDisk     Command = "RevertDisk"
	CommandSaveImage      Command = "SaveImage"
	CommandReadStored     Command = "ReadStored"
	CommandWriteStored    Command = "WriteStored"
	CommandTakeStored     Command = "TakeStored"
	CommandTakeCheckpoint Command = "TakeCheckpoint"
	CommandRevertTo       Command = "RevertTo"
	CommandDropCheckpoint Command = "DropCheckpoint"
	CommandScreen         Command = "Screen"
	CommandSerialLog      Command = "SerialLog"
	CommandUsage          Command = "Usage"
	CommandLoad           Command = "Load"
	CommandReceive        Command = "Receive"
	CommandSend           Command = "Send"

	CommandApplyRouter Command = "ApplyRouter" // a Networker's, as the next
	CommandDropRouter  Command = "DropRouter"
	CommandRouters     Command = "Routers"

	CommandApplyGuards Command = "ApplyGuards" // a Guarder's

	CommandSign Command = "Sign" // a Witness's, as the next
	CommandHeld Command = "Held"
)

// Rule makes a command misbehave on the hosts in its scope: the call takes Wait longer and then fails, if Fault or Lost say
// so. A rule with none of the three does nothing, which is how one is removed.
//
// Of several rules that match a call the narrowest is obeyed: a host's before a cluster's, a pod's, a zone's, everyone's.
type Rule struct {
	// The scope. A host must be in all that are set; none set means every host.
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster
	Host    uid.Host

	Command Command
	Wait    time.Duration
	Fault   string     // fail with this text instead of doing it
	Kind    fault.Kind // of Fault; empty is fault.Unavailable, which callers try again
	Lost    bool       // do it, but fail with fault.Unavailable: the answer never came
	Count   int        // how many calls it is for; 0 is until another takes its place
}

// Idle tells whether the rule does nothing.
func (r Rule) Idle() bool { return r.Wait == 0 && r.Fault == "" && !r.Lost }

// Err is what a call that meets the rule fails with, nil if it does not fail.
func (r Rule) Err() error {
	switch {
	case r.Fault != "" && r.Kind != "":
		return fault.New(r.Kind, "%s", r.Fault)
	case r.Fault != "":
		return fault.Unavailablef("%s", r.Fault)
	case r.Lost:
		return fault.Unavailablef("no answer to %s in time", r.Command)
	}
	return nil
}

// agentCommands are the names that CloudStack gives its agents' commands, and ours beside them. Several of CloudStack's are
// one of ours.
var agentCommands = map[string]Command{
	"PingCommand":                              CommandProbe,
	"CheckHealthCommand":                       CommandProbe,
	"ReadyCommand":                             CommandProbe,
	"CheckVirtualMachineCommand":               CommandGuests,
	"GetStorageStatsCommand":                   CommandPool,
	"ModifyStoragePoolCommand":                 CommandPool,
	"CreateCommand":                            CommandMakeDisk,
	"CreateObjectCommand":                      CommandMakeDisk,
	"CopyCommand":                              CommandMakeDisk,
	"DeleteCommand":                            CommandDropDisk,
	"DestroyCommand":                           CommandDropDisk,
	"StartCommand":                             CommandStart,
	"StopCommand":                              CommandStop,
	"RebootCommand":                            CommandReboot,
	"DownloadCommand":                          CommandFetchImage,
	"DownloadProgressCommand":                  CommandFetching,
	"DeleteTemplateCommand":                    CommandDropImage,
	"SecStorageSetupCommand":                   CommandMeasure,
	"AttachCommand":                            CommandPlug,
	"AttachVolumeCommand":                      CommandPlug,
	"DettachCommand":                           CommandUnplug, // sic
	"PlugNicCommand":                           CommandPlugCard,
	"UnPlugNicCommand":                         CommandUnplugCard,
	"AttachIsoCommand":                         CommandChangeCD,
	"ResizeVolumeCommand":                      CommandResizeDisk,
	"BackupSnapshotCommand":                    CommandTakeSnapshot,
	"ManageSnapshotCommand":                    CommandTakeSnapshot,
	"DeleteSnapshotBackupCommand":              CommandDropSnapshot,
	"RevertSnapshotCommand":                    CommandRevertDisk,
	"CreatePrivateTemplateFromSnapshotCommand": CommandSaveImage,
	"CreateEntityDownloadURLCommand":           CommandReadStored,
	"UploadTemplateCommand":                    CommandWriteStored, // ours, as the next: CloudStack's clients send to a machine of its own
	"UploadStatusCommand":                      CommandTakeStored,
	"CreateVMSnapshotCommand":                  CommandTakeCheckpoint,
	"RevertToVMSnapshotCommand":                CommandRevertTo,
	"DeleteVMSnapshotCommand":                  CommandDropCheckpoint,
	"GetVncPortCommand":                        CommandScreen,
	"GetVmStatsCommand":                        CommandUsage,
	"GetHostStatsCommand":                      CommandLoad,
	"PrepareForMigrationCommand":               CommandReceive,
	"MigrateCommand":                           CommandSend,
	"DhcpEntryCommand":                         CommandApplyRouter,
	"VmDataCommand":                            CommandApplyRouter,
	"IpAssocCommand":                           CommandApplyRouter,
	"SetFirewallRulesCommand":                  CommandApplyRouter,
	"SetStaticNatRulesCommand":                 CommandApplyRouter,
	"SetPortForwardingRulesCommand":            CommandApplyRouter,
	"LoadBalancerConfigCommand":                CommandApplyRouter,
	"DropRouterCommand":                        CommandDropRouter,
	"NetworkUsageCommand":                      CommandRouters,
	"CheckOnHostCommand":                       CommandSign,
	"CheckVMActivityOnStoragePoolCommand":      CommandHeld,
}

// ParseRule reads a rule without a scope as CloudStack's configureSimulator spells it. The name is that of an agent's command
// ("StartCommand"). The value is one or more of these, with | between them:
//
//	fault, fault:TEXT           fail, in a way that is tried again
//	conflict, conflict:TEXT     fail, in a way that is not
//	timeout                     do it, but lose the answer
//	wait:MILLISECONDS           take that much longer
//	result:fail, result:fault   CloudStack's spellings of conflict and fault
//	none, or nothing at all     remove the rule
//
// The count is how many calls it is for, 0 meaning until it is replaced. Anything else is fault.Invalid and says what is allowed.
func ParseRule(name, value string, count int) (Rule, error) {
	command, ok := agentCommands[name]
	if !ok {
		return Rule{}, fault.Invalidf("no simulated command %q; there is: %s",
			name, strings.Join(slices.Sorted(maps.Keys(agentCommands)), ", "))
	}
	if count < 0 {
		return Rule{}, fault.Invalidf("count is %d; want how many calls the rule is for, or 0 for all", count)
	}
	r := Rule{Command: command, Count: count}
	if value == "" || strings.EqualFold(value, "none") {
		return r, nil
	}
	for part := range strings.SplitSeq(value, "|") {
		if err := r.parse(part); err != nil {
			return Rule{}, err
		}
	}
	return r, nil
}

func (r *Rule) parse(part string) error {
	key, arg, _ := strings.Cut(part, ":")
	switch key = strings.ToLower(key); {
	case key == "fault", part == "result:fault":
		r.Kind = fault.Unavailable
	case key == "conflict", part == "result:fail":
		r.Kind = fault.Conflict
	case part == "timeout":
		r.Lost = true
		return nil
	case key == "wait":
		ms, err := strconv.ParseUint(arg, 10, 31)
		if err != nil {
			return fault.Invalidf("%q: want wait: and a number of milliseconds, like wait:1500", part)
		}
		r.Wait = time.Duration(ms) * time.Millisecond
		return nil
	default:
		return fault.Invalidf("%q is not a simulated behaviour; there is: fault, fault:TEXT, conflict, conflict:TEXT, "+
			"timeout, wait:MILLISECONDS, result:fail, result:fault, none", part)
	}
	if r.Fault = arg; key == "result" || arg == "" {
		r.Fault = "simulated fault in " + string(r.Command)
	}
	return nil
}
