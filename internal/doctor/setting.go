package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/virga-cloud/virga/internal/remote"
)

type settingItem struct{ Name, Value string }

// readSettings reads what several checks want to know.
func (v *visit) readSettings(ctx context.Context) {
	list, err := remote.List[settingItem](ctx, v.Cloud, "listConfigurations", nil)
	if err != nil {
		v.settingsErr = err
		return
	}
	v.settings = map[string]settingItem{}
	for _, s := range list {
		v.settings[s.Name] = s
	}
}

func decode[T any](raw json.RawMessage) (out T, err error) {
	err = json.Unmarshal(raw, &out)
	return out, err
}

// danger is a setting's values that nobody should have without knowing.
type danger struct {
	name    string
	is      func(value float64) bool
	why, do string
}

func equals(want float64) func(float64) bool { return func(v float64) bool { return v == want } }
func above(limit float64) func(float64) bool { return func(v float64) bool { return v > limit } }

var dangers = []danger{
	{"incorrect.login.attempts.allowed", equals(0), "Passwords can be guessed without end.", "5"},
	{"integration.api.port", above(0), "Whoever reaches that port is root, without any key.", "0"},
	{"session.timeout", above(24 * 60), "A session that was forgotten is open for more than a day.", "30"},
	{"default.page.size", equals(-1), "Any user can have the server read everything there is, again and again.", "500"},
	{"expunge.delay", equals(0), "A machine that is destroyed by mistake is gone at once.", "86400"},
	{"job.expire.minutes", func(v float64) bool { return v < 10 }, "Clients that wait for a job may never learn how it has ended.", "1440"},
	{"event.purge.delay", equals(0), "Events are kept for ever: the database grows without end.", "15"},
	{"mem.overprovisioning.factor", above(2), "Machines are promised more than twice the memory there is: hosts will swap or kill them.", "1"},
	{"storage.overprovisioning.factor", above(10), "Disks are promised more than ten times the space there is.", "2"},
	{"cluster.memory.allocated.capacity.disablethreshold", above(0.98), "There is no room left for machines of a host that fails.", "0.85"},
	{"pool.storage.allocated.capacity.disablethreshold", above(0.98), "Pools are filled up to the brim: the next write of a guest may fail.", "0.85"},
	{"pool.storage.capacity.disablethreshold", above(0.98), "Pools are filled up to the brim: the next write of a guest may fail.", "0.85"},
}

// dangers looks for settings that will hurt.
func (v *visit) dangers(_ context.Context, c *Check) error {
	if v.settingsErr != nil {
		return v.settingsErr
	}
	c.see("%d", len(v.settings))
	for _, d := range dangers {
		s, there := v.settings[d.name]
		value, err := strconv.ParseFloat(s.Value, 64)
		if !there || err != nil || !d.is(value) {
			continue
		}
		c.find(fmt.Sprintf("%s is %s", d.name, s.Value), d.why, fmt.Sprintf("virga update configuration name=%s value=%s", d.name, d.do))
	}
	for _, of := range []string{"cluster.cpu.allocated", "cluster.memory.allocated"} {
		warn, stop := v.settings[of+".capacity.notificationthreshold"], v.settings[of+".capacity.disablethreshold"]
		warnAt, err1 := strconv.ParseFloat(warn.Value, 64)
		stopAt, err2 := strconv.ParseFloat(stop.Value, 64)
		if err1 == nil && err2 == nil && warnAt >= stopAt {
			c.find(fmt.Sprintf("%s is %s, and %s %s", warn.Name, warn.Value, stop.Name, stop.Value),
				"Deployments fail before anybody was alerted that the cloud is full.", "Set the first below the second.")
		}
	}
	return nil
}
