package api

import (
	"reflect"
	"slices"
	"strings"
)

// CommandInfo is a command as listApis shows it.
type CommandInfo struct {
	Name        string      `json:"name" doc:"The name of the command."`
	Description string      `json:"description" doc:"What the command does."`
	Since       string      `json:"since,omitempty" doc:"The version that brought the command; absent when it was there from the beginning."`
	Async       bool        `json:"isasync" doc:"Whether the command answers with a job."`
	Related     string      `json:"related" doc:"The commands that answer with the same kind of thing, with commas between them."`
	Params      []ParamInfo `json:"params" api:"set" doc:"The parameters the command takes."`
	Response    []FieldInfo `json:"response" api:"set" doc:"The fields of its answer."`

	// CloudStack has these in every answer; no job works on a command.
	JobID     string `json:"jobid,omitempty" doc:"The ID of the latest job at work on it; absent when there is none."`
	JobStatus *int   `json:"jobstatus,omitempty" doc:"The status of that job: 0 pending, 1 succeeded, 2 failed."`
}

// ParamInfo is a parameter as listApis shows it.
type ParamInfo struct {
	Name        string `json:"name" doc:"The name of the parameter."`
	Description string `json:"description" doc:"What the parameter means."`
	Type        string `json:"type" doc:"The type of the parameter."`
	Length      int    `json:"length" doc:"How many characters the parameter may have."`
	Required    bool   `json:"required" doc:"Whether the parameter must be given."`
	Since       string `json:"since,omitempty" doc:"The version that brought the parameter."`
	Related     string `json:"related,omitempty" doc:"The commands whose answers have IDs for this parameter, with commas between them."`
}

// FieldInfo is a field of an answer as listApis shows it.
type FieldInfo struct {
	Name        string      `json:"name" doc:"The name of the field."`
	Description string      `json:"description" doc:"What the field means."`
	Type        string      `json:"type" doc:"The type of the field."`
	Response    []FieldInfo `json:"response,omitempty" api:"set" doc:"The fields of the objects in the field."`
}

// ListAPIs shows the commands that have a handler and that are open to callers of this role: all of them, or the one of that
// name. An unknown or forbidden name gives none.
func (m *Mux) ListAPIs(role Role, name string) []CommandInfo {
	return m.ListAllowed(role, name, func(d *Description) bool { return d.Role.Allows(role) })
}

// ListAllowed is ListAPIs for who knows better than the role which commands the caller may use.
func (m *Mux) ListAllowed(role Role, name string, may func(*Description) bool) []CommandInfo {
	served := m.served()
	relations := relate(served)
	var out []CommandInfo
	for _, d := range served {
		if (name == "" || name == d.Name) && may(d) {
			out = append(out, relations.info(d, role))
		}
	}
	return out
}

// relations says which commands speak of the same things.
type relations struct {
	byType map[reflect.Type][]string // commands by the wire type they answer with
	byKind map[string][]string       // commands by the kind of thing whose ids they answer with
}

func relate(commands []*Description) relations {
	r := relations{byType: map[reflect.Type][]string{}, byKind: map[string][]string{}}
	for _, d := range commands {
		if d.out.typ == reflect.TypeFor[Success]() {
			continue
		}
		r.byType[d.out.typ] = append(r.byType[d.out.typ], d.Name)
		if kind := d.out.idKind(); kind != "" {
			r.byKind[kind] = append(r.byKind[kind], d.Name)
		}
	}
	return r
}

// idKind is the kind of the things a wire struct stands for, by the type of its field id; "" for none.
func (s *shape) idKind() string {
	for _, f := range s.fields {
		if f.name == "id" {
			return idKind(f.typ)
		}
	}
	return ""
}

func (r relations) info(d *Description, role Role) CommandInfo {
	others := slices.DeleteFunc(slices.Clone(r.byType[d.out.typ]), func(name string) bool { return name == d.Name })
	info := CommandInfo{Name: d.Name, Description: d.Doc, Since: d.Since, Async: d.Kind == KindJob,
		Related: strings.Join(others, ","), Params: []ParamInfo{}, Response: fieldInfos(d.Fields(), role)}
	if f := d.OtherForm(); f != nil { // CloudStack shows the fields of all forms together
		info.Response = withFields(info.Response, fieldInfos(f.Fields, role))
	}
	for _, p := range d.Params() {
		if p.Admin && !role.Allows(RootAdmin) {
			continue
		}
		info.Params = append(info.Params, ParamInfo{Name: p.Name, Description: p.Doc, Type: p.Type, Length: p.Length,
			Required: p.Required, Since: p.Since, Related: strings.Join(r.byKind[p.Of], ",")})
	}
	if info.Async {
		info.Response = withJob(info.Response)
	}
	return info
}

func fieldInfos(fields []Field, role Role) []FieldInfo {
	out := []FieldInfo{}
	for _, f := range fields {
		if f.Admin && !role.Allows(RootAdmin) {
			continue
		}
		one := FieldInfo{Name: f.Name, Description: f.Doc, Type: f.Type}
		if f.Fields != nil {
			one.Response = fieldInfos(f.Fields, role)
		}
		out = append(out, one)
	}
	return out
}

// withJob adds what a job's first answer has, where the outcome doesn't have fields of these names itself.
func withJob(fields []FieldInfo) []FieldInfo {
	return withFields(fields, []FieldInfo{
		{Name: "jobid", Type: "string", Description: "The ID of the job."},
		{Name: "jobstatus", Type: "integer", Description: "The status of the job: 0 pending, 1 succeeded, 2 failed."},
	})
}

// withFields adds fields to others, where these don't have fields of their names.
func withFields(fields, more []FieldInfo) []FieldInfo {
	for _, f := range more {
		if !slices.ContainsFunc(fields, func(has FieldInfo) bool { return has.Name == f.Name }) {
			fields = append(fields, f)
		}
	}
	return fields
}
