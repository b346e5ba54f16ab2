package cloudstack

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// leaves are the plain values of an answer, each with the way to it: "listusersresponse/user[1]/username=admin". Empty ones
// are left out, for XML has elements where JSON has nothing.
type leaves []string

func (l *leaves) add(path, value string) {
	if value != "" {
		*l = append(*l, path+"="+value)
	}
}

func (l *leaves) json(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			items, many := field.([]any)
			if !many {
				items = []any{field}
			}
			for i, item := range items {
				l.json(fmt.Sprintf("%s/%s[%d]", path, name, i), item)
			}
		}
	default:
		l.add(path, fmt.Sprint(v))
	}
}

// xml reads what is in an element up to its end.
func (l *leaves) xml(d *xml.Decoder, path string) error {
	seen := map[string]int{}
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && path == "" {
			return nil
		} else if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if err := l.xml(d, fmt.Sprintf("%s/%s[%d]", path, name, seen[name])); err != nil {
				return err
			}
			seen[name]++
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			if len(seen) == 0 {
				l.add(path, text.String())
			}
			return nil
		}
	}
}

func TestXMLIsTheSameTreeAsJSON(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	done, broken, waiting := c.start(""), c.start("full"), c.start("wait")
	c.await(done.JobID)
	c.await(broken.JobID)
	for _, row := range [][]string{
		{"root", "listApis"}, {"red-user", "listApis"}, {"root", "listCapabilities"},
		{"root", "listUsers", "listall=true"}, {"root", "listAccounts", "listall=true"}, {"root", "listDomains", "listall=true"},
		{"root", "listEvents", "listall=true"}, {"red-user", "listThings"}, {"root", "listUsers", "username=nobody"},
		{"red-user", "getUserKeys", "id=" + string(c.tenants["red-user"].User)},
		{"red-user", "queryAsyncJobResult", "jobid=" + string(done.JobID)},
		{"red-user", "queryAsyncJobResult", "jobid=" + string(broken.JobID)},
		{"red-user", "queryAsyncJobResult", "jobid=" + string(waiting.JobID)},
		{"root", "listAsyncJobs", "listall=true"},
		{"root", "failWith", "text=<&>\"'"}, {"root", "failWith", "kind=full"}, {"red-user", "listUsers"}, {"root", "<x>"},
	} {
		var asJSON, asXML leaves
		var tree any
		plain := c.as(row[0], row[1], row[2:]...)
		d := json.NewDecoder(strings.NewReader(plain.body))
		d.UseNumber() // 1048576 is not 1.048576e+06
		c.must(d.Decode(&tree))
		asJSON.json("", tree)
		marked := c.as(row[0], row[1], append([]string{"response=xml"}, row[2:]...)...)
		if err := asXML.xml(xml.NewDecoder(strings.NewReader(marked.body)), ""); err != nil {
			t.Fatalf("%v: %v", row, err)
		}
		slices.Sort(asJSON)
		slices.Sort(asXML)
		if diff := cmp.Diff(asJSON, asXML); diff != "" || plain.status != marked.status {
			t.Errorf("%v: %d, %d\n%s", row, plain.status, marked.status, diff)
		}
		if plain.status == 200 && len(asJSON) == 0 && row[2] != "username=nobody" {
			t.Errorf("%v: nothing to compare", row)
		}
	}
}
