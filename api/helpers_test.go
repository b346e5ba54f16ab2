package api

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"
)

type ctx = context.Context

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func succeed(context.Context, None) (Success, error) { return Success{Success: true}, nil }

func invoke(m *Mux, name string, given Params, role Role) (Answer, error) {
	e, ok := m.Find(name)
	if !ok {
		return Answer{}, errors.New("no command " + name)
	}
	return e.Invoke(context.Background(), given, role)
}

func bothFormats(t *testing.T, a Answer) (j, x string) {
	t.Helper()
	var js, xs bytes.Buffer
	if err := errors.Join(JSON.Write(&js, a, "4.22.0.0"), XML.Write(&xs, a, "4.22.0.0")); err != nil {
		t.Fatal(err)
	}
	return js.String(), xs.String()
}
