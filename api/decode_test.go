package api

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/uid"
)

func decodeThing(given Params, role Role) (thingIn, error) {
	return Decode(getThing, given, role)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	noon := day.Add(12 * time.Hour)
	for name, c := range map[string]struct {
		given Params
		want  thingIn
	}{
		"nothing":               {Params{}, thingIn{}},
		"unknown is ignored":    {Params{"apiKey": "x", "_": "1", "other[": "y"}, thingIn{}},
		"names in any case":     {Params{"ZONEID": aZone, "NaMe": "a"}, thingIn{ZoneID: aZone, Name: "a"}},
		"ids are lowered":       {Params{"id": strings.ToUpper(aVM)}, thingIn{ID: aVM}},
		"blank id is none":      {Params{"id": ""}, thingIn{}},
		"id list":               {Params{"ids": aVM + ",," + aVM}, thingIn{IDs: []uid.VM{aVM, aVM}}},
		"embedded":              {Params{"domainid": aDomain, "listall": "true"}, thingIn{Scope: Scope{DomainID: aDomain, ListAll: true}}},
		"true in any case":      {Params{"on": "TrUe"}, thingIn{On: true}},
		"anything else false":   {Params{"on": "yes", "maybe": "1"}, thingIn{Maybe: new(false)}},
		"blank number is none":  {Params{"n": " ", "long": "", "mayben": ""}, thingIn{}},
		"zero that was given":   {Params{"mayben": "0", "maybef": "0"}, thingIn{MaybeN: new(int64(0)), MaybeF: new(0.0)}},
		"empty text":            {Params{"text": ""}, thingIn{Text: new("")}},
		"numbers":               {Params{"n": "-3", "long": "5000000000", "f": "1.5"}, thingIn{N: -3, Long: 5000000000, F: 1.5}},
		"lists drop empty ones": {Params{"words": ",a,,b", "numbers": "1,2,"}, thingIn{Words: []string{"a", "b"}, Numbers: []int64{1, 2}}},
		"length in characters":  {Params{"name": "äöüßé"}, thingIn{Name: "äöüßé"}},
		"one of some":           {Params{"one": "Red"}, thingIn{One: "red"}},
		"day":                   {Params{"from": "2026-01-31", "until": "2026-01-31"}, thingIn{From: day, Until: day.Add(24*time.Hour - time.Second)}},
		"day and time":          {Params{"from": "2026-01-31 12:00:00", "until": "2026-01-31 12:00:00"}, thingIn{From: noon, Until: noon}},
		"time with offset":      {Params{"from": "2026-01-31T13:00:00+0100", "until": "2026-01-31T12:00:00+00:00"}, thingIn{From: noon, Until: noon}},
		"time with Z":           {Params{"from": "2026-01-31T12:00:00Z", "until": "2026-01-31T12:00:00.5Z"}, thingIn{From: noon, Until: noon.Add(time.Second / 2)}},
		"time with Z and more":  {Params{"from": "2026-01-31T12:00:00Z+0000", "until": "2026-01-31T12:00:00ZZ+0000"}, thingIn{From: noon, Until: noon}},
		"map by names": {
			Params{"Details[0].cpuNumber": "2", "details[7].x.y": "z"},
			thingIn{Details: map[string]string{"cpuNumber": "2", "x.y": "z"}},
		},
		"map by key and value": {
			Params{"details[0].key": "k", "details[0].value": "v", "details[1].key": "empty"},
			thingIn{Details: map[string]string{"k": "v", "empty": ""}},
		},
		"objects in order of index": {
			Params{"nets[10].networkid": aZone, "nets[2].networkId": aVM, "NETS[2].ip": "10.1.1.5"},
			thingIn{Nets: []netIn{{ID: aVM, IP: "10.1.1.5"}, {ID: aZone}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeThing(c.given, User)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for name, c := range map[string]struct {
		given Params
		code  int
		text  string
	}{
		"number":    {Params{"n": "x"}, 431, "Unable to execute API command getthing due to invalid value x for parameter n"},
		"too big":   {Params{"n": "2147483648"}, 431, "Unable to execute API command getthing due to invalid value 2147483648 for parameter n"},
		"no number": {Params{"f": "NaN"}, 431, "Unable to execute API command getthing due to invalid value NaN for parameter f"},
		"id": {Params{"id": "17"}, 431, "Unable to execute API command getthing due to invalid value. Invalid parameter id value=17 due to " +
			"incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the field in api cmd class."},
		"too long":       {Params{"name": "123456"}, 431, "Value greater than max allowed length 5 for param: name"},
		"default length": {Params{"text": long}, 431, "Value greater than max allowed length 255 for param: text"},
		"not one of":     {Params{"one": "blue"}, 431, "Unable to execute API command getthing due to invalid value blue for parameter one; it can be one of red, green"},
		"no date":        {Params{"from": "2026-02-30"}, 431, "Unable to parse date 2026-02-30 for command getthing, please pass dates in the format mentioned in the api documentation"},
		"control character": {Params{"name": "a\x07b"}, 431,
			"Received value ab for parameter name is invalid, contains illegal ASCII non-printable characters"},
		"control character in an unknown one": {Params{"foo": "a\nb"}, 431,
			"Received value *** for parameter foo is invalid, contains illegal ASCII non-printable characters"},
		"control character in lines": {Params{"lines": "a\n\x00"}, 431,
			"Received value a for parameter lines is invalid, contains illegal ASCII non-printable characters"},
		"control character in a secret": {Params{"hidden": "a\x7fb"}, 431,
			"Received value *** for parameter hidden is invalid, contains illegal ASCII non-printable characters"},
		"admins only": {Params{"hostid": aVM}, 431, "Unable to execute API command getthing: only root admins may give parameter hostid"},
		"map without index": {Params{"details[x].a": "1"}, 430, "Unable to decode parameter details[x].a; if specifying an object array, " +
			"please use parameter[index].field=XXX, e.g. userGroupList[0].group=httpGroup"},
		"missing in an object": {Params{"nets[0].ip": "1"}, 431, "Unable to execute API command getthing due to missing parameter networkid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodeThing(c.given, DomainAdmin)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != c.code || e.Text != c.text {
				t.Errorf("got  %v\nwant %s", err, c.text)
			}
		})
	}
}

func TestDecodeLetsRootAdminsGiveEverything(t *testing.T) {
	t.Parallel()
	got, err := decodeThing(Params{"hostid": aVM}, RootAdmin)
	if err != nil || got.HostID != aVM {
		t.Errorf("got %v, %v", got.HostID, err)
	}
}

func TestMalformedMaps(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"details", "details[0]", "details[0]x", "details[0].", "details[].a", "details[-1].a", "details[0].a[1]",
		"details[0][1].a", "details[9999999999].a", "details[0.a"} {
		_, err := decodeThing(Params{name: "1"}, User)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeMalformed {
			t.Errorf("%s: got %v, want error 430", name, err)
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given         Params
		offset, limit int
		text          string
	}{
		"none":               {given: Params{}, limit: 500},
		"blank":              {given: Params{"page": "", "pagesize": " "}, limit: 500},
		"first":              {given: Params{"page": "1", "pagesize": "20"}, limit: 20},
		"third":              {given: Params{"page": "3", "pagesize": "20"}, offset: 40, limit: 20},
		"zeroth":             {given: Params{"page": "0", "pageSize": "20"}, limit: 20},
		"negative":           {given: Params{"page": "-5", "pagesize": "20"}, limit: 20},
		"unlimited":          {given: Params{"pagesize": "-1"}, limit: -1},
		"unlimited and page": {given: Params{"pagesize": "-1", "page": "1"}, text: `"page" parameter can't be specified when "pagesize" is -1`},
		"page alone":         {given: Params{"page": "1"}, text: `"pagesize" parameter is required when "page" is specified`},
		"size alone":         {given: Params{"pagesize": "1"}, text: `"page" parameter is required when "pagesize" is specified`},
		"too big":            {given: Params{"page": "1", "pagesize": "501"}, text: "Page size can't exceed max allowed page size value: 500"},
		"no size":            {given: Params{"page": "1", "pagesize": "0"}, text: "Unable to execute API command listthings due to invalid value 0 for parameter pagesize"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got Paging
			m := NewMux(listThings)
			HandleList(m, listThings, func(_ ctx, in thingIn) (Page[thing], error) {
				got = in.Paging
				return Page[thing]{}, nil
			})
			_, err := invoke(m, "listThings", c.given, User)
			if c.text != "" {
				if err == nil || err.Error() != c.text {
					t.Errorf("got %v, want %s", err, c.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if offset, limit := got.Window(); offset != c.offset || limit != c.limit {
				t.Errorf("got %d, %d; want %d, %d", offset, limit, c.offset, c.limit)
			}
		})
	}
}

func TestPageSizeOfTheMux(t *testing.T) {
	t.Parallel()
	m := NewMux(listThings)
	m.PageSize = func() int { return 0 }
	var got Paging
	HandleList(m, listThings, func(_ ctx, in thingIn) (Page[thing], error) {
		got = in.Paging
		return Page[thing]{}, nil
	})
	if _, err := invoke(m, "listThings", Params{"page": "2", "pagesize": "10000"}, User); err != nil || got.PageSize != 10000 {
		t.Errorf("without a limit: got %+v, %v", got, err)
	}
	if _, err := invoke(m, "listThings", Params{}, User); err != nil || got.PageSize != -1 {
		t.Errorf("without a limit and a page: got %+v, %v", got, err)
	}
}

func TestEncodeIsTheInverse(t *testing.T) {
	t.Parallel()
	in := thingIn{
		Scope: Scope{Account: "a", DomainID: aDomain, Recursive: true}, Paging: Paging{Page: 2, PageSize: 3, Keyword: "k"},
		ID: aVM, IDs: []uid.VM{aVM}, Name: "n", Text: new(""), On: true, Maybe: new(false), N: 1, Long: -2, MaybeN: new(int64(0)),
		F: 0.1, MaybeF: new(-0.5), Words: []string{"a", "b"}, Numbers: []int64{1}, From: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		One: "green", HostID: aVM, Details: map[string]string{"key": "value", "a.b[0]": ""}, Nets: []netIn{{ID: aVM}, {ID: aZone, IP: "1"}},
	}
	got, err := decodeThing(getThing.Describe().in.encode(reflect.ValueOf(in)), RootAdmin)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, in) {
		t.Errorf("got  %+v\nwant %+v", got, in)
	}
}
