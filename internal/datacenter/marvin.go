package datacenter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// besides are the parts of Marvin's files that describe the test run and not the data centre: where the management server and
// its database are, what to log, what tests need.
var besides = []string{"mgtsvr", "dbsvr", "logger", "testdatapath", "testclient", "tcpool", "uicfg", "cachestorages"}

// renamed are keys that Marvin spells otherwise than the API's parameters.
var renamed = map[string]string{
	"typ": "traffictype", "clustername": "name", "globalconfig": "settings", "config": "settings", "guestcidr": "guestcidraddress",
	"simulator": "", "kvm": "kvmnetworklabel", "vmware": "vmwarenetworklabel", "xen": "xennetworklabel", "xenserver": "xennetworklabel",
	"details": "", "enabled": "",
}

// perNoun are keys that only mean something to Marvin there.
var perNoun = map[string][]string{
	"providers": {"broadcastdomainrange", "devices"}, "primarystorages": {"details"}, "secondarystorages": {"details"},
	"zones": {"enabled", "multiplezones"}, "hosts": {"clustername", "hostname"},
}

// readMarvin reads a JSON data centre: the same tree as the YAML, with keys in Marvin's spelling and everything as text.
func readMarvin(text []byte) (*File, error) {
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("the file begins like JSON and is none: %w", err)
	}
	clean := normal(tree, "").(map[string]any)
	for _, k := range besides {
		delete(clean, k)
	}
	again, err := json.Marshal(clean)
	if err != nil {
		return nil, err
	}
	f, err := decode(again)
	if err != nil {
		return nil, err
	}
	f.simulated()
	return f, nil
}

// normal writes keys as the API does, and leaves empty values out. noun is the list that the value is in.
func normal(v any, noun string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			key = strings.ReplaceAll(strings.ToLower(key), "_", "")
			if to, ok := renamed[key]; ok {
				key = to
			}
			if key == "" || value == nil || value == "" || slices.Contains(perNoun[noun], key) {
				continue
			}
			if key == "settings" {
				out[key] = settingsOf(value)
				continue
			}
			out[key] = normal(value, key)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normal(v[i], noun)
		}
		return out
	}
	return v
}

// settingsOf makes a map of Marvin's list of names and values.
func settingsOf(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for _, one := range list {
		if pair, ok := one.(map[string]any); ok {
			if name, ok := pair["name"].(string); ok {
				out[name] = pair["value"]
			}
		}
	}
	return out
}

// simulated makes the storage of simulated hosts, which Marvin's files say to lie on NFS servers that don't exist, files.
func (f *File) simulated() {
	pretend := func(address *string) {
		u, err := url.Parse(*address)
		if err != nil || u.Scheme != "nfs" {
			return
		}
		as := "file:///" + u.Host + u.Path
		f.Notes = append(f.Notes, fmt.Sprintf("%s is taken as %s: simulated hosts have no NFS", *address, as))
		*address = as
	}
	for i := range f.Zones {
		only := true
		z := &f.Zones[i]
		for j := range z.Pods {
			for k := range z.Pods[j].Clusters {
				c := &z.Pods[j].Clusters[k]
				if !strings.EqualFold(c.Hypervisor, "Simulator") {
					only = false
					continue
				}
				for l := range c.PrimaryStorages {
					pretend(&c.PrimaryStorages[l].URL)
				}
			}
		}
		for j := range z.SecondaryStorages {
			if s := &z.SecondaryStorages[j]; only {
				pretend(&s.URL)
				if strings.EqualFold(s.Provider, "NFS") {
					s.Provider = ""
				}
			}
		}
	}
}
