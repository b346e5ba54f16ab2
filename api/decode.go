package api

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultPageSize is how many items a list shows when the caller asks for no page, and at most when one does.
const DefaultPageSize = 500

// request is one request on its way into an input struct.
type request struct {
	command string // lower case, as the error texts name it
	role    Role
	plain   map[string]string    // by lower-case name
	maps    map[string][]indexed // name[i].field=value, by lower-case name, in order of index
}

// decode fills into, a value of the plan's type, with what the caller gave. Errors are *Error.
func (in *inputs) decode(command string, given Params, role Role, into reflect.Value) (*request, error) {
	r := &request{command: strings.ToLower(command), role: role}
	if err := r.sort(in, given); err != nil {
		return nil, err
	}
	for _, p := range in.params {
		if err := r.fill(p, into.FieldByIndex(p.index)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// sort checks the characters of everything given, and groups it by lower-case name. Unknown names are dropped.
func (r *request) sort(in *inputs, given Params) error {
	r.plain, r.maps = map[string]string{}, map[string][]indexed{}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := given[name]
		base, _, _ := strings.Cut(name, "[")
		p := in.byKey[strings.ToLower(base)]
		if strings.ContainsFunc(value, isControl) && (p == nil || !p.lines || strings.ContainsFunc(value, isNoLineEnd)) {
			return r.controls(p, name, value)
		}
		if p == nil {
			continue
		}
		switch {
		case p.mapped():
			entry, err := splitMapName(name, value)
			if err != nil {
				return err
			}
			r.maps[p.key] = append(r.maps[p.key], entry)
		case base == name:
			r.plain[p.key] = value
		}
	}
	for _, entries := range r.maps {
		slices.SortStableFunc(entries, func(a, b indexed) int { return cmp.Compare(a.index, b.index) })
	}
	return nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// isNoLineEnd tells whether it is a control character that does not end a line.
func isNoLineEnd(c rune) bool { return isControl(c) && c != '\n' && c != '\r' }

func (r *request) controls(p *param, name, value string) error {
	shown := printable(value)
	if p == nil || p.secret { // what isn't declared may be a signature or a session key
		shown = "***"
	}
	return invalid("Received value %s for parameter %s is invalid, contains illegal ASCII non-printable characters", shown, printable(name))
}

// printable leaves the control characters out: error texts travel in a header, too.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if isControl(c) {
			return -1
		}
		return c
	}, text)
}

// fill reads one parameter into its field.
func (r *request) fill(p *param, v reflect.Value) error {
	if p.mapped() {
		return r.fillMap(p, v)
	}
	value, given := r.plain[p.key]
	if given && p.codec.blank && strings.TrimSpace(value) == "" {
		given = false
	}
	switch {
	case p.required && (!given || value == ""):
		return r.missing(p)
	case !given:
		return nil
	case p.admin && r.role&RootAdmin == 0:
		return r.reserved(p)
	}
	return r.set(p, v, value)
}

func (r *request) set(p *param, v reflect.Value, value string) error {
	if p.tooLong(value) {
		return invalid("Value greater than max allowed length %d for param: %s", p.length, p.name)
	}
	if p.oneOf != nil && value != "" {
		at := slices.IndexFunc(p.oneOf, func(one string) bool { return strings.EqualFold(one, value) })
		if at < 0 {
			return invalid("%s; it can be one of %s", r.refused(p, value), strings.Join(p.oneOf, ", "))
		}
		value = p.oneOf[at]
	}
	switch err := p.codec.set(v, value); {
	case err == nil:
	case errors.Is(err, errID):
		return invalid("Unable to execute API command %s due to invalid value. Invalid parameter %s value=%s due to incorrect long value format, "+
			"or entity does not exist or due to incorrect parameter annotation for the field in api cmd class.", r.command, p.name, value)
	case p.codec == dateCodec:
		return invalid("Unable to parse date %s for command %s, please pass dates in the format mentioned in the api documentation", value, r.command)
	default:
		return invalid("%s", r.refused(p, value))
	}
	if p.end && isDay(value) {
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(24*time.Hour - time.Second)))
	}
	return nil
}

func (r *request) refused(p *param, value string) string {
	if p.secret {
		value = "***"
	}
	return "Unable to execute API command " + r.command + " due to invalid value " + value + " for parameter " + p.name
}

func (r *request) missing(p *param) error {
	return invalid("Unable to execute API command %s due to missing parameter %s", r.command, p.name)
}

func (r *request) reserved(p *param) error {
	return invalid("Unable to execute API command %s: only root admins may give parameter %s", r.command, p.name)
}

// page checks the paging of a decoded input and fills in the defaults, so that a handler needs no rule of its own.
func (r *request) page(in *inputs, size int, into reflect.Value) error {
	if in.paging == nil {
		return nil
	}
	p := into.FieldByIndex(in.paging).Addr().Interface().(*Paging)
	hasPage := strings.TrimSpace(r.plain["page"]) != ""
	hasSize := strings.TrimSpace(r.plain["pagesize"]) != ""
	switch {
	case hasPage && !hasSize:
		return invalid(`"pagesize" parameter is required when "page" is specified`)
	case hasSize && p.PageSize == -1 && hasPage:
		return invalid(`"page" parameter can't be specified when "pagesize" is -1`)
	case hasSize && p.PageSize == -1:
	case hasSize && !hasPage:
		return invalid(`"page" parameter is required when "pagesize" is specified`)
	case hasSize && p.PageSize < 1:
		return invalid("%s", r.refused(in.byKey["pagesize"], strconv.Itoa(p.PageSize)))
	case size > 0 && p.PageSize > size:
		return invalid("Page size can't exceed max allowed page size value: %d", size)
	case !hasSize:
		p.PageSize = cmp.Or(size, -1)
	}
	p.Page = max(p.Page, 1)
	return nil
}
