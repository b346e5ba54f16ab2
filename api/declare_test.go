package api

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	Inner    struct{ X string }
	shadowed struct {
		Inner `doc:"d"`
	}
)

// twice has two fields of one wire name. It is put together here because go vet refuses to see it written.
var twice = reflect.StructOf([]reflect.StructField{
	{Name: "A", Type: typeOf[string](), Tag: `json:"name" doc:"d"`},
	{Name: "B", Type: typeOf[string](), Tag: `json:"name" doc:"d"`},
})

func TestWrongInputsPanic(t *testing.T) {
	t.Parallel()
	type Name struct {
		Paging string `api:"x" doc:"d"`
	}
	for want, walk := range map[string]func(){
		"unknown option": func() {
			inputsOf(typeOf[struct {
				A string `api:"a,requird" doc:"d"`
			}]())
		},
		"no doc tag": func() {
			inputsOf(typeOf[struct {
				A string `api:"a"`
			}]())
		},
		"no name": func() { inputsOf(typeOf[shadowed]()) },
		"declared twice": func() {
			inputsOf(typeOf[struct {
				A string `api:"a" doc:"d"`
				B int    `api:"A" doc:"d"`
			}]())
		},
		"can't be a parameter": func() {
			inputsOf(typeOf[struct {
				A time.Duration `api:"a" doc:"d"`
			}]())
		},
		"map on a string": func() {
			inputsOf(typeOf[struct {
				A string `api:"a,map" doc:"d"`
			}]())
		},
		"end on a string": func() {
			inputsOf(typeOf[struct {
				A string `api:"a,end" doc:"d"`
			}]())
		},
		"max= on a int": func() {
			inputsOf(typeOf[struct {
				A int `api:"a,max=3" doc:"d"`
			}]())
		},
		"not a positive number": func() {
			inputsOf(typeOf[struct {
				A string `api:"a,max=0" doc:"d"`
			}]())
		},
		"a map inside a map": func() {
			inputsOf(typeOf[struct {
				A []struct {
					B map[string]string `api:"b" doc:"d"`
				} `api:"a" doc:"d"`
			}]())
		},
		"the Go name is used": func() {
			inputsOf(typeOf[struct {
				Paging
				Name
			}]())
		},
		"not exported": func() {
			inputsOf(typeOf[struct {
				a string `api:"a" doc:"d"`
			}]())
		},
		"is not a struct": func() { inputsOf(typeOf[int]()) },
		"set is for answers": func() {
			inputsOf(typeOf[struct {
				A []string `api:"a,set" doc:"d"`
			}]())
		},
		"no name in a json tag": func() {
			shapeOf(typeOf[struct {
				A string `doc:"d"`
			}]())
		},
		"can't be in an answer": func() {
			shapeOf(typeOf[struct {
				A any `json:"a" doc:"d"`
			}]())
		},
		"without omitempty": func() {
			shapeOf(typeOf[struct {
				A string `json:"a" api:"admin" doc:"d"`
			}]())
		},
		"needs omitzero": func() {
			shapeOf(typeOf[struct {
				A Time `json:"a" doc:"d"`
			}]())
		},
		"name is declared twice": func() { shapeOf(twice) },
		"has no Doc":             func() { Call[None, Success]{Name: "x", Noun: "n"}.Describe() },
		"has no Object":          func() { List[None, Success]{Name: "x", Noun: "n", Doc: "d"}.Describe() },
		"has another form without an Object of its own": func() {
			List[None, Success]{Name: "x", Noun: "n", Doc: "d", Object: "o", Other: Form{Object: "o", Item: (*Success)(nil)}}.Describe()
		},
		"x is declared twice":     func() { c := Call[None, Success]{Name: "x", Noun: "n", Doc: "d"}; NewMux(c, c) },
		"a second handler for":    func() { m := NewMux(dropThing); HandleCall(m, dropThing, succeed); HandleCall(m, dropThing, succeed) },
		"the mux doesn't know in": func() { HandleCall(NewMux(), dropThing, succeed) },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want one that says %q", got, want)
				}
			}()
			walk()
		})
	}
}

func TestOneDeclarationOneDescription(t *testing.T) {
	t.Parallel()
	copied := getThing
	if getThing.Describe() != copied.Describe() {
		t.Error("two descriptions of one declaration")
	}
}
