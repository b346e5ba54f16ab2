package cloudtest_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// filter says how a parameter of a list is tried where that is not plain: the answer has no field of its name.
type filter struct {
	field   string     // the field that it is about
	from    string     // the list and the field that the value is from, "listHosts.id", where the answer does not show it
	value   string     // the value, where nothing shows it
	other   string     // a value that shows nothing, where any does not; "-" for none
	loose   bool       // others may be shown, too, and a part of the field is enough
	split   bool       // true and false share all items between them
	nothing bool       // there is nothing yet that could have it
	with    api.Params // what else must be said; a value that begins with "list" is as in from
	beside  string     // a field of the item that must be said with it
	not     string     // why it is no filter
}

// listsTriedElsewhere are lists that have tests of their own.
var listsTriedElsewhere = []string{"listApis", "updateResourceCount", "listUserKeyRules", "listLdapUsers", "searchLdap", "importLdapUsers"}

// Every parameter of every list does what it says: with the value of a thing that there is it shows that thing, and only such;
// with another value it does not. A parameter that can't be tried by the field of its name stands in the table of filters, or
// the test fails.
func TestEveryFilterFilters(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 3, Basic: true})
	furnish(t, c)
	for _, one := range cs.All {
		d := one.Describe()
		if d.Kind != api.KindList || d.Creates || !openTo(d, api.RootAdmin) || slices.Contains(listsTriedElsewhere, d.Name) {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			f := filters{Cloud: c, d: d, base: baseOf(t, c, d)}
			var err error
			f.all, err = items(t, c.Client, d, f.base)
			must(t, err)
			if len(f.all) == 0 {
				t.Fatalf("%v shows nothing, so that nothing can be tried", f.base)
			}
			for _, p := range d.Params() {
				f.try(t, p)
			}
			f.pages(t)
		})
	}
}

// filters is a list whose parameters are tried.
type filters struct {
	*cloudtest.Cloud
	d    *api.Description
	base api.Params // shows all there is
	all  []map[string]any
}

// baseOf are the parameters with which a list shows the root admin all there is.
func baseOf(t *testing.T, c *cloudtest.Cloud, d *api.Description) api.Params {
	t.Helper()
	base := api.Params{}
	if has(d, "listall") {
		base["listall"] = "true"
	}
	maps.Copy(base, bases[d.Name])
	for _, p := range d.Params() {
		if p.Required && p.Of == "physical network" {
			base[p.Name] = firstID(t, c.Client, "listPhysicalNetworks")
		}
		if p.Required && p.Of == "load balancer rule" {
			found, err := items(t, c.Client, described("listLoadBalancerRules"), api.Params{"listall": "true"})
			must(t, err)
			base[p.Name] = found[0]["id"].(string)
		}
		if p.Required && p.Of == "virtual machine" {
			found, err := items(t, c.Client, described("listVirtualMachines"), api.Params{"listall": "true", "state": "Running"})
			must(t, err)
			base[p.Name] = found[0]["id"].(string)
		}
		if p.Required && p.Of == "project" {
			found, err := items(t, c.Client, described("listProjects"), api.Params{"listall": "true"})
			must(t, err)
			base[p.Name] = found[0]["id"].(string)
		}
	}
	return base
}

func (f filters) try(t *testing.T, p api.Param) {
	t.Helper()
	rule, special := rules[f.d.Name+"."+p.Name]
	if !special {
		rule = rules["*."+p.Name]
	}
	for name, value := range rule.with {
		if strings.HasPrefix(value, "list") {
			rule.with = with(rule.with, name, f.valueFrom(t, value))
		}
	}
	if rule.from != "" {
		rule.value = f.valueFrom(t, rule.from)
	}
	switch {
	case rule.not != "", p.Required && f.base[p.Name] != "" && p.Of == "":
	case rule.nothing:
		f.shows(t, p, rule, other(p, rule), nil)
	case rule.split:
		f.halves(t, p, rule)
	case rule.value != "":
		f.some(t, p, rule)
	default:
		f.byField(t, p, rule)
	}
}

// valueFrom is the first value of a list's field.
func (f filters) valueFrom(t *testing.T, from string) string {
	t.Helper()
	list, field, _ := strings.Cut(from, ".")
	d := described(list)
	there, err := items(t, f.Client, d, baseOf(t, f.Cloud, d))
	must(t, err)
	for _, item := range there {
		if values := valuesAt(item, strings.Split(field, ".")); len(values) > 0 {
			return values[0]
		}
	}
	t.Errorf("nothing has %s", from)
	return ""
}

// byField tries a parameter with values of the field that it is about.
func (f filters) byField(t *testing.T, p api.Param, rule filter) {
	t.Helper()
	if rule.field == "" {
		rule.field = p.Name
	}
	if p.Type == "boolean" {
		f.byTruth(t, p, rule)
		return
	}
	found := map[string]map[string]any{} // an item for each value
	for _, item := range f.all {
		for _, v := range valuesAt(item, strings.Split(rule.field, ".")) {
			found[v] = item
		}
	}
	delete(found, "")
	if len(found) == 0 {
		t.Errorf("%s: no item has a field %q: say in the table of filters how it is tried", p.Name, rule.field)
		return
	}
	tried := 0
	for v, one := range found {
		if tried++; tried > 3 {
			break
		}
		if rule.beside != "" {
			rule.with = api.Params{rule.beside: fmt.Sprint(one[rule.beside])}
		}
		var want []map[string]any
		for _, item := range f.all {
			if matches(item, rule, v) && (rule.beside == "" || item[rule.beside] == one[rule.beside]) {
				want = append(want, item)
			}
		}
		f.shows(t, p, rule, v, want)
	}
	if rule.other != "-" {
		f.shows(t, p, rule, other(p, rule), nil)
	}
}

// pages wants a page to be of the size that is asked for, and the next one to go on.
func (f filters) pages(t *testing.T) {
	t.Helper()
	if !has(f.d, "pagesize") {
		return
	}
	for n := range min(2, len(f.all)) {
		got, err := items(t, f.Client, f.d, with(f.base, "page", fmt.Sprint(n+1), "pagesize", "1"))
		if err != nil || keysOf(got) != keysOf(f.all[n:n+1]) {
			t.Errorf("page %d of one item shows %s, want %s; %v", n+1, keysOf(got), keysOf(f.all[n:n+1]), err)
		}
	}
}

// other is a value that nothing has.
func other(p api.Param, rule filter) string {
	switch {
	case rule.other != "":
		return rule.other
	case p.Type == "boolean":
		return "true"
	case p.Type == "map":
		return "nothing"
	case p.Type == "integer" || p.Type == "long":
		return "99"
	}
	return uuidOr(p, "nothing-has-this")
}

func uuidOr(p api.Param, text string) string {
	if p.Of != "" || strings.HasSuffix(p.Name, "id") {
		return string(uid.New[uid.VM]())
	}
	return text
}

// shows wants the list to show these items and no others for a value. No items, and a refusal of the value, are the same.
func (f filters) shows(t *testing.T, p api.Param, rule filter, value string, want []map[string]any) {
	t.Helper()
	params := f.params(p, rule, value)
	got, err := items(t, f.Client, f.d, params)
	if err != nil && len(want) == 0 {
		refusedFor(t, f.d, params, err)
		return
	}
	if err != nil {
		t.Errorf("%s=%s: %v", p.Name, value, err)
		return
	}
	if rule.loose && len(want) > 0 {
		got = slices.DeleteFunc(got, func(item map[string]any) bool { return !matches(item, rule, value) })
	}
	if g, w := keysOf(got), keysOf(want); g != w {
		t.Errorf("%s=%s shows %d items, want %d of %d\n%s\n%s", p.Name, value, len(got), len(want), len(f.all), g, w)
	}
}

func (f filters) params(p api.Param, rule filter, value string) api.Params {
	name := p.Name
	if p.Type == "map" {
		name += "[0].key"
	}
	params := with(f.base, name, value)
	for name, v := range rule.with {
		if params[name] = v; v == "" {
			delete(params, name)
		}
	}
	return params
}

// some wants a value to show some items, and another value to show none.
func (f filters) some(t *testing.T, p api.Param, rule filter) {
	t.Helper()
	got, err := items(t, f.Client, f.d, f.params(p, rule, rule.value))
	if err != nil || len(got) == 0 {
		t.Errorf("%s=%s shows %d of %d items; %v", p.Name, rule.value, len(got), len(f.all), err)
	}
	if rule.other != "-" {
		f.shows(t, p, rule, other(p, rule), nil)
	}
}

// halves wants each item to be shown by either true or false.
func (f filters) halves(t *testing.T, p api.Param, rule filter) {
	t.Helper()
	var both []string
	for _, half := range []string{"true", "false"} {
		got, err := items(t, f.Client, f.d, f.params(p, rule, half))
		must(t, err)
		for _, item := range got {
			both = append(both, keysOf([]map[string]any{item}))
		}
	}
	var want []string
	for _, item := range f.all {
		want = append(want, keysOf([]map[string]any{item}))
	}
	slices.Sort(both)
	slices.Sort(want)
	if !slices.Equal(both, want) {
		t.Errorf("%s: true and false show %v, want each of %v once", p.Name, both, want)
	}
}

// byTruth wants true and false to show what has the field so.
func (f filters) byTruth(t *testing.T, p api.Param, rule filter) {
	t.Helper()
	known := false
	for _, half := range []string{"true", "false"} {
		var want []map[string]any
		for _, item := range f.all {
			at := valuesAt(item, strings.Split(rule.field, "."))
			known = known || len(at) > 0
			if len(at) > 0 && at[0] == half || len(at) == 0 && half == "false" {
				want = append(want, item)
			}
		}
		f.shows(t, p, rule, half, want)
	}
	if !known {
		t.Errorf("%s: no item has a field %q: say in the table of filters how it is tried", p.Name, rule.field)
	}
}

func matches(item map[string]any, rule filter, value string) bool {
	for _, v := range valuesAt(item, strings.Split(rule.field, ".")) {
		if strings.EqualFold(v, value) || rule.loose && strings.Contains(strings.ToLower(v), strings.ToLower(value)) {
			return true
		}
	}
	return false
}

// valuesAt are the values of a field, or of a field of those in a field, or of each part of a text with commas.
func valuesAt(value any, path []string) (out []string) {
	switch value := value.(type) {
	case nil:
	case []any:
		for _, v := range value {
			out = append(out, valuesAt(v, path)...)
		}
	case float64:
		if len(path) == 0 {
			out = append(out, strconv.FormatFloat(value, 'f', -1, 64))
		}
	case map[string]any:
		if len(path) > 0 {
			out = valuesAt(value[path[0]], path[1:])
		}
	default:
		if len(path) == 0 {
			out = append(out, fmt.Sprint(value))
		}
	}
	return out
}

func keysOf(items []map[string]any) string {
	var b strings.Builder
	for _, item := range items {
		key := idOf(item)
		if job, ok := item["jobid"].(string); ok && key == "" {
			key = job
		}
		if key == "" {
			key = fmt.Sprint(item["name"], item["zoneid"], item["type"])
		}
		b.WriteString(key + " ")
	}
	return b.String()
}

// refusedFor wants a refusal of what was said.
func refusedFor(t *testing.T, d *api.Description, params api.Params, err error) {
	t.Helper()
	e, ok := errors.AsType[*api.RemoteError](err)
	if !ok || e.Code != 431 && e.Code != 531 {
		t.Errorf("%s %v: %v", d.Name, params, err)
	}
}
