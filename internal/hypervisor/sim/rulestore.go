package sim

import (
	"github.com/virga-cloud/virga/internal/hypervisor"
)

func (t *tx) setRule(r hypervisor.Rule) (err error) {
	t.loaded = false
	if r.Idle() {
		return t.dropRule(r)
	}
	_, err = t.exec(`insert or replace into rule (zone, pod, cluster, host, command, wait, fault, kind, lost, count)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(r.Zone), string(r.Pod), string(r.Cluster), string(r.Host),
		string(r.Command), int64(r.Wait), r.Fault, string(r.Kind), r.Lost, r.Count)
	return err
}

func (t *tx) dropRule(r hypervisor.Rule) error {
	_, err := t.exec("delete from rule where zone = ? and pod = ? and cluster = ? and host = ? and command = ?",
		string(r.Zone), string(r.Pod), string(r.Cluster), string(r.Host), string(r.Command))
	return err
}

// countRule takes one call off a rule that has a count; the last one removes it.
func (t *tx) countRule(r hypervisor.Rule) error {
	if r.Count--; r.Count == 0 {
		t.loaded = false
		return t.dropRule(r)
	}
	return t.setRule(r)
}

// allRules gives the rules; there are few.
func (t *tx) allRules() (rules []hypervisor.Rule, err error) {
	if !t.loaded {
		t.rules, err = t.readRules()
		t.loaded = err == nil
	}
	return t.rules, err
}

func (p *prepared) readRules() (rules []hypervisor.Rule, err error) {
	err = p.each(func(scan func(...any) error) error {
		var r hypervisor.Rule
		err := scan(&r.Zone, &r.Pod, &r.Cluster, &r.Host, &r.Command, &r.Wait, &r.Fault, &r.Kind, &r.Lost, &r.Count)
		rules = append(rules, r)
		return err
	}, "select zone, pod, cluster, host, command, wait, fault, kind, lost, count from rule")
	return rules, err
}
