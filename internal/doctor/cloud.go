package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

type hostItem struct{ ID, Name, State, ResourceState, ZoneID string }

func (v *visit) listHosts(ctx context.Context) ([]hostItem, error) {
	return remote.List[hostItem](ctx, v.Cloud, "listHosts", api.Params{"type": "Routing"})
}

// zones looks for zones where nothing can run.
func (v *visit) zones(ctx context.Context, c *Check) error {
	zones, err := remote.List[struct{ ID, Name, AllocationState string }](ctx, v.Cloud, "listZones", nil)
	if err != nil {
		return err
	}
	c.see("%d", len(zones))
	if len(zones) == 0 {
		c.find("there is no zone that this user could use", "Everything is in a zone: nothing can be made without one.",
			"An admin makes one: virga apply -f FILE, or virga create zone.")
		return nil
	}
	hosts, err := v.listHosts(ctx)
	if err != nil {
		c.see("%d; whether they have hosts this user may not see", len(zones))
		return nil //nolint:nilerr // the check of the hosts says so
	}
	for _, z := range zones {
		usable := slices.ContainsFunc(hosts, func(h hostItem) bool { return h.ZoneID == z.ID && h.State == "Up" && h.ResourceState == "Enabled" })
		switch {
		case z.AllocationState == "Disabled":
			c.find(fmt.Sprintf("zone %q is disabled", z.Name), "Only root admins can deploy machines in it.",
				"Once it is complete: virga update zone id="+z.ID+" allocationstate=Enabled.")
		case !usable:
			c.find(fmt.Sprintf("zone %q has no host that is up and enabled", z.Name), "No machine can be deployed or started there.",
				"virga list hosts zoneid="+z.ID+" filter=name,state,resourcestate shows them; enable or add some.")
		}
	}
	return nil
}

// hosts looks for hosts that are not at work.
func (v *visit) hosts(ctx context.Context, c *Check) error {
	hosts, err := v.listHosts(ctx)
	if err != nil {
		return err
	}
	c.see("%d", len(hosts))
	away, closed := map[string][]string{}, map[string][]string{}
	for _, h := range hosts {
		switch {
		case h.State != "Up":
			away[h.State] = append(away[h.State], h.Name)
		case h.ResourceState != "Enabled":
			closed[h.ResourceState] = append(closed[h.ResourceState], h.Name)
		}
	}
	for _, state := range slices.Sorted(maps.Keys(away)) {
		c.find(fmt.Sprintf("not Up but %s: %s", state, some(away[state])), "Machines there can't be managed, and may not run at all.",
			"Look whether it has power and network and whether its agent runs; then virga reconnect host id=NAME.")
	}
	for _, state := range slices.Sorted(maps.Keys(closed)) {
		c.find(fmt.Sprintf("Up but %s: %s", state, some(closed[state])), "Nothing new is placed there, so that the cloud is smaller than it looks.",
			"When the work on them is done: virga update host id=NAME allocationstate=Enable, or end their maintenance.")
	}
	return nil
}

// pools looks for primary storage that can't be used.
func (v *visit) pools(ctx context.Context, c *Check) error {
	pools, err := remote.List[struct{ ID, Name, State string }](ctx, v.Cloud, "listStoragePools", nil)
	if err != nil {
		return err
	}
	c.see("%d pools", len(pools))
	states := map[string][]string{}
	for _, p := range pools {
		if p.State != "Up" {
			states[p.State] = append(states[p.State], p.Name)
		}
	}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		c.find(fmt.Sprintf("not Up but %s: %s", state, some(states[state])),
			"No disk can be made there, and machines with disks there may not start.",
			"virga list storagepools shows them; repair the storage, or enable the pools again.")
	}
	return nil
}

// kind is a kind of capacity: what it is called, which setting says from when on operators are alerted, and what to do then.
type kind struct{ what, setting, do string }

const (
	addHosts   = "Add hosts, or expunge machines that nobody uses."
	addStorage = "Add a storage pool, or delete volumes that nobody uses."
	addRange   = "Add a range of addresses: virga create vlaniprange."
)

var kinds = map[int]kind{
	0:  {"memory", "cluster.memory.allocated.capacity.notificationthreshold", addHosts},
	1:  {"CPU", "cluster.cpu.allocated.capacity.notificationthreshold", addHosts},
	2:  {"primary storage", "cluster.storage.capacity.notificationthreshold", addStorage},
	3:  {"allocated primary storage", "cluster.storage.allocated.capacity.notificationthreshold", addStorage},
	4:  {"public addresses", "zone.virtualnetwork.publicip.capacity.notificationthreshold", addRange},
	5:  {"management addresses", "pod.privateip.capacity.notificationthreshold", "Give the pod a larger range of addresses."},
	6:  {"secondary storage", "zone.secstorage.capacity.notificationthreshold", "Add an image store, or delete templates that nobody uses."},
	7:  {"VLANs", "zone.vlan.capacity.notificationthreshold", "Give the physical network more VLANs: virga update physicalnetwork vlan=…."},
	8:  {"addresses of shared networks", "zone.directnetwork.publicip.capacity.notificationthreshold", addRange},
	9:  {"local storage", "cluster.localStorage.capacity.notificationthreshold", addStorage},
	90: {"CPU cores", "cluster.cpu.allocated.capacity.notificationthreshold", addHosts},
}

// usualThreshold is a threshold that nobody has changed, or that the caller may not see.
const usualThreshold = 0.75

// capacity looks for what will be used up soon.
func (v *visit) capacity(ctx context.Context, c *Check) error {
	lines, err := remote.List[struct {
		Type                           int
		ZoneName, PodName, ClusterName string
		CapacityTotal                  float64
		PercentUsed                    string
	}](ctx, v.Cloud, "listCapacity", nil)
	if err != nil {
		return err
	}
	c.see("%d figures", len(lines))
	for _, line := range lines {
		k, known := kinds[line.Type]
		percent, err := strconv.ParseFloat(line.PercentUsed, 64)
		if !known || err != nil || line.CapacityTotal == 0 {
			continue
		}
		limit := usualThreshold
		if s, ok := v.settings[k.setting]; ok {
			if set, err := strconv.ParseFloat(s.Value, 64); err == nil {
				limit = set
			}
		}
		if percent > limit*100 {
			c.find(fmt.Sprintf("zone %q: of its %s %.1f %% are used, more than the %.0f %% of %s", line.ZoneName, k.what, percent,
				limit*100, k.setting), "When nothing is left deployments fail.", k.do)
		}
	}
	return nil
}

// templates looks for images that machines can't be made from.
func (v *visit) templates(ctx context.Context, c *Check) error {
	type item struct {
		Name, ZoneName, Status string
		IsReady                *bool
	}
	list, err := remote.List[item](ctx, v.Cloud, "listTemplates", api.Params{"templatefilter": "all", "listall": "true"})
	if err != nil {
		if list, err = remote.List[item](ctx, v.Cloud, "listTemplates", api.Params{"templatefilter": "executable"}); err != nil {
			return err
		}
	}
	c.see("%d", len(list))
	if len(list) == 0 {
		c.find("there is no template that this user could use", "Machines are made from templates.", "virga register template.")
	}
	var waiting []string
	for _, t := range list {
		if t.IsReady != nil && !*t.IsReady {
			waiting = append(waiting, strings.TrimSpace(fmt.Sprintf("%q in %s %s", t.Name, t.ZoneName, t.Status)))
		}
	}
	if waiting != nil {
		c.find("not ready: "+some(waiting), "No machine can be made from it in that zone.",
			"If the status is no progress but an error, mend its cause (address, checksum, image store), delete the template and register it again.")
	}
	return nil
}

// alertsOf is how far back alerts are looked at.
const alertsOf = 24 * time.Hour

// alerts looks for what the cloud itself has said to be wrong.
func (v *visit) alerts(ctx context.Context, c *Check) error {
	raw, _, err := v.Cloud.Page(ctx, "listAlerts", api.Params{"page": "1", "pagesize": "100"}) // the latest are first
	if err != nil {
		return err
	}
	var texts []string
	for _, one := range raw {
		a, err := decode[struct{ Description, Sent, Resolved string }](one)
		if err != nil {
			return err
		}
		sent, err := api.ParseDate(a.Sent, false)
		if err == nil && v.now.Sub(sent) < alertsOf && a.Resolved == "" && !slices.Contains(texts, a.Description) {
			texts = append(texts, a.Description)
		}
	}
	c.see("%d of the last day whose cause is still there", len(texts))
	for i, text := range texts {
		if i == named {
			c.find(fmt.Sprintf("and %d more alerts of the last day", len(texts)-i), "The cloud itself says so.", "virga list alerts")
			break
		}
		c.find(text, "The cloud itself has raised this alert in the last day.", "virga list alerts shows when; mend its cause.")
	}
	return nil
}

// jobTime is how long no job takes.
const jobTime = time.Hour

// jobs looks for work that does not come to its end.
func (v *visit) jobs(ctx context.Context, c *Check) error {
	jobs, err := remote.List[struct {
		JobID, Cmd, Created, JobState, JobStep string
		JobStatus                              int
	}](ctx, v.Cloud, "listAsyncJobs", api.Params{"listall": "true"})
	if err != nil {
		return err
	}
	atWork := 0
	for _, j := range jobs {
		if j.JobStatus != 0 {
			continue
		}
		atWork++
		command := j.Cmd[strings.LastIndex(j.Cmd, ".")+1:] // CloudStack has the name of a class
		since, err := api.ParseDate(j.Created, false)
		switch {
		case j.JobState == "stuck":
			c.find(fmt.Sprintf("job %s (%s) is stuck at %q", j.JobID, command, j.JobStep),
				"What it was about is neither made nor removed, and stays locked.",
				"The server's log says why. When that is mended: virga cancel asyncjob jobid="+j.JobID+" tries again.")
		case err == nil && v.now.Sub(since) > jobTime:
			c.find(fmt.Sprintf("job %s (%s) is at work since %s", j.JobID, command, j.Created),
				"No job takes that long: it waits for something that doesn't come.",
				"virga query asyncjobresult jobid="+j.JobID+" shows where it is; look whether the hosts concerned are up.")
		}
	}
	c.see("%d at work", atWork)
	return nil
}
