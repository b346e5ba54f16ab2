package api

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"
)

// every has a field of each kind, both left out when empty and not.
type every struct {
	Text   string   `json:"text" doc:"x"`
	Little string   `json:"little,omitempty" doc:"x"`
	Int    int      `json:"int" doc:"x"`
	Long   int64    `json:"long,omitempty" doc:"x"`
	Float  float64  `json:"float" doc:"x"`
	Ratio  float64  `json:"ratio,omitempty" doc:"x"`
	On     bool     `json:"on" doc:"x"`
	Off    bool     `json:"off,omitempty" doc:"x"`
	Maybe  *int64   `json:"maybe" doc:"x"`
	Might  *string  `json:"might,omitempty" doc:"x"`
	Words  []string `json:"words" doc:"x"`
	Few    []int    `json:"few,omitempty" doc:"x"`
	embedded
	Part   part              `json:"part" doc:"x"`
	Nested *part             `json:"nested,omitempty" doc:"x"`
	Parts  []part            `json:"parts" doc:"x"`
	Bits   []*part           `json:"bits,omitempty" doc:"x"`
	Map    map[string]string `json:"map" doc:"x"`
	Some   map[string]string `json:"some,omitempty" doc:"x"`
	Made   Time              `json:"made,omitzero" doc:"x"`
	Times  []Time            `json:"times,omitempty" doc:"x"`
	Zero   part              `json:"zero,omitzero" doc:"x"`
}

type embedded struct {
	Inner string `json:"inner,omitempty" doc:"x"`
}

// What is written is what encoding/json would write, but for what only admins see.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{"", "plain", `a<b>&"c"\`, "\x00\n\t\x1f\x7f", "Zürich \u2028\u2029", "\xff\xfe", "Ελλάδα", "\xed\xa0\x80"} {
		for _, number := range []float64{0, 1, -1.5, 1e21, 1e20, 1e-6, 1e-7, math.MaxFloat64, 0.1} {
			f.Add(text, int64(number), number)
		}
	}
	f.Fuzz(func(t *testing.T, text string, n int64, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Skip("needs a number")
		}
		p := part{Name: text, Wire: text}
		full := every{
			Text: text, Little: text, Int: int(n), Long: n, Float: x, Ratio: x, On: n > 0, Off: n > 1, Maybe: &n, Might: &text,
			Words: []string{text, ""}, Few: []int{int(n)}, embedded: embedded{text}, Part: p, Nested: &p, Parts: []part{p, {}}, Bits: []*part{&p, nil},
			Map: map[string]string{text: text, "b": "", "a": text}, Some: map[string]string{text: ""}, Made: At(time.Unix(n%1e10, n)),
			Times: []Time{{}, At(time.Unix(n%1e10, 0))}, Zero: p,
		}
		for _, v := range []every{{}, full, {Words: []string{}, Few: []int{}, Parts: []part{}, Map: map[string]string{}, Some: map[string]string{}}} {
			var want, got bytes.Buffer
			e := json.NewEncoder(&want)
			e.SetEscapeHTML(false)
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			out := &jsonWriter{w: &got, role: RootAdmin}
			out.object(shapeFor[every](), reflect.ValueOf(v))
			if err := out.flush(); err != nil || got.String()+"\n" != want.String() {
				t.Errorf("%v\ngot  %s\nwant %s", err, got.String(), want.String())
			}
		}
	})
}

func TestSharedListsAreWrittenAlike(t *testing.T) {
	t.Parallel()
	parts := []part{{Name: "a"}, {Name: "b", Wire: "w"}}
	items := []every{{Parts: parts}, {Parts: parts}, {Parts: parts[:1]}, {Parts: parts[1:]}, {Parts: parts}, {}, {Parts: parts[:0]}}
	for role, want := range map[Role]string{
		RootAdmin: `[{"name":"a"},{"name":"b","wire":"w"}]`, User: `[{"name":"a"},{"name":"b"}]`,
	} {
		out := &jsonWriter{w: &bytes.Buffer{}, role: role}
		for _, i := range items {
			out.buf = out.buf[:0]
			out.object(shapeFor[every](), reflect.ValueOf(i))
			all, err := json.Marshal(i.Parts)
			if role == User {
				all = bytes.ReplaceAll(all, []byte(`,"wire":"w"`), nil)
			}
			if !bytes.Contains(out.buf, append([]byte(`"parts":`), all...)) || err != nil {
				t.Errorf("%s is not in %s", all, out.buf)
			}
			if len(i.Parts) == 2 && !bytes.Contains(out.buf, []byte(want)) {
				t.Errorf("%s is not in %s", want, out.buf)
			}
		}
	}
}

func TestWhatIsNoNumberIsAnError(t *testing.T) {
	t.Parallel()
	out := &jsonWriter{w: &bytes.Buffer{}}
	out.object(shapeFor[every](), reflect.ValueOf(every{Float: math.NaN()}))
	if out.flush() == nil {
		t.Error("NaN was written")
	}
}
