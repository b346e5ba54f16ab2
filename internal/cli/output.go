package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// show writes an answer in one of the outputs. Text and tables show what a terminal would obey; the others are for programs, and
// leave it.
func (a answer) show(w io.Writer, output string, filtered, coloured bool) error {
	var b bytes.Buffer
	switch output {
	case "json":
		if filtered {
			a.raw = a.filtered()
		}
		if err := json.Indent(&b, a.raw, "", "  "); err != nil {
			return err
		}
		b.WriteByte('\n')
	case "csv":
		if err := a.csv(&b); err != nil {
			return err
		}
	case "table":
		a.table(&b, filtered)
	default:
		for i, item := range a.items {
			if i > 0 {
				b.WriteByte('\n')
			}
			block(&b, item, "", coloured)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// filtered is the answer with what a filter has left of it.
func (a answer) filtered() json.RawMessage {
	var v any
	items := make([]any, len(a.items))
	for i, item := range a.items {
		items[i] = item
	}
	switch {
	case a.list && a.noun != "":
		v = object{{"count", json.Number(strconv.Itoa(a.count))}, {a.noun, items}}
	case a.list:
		v = object{}
	case a.noun != "":
		v = object{{a.noun, items[0]}}
	default:
		v = items[0]
	}
	return json.RawMessage(compact(v))
}

// block writes an object as lines of names and values, and what is inside it indented.
func block(b *bytes.Buffer, o object, indent string, coloured bool) {
	width := 0
	for _, f := range o {
		width = max(width, utf8.RuneCountInString(clean(f.name)))
	}
	for _, f := range o {
		name := clean(f.name)
		size := utf8.RuneCountInString(name)
		if coloured {
			name = "\x1b[36m" + name + "\x1b[0m"
		}
		b.WriteString(indent + name)
		if inner := insides(f.value); inner != nil {
			b.WriteByte('\n')
			for _, one := range inner {
				at := b.Len()
				block(b, one, indent+"    ", coloured)
				if line := b.Bytes()[at:]; len(line) > len(indent)+2 {
					line[len(indent)+2] = '-'
				}
			}
			continue
		}
		if text := clean(plain(f.value)); text != "" {
			b.WriteString(strings.Repeat(" ", width-size+2) + text)
		}
		b.WriteByte('\n')
	}
}

// insides are the objects in a field, nil where it has something else.
func insides(v any) []object {
	switch v := v.(type) {
	case object:
		if len(v) > 0 {
			return []object{v}
		}
	case []any:
		var out []object
		for _, one := range v {
			if o, ok := one.(object); ok && len(o) > 0 {
				out = append(out, o)
			}
		}
		return out
	}
	return nil
}

// telling are the fields that tell most, in the order a table has them that nobody has chosen fields for.
var telling = strings.Fields(`id name displayname username displaytext description value state status allocationstate resourcestate type success
	hypervisor ipaddress cidr memory cpunumber size vmname templatename serviceofferingname zonename account domain created`)

// tellingColumns is how many of them a table has.
const tellingColumns = 7

// columns are the fields of a table: those that tell most, of any kind where there are none of these.
func (a answer) columns(all bool) []string {
	var names []string
	for _, item := range a.items {
		for _, f := range item {
			if !slices.Contains(names, f.name) && (all || insides(f.value) == nil) {
				names = append(names, f.name)
			}
		}
	}
	if all {
		return names
	}
	var out []string
	for _, name := range telling {
		if name == "username" && slices.Contains(out, "name") {
			continue // whose it is; only of users it is the name
		}
		if slices.Contains(names, name) && len(out) < tellingColumns {
			out = append(out, name)
		}
	}
	for _, name := range names {
		if len(out) < min(tellingColumns, 3) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (a answer) csv(b *bytes.Buffer) error {
	w := csv.NewWriter(b)
	columns := a.columns(true)
	if len(columns) == 0 {
		return nil
	}
	rows := [][]string{columns}
	for _, item := range a.items {
		row := make([]string, len(columns))
		for i, name := range columns {
			row[i] = item.text(name)
		}
		rows = append(rows, row)
	}
	return w.WriteAll(rows)
}

// table draws the things in a frame, under how many there are and what they are.
func (a answer) table(b *bytes.Buffer, filtered bool) {
	if a.list {
		fmt.Fprintf(b, "count = %d\n", a.count)
	}
	if len(a.items) == 0 {
		return
	}
	if a.noun != "" {
		fmt.Fprintf(b, "%s:\n", clean(a.noun))
	}
	columns := a.columns(filtered)
	rows := [][]string{make([]string, len(columns))}
	for i, name := range columns {
		rows[0][i] = clean(name)
	}
	for _, item := range a.items {
		row := make([]string, len(columns))
		for i, name := range columns {
			row[i] = clean(item.text(name))
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	cells := make([]string, len(columns))
	for i, width := range widths {
		cells[i] = strings.Repeat("-", width+2)
	}
	rule := "+" + strings.Join(cells, "+") + "+"
	b.WriteString(rule + "\n")
	for i, row := range rows {
		for j, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell)+1))
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(rule + "\n")
		}
	}
	b.WriteString(rule + "\n")
}
