package api

import (
	"fmt"
	"reflect"
	"strings"
)

// object is a piece of JSON; encoding/json sorts its names.
type object = map[string]any

// OpenAPI is the OpenAPI 3.1 document of the commands, as JSON.
func (r *Reference) OpenAPI() []byte {
	doc := &openAPI{schemas: object{}, shapes: map[string]*shape{}}
	paths := object{}
	for _, d := range r.commands() {
		method := "post"
		if d.reads() {
			method = "get"
		}
		paths["/client/api/"+d.Name] = object{method: doc.operation(d)}
	}
	doc.schemas["Error"] = errorSchema
	return indented(object{
		"openapi": "3.1.0",
		"info": object{
			"title":   "Virga, CloudStack API",
			"version": r.Version,
			"description": "There is one endpoint, /client/api, and the command is its parameter command. It is spelled as part of " +
				"the path here because OpenAPI tells operations apart by their paths. GET and POST of a form mean the same.",
		},
		"paths":      paths,
		"components": object{"schemas": doc.schemas},
	})
}

// reads tells whether a command changes nothing.
func (d *Description) reads() bool {
	for _, verb := range []string{"list", "get", "query", "find"} {
		if strings.HasPrefix(d.Name, verb) {
			return true
		}
	}
	return false
}

// openAPI gathers the schemas of wire types while the operations are written.
type openAPI struct {
	schemas object
	shapes  map[string]*shape
}

func (o *openAPI) operation(d *Description) object {
	params := []object{}
	for _, p := range d.in.params {
		params = append(params, p.openAPI())
	}
	op := object{
		"operationId": d.Name,
		"tags":        []string{d.Noun},
		"summary":     d.Doc,
		"description": facts(d),
		"parameters":  params,
		"responses": object{
			"200":     jsonBody("The answer.", only(object{Envelope(d.Name): o.answer(d)})),
			"default": jsonBody("An error; its code is the HTTP status.", object{"type": "object", "additionalProperties": ref("Error")}),
		},
	}
	if d.Kind == KindJob {
		op["x-job-result"] = o.outcome(d)
	}
	return op
}

// answer is the schema of what is inside the envelope.
func (o *openAPI) answer(d *Description) object {
	switch d.Kind {
	case KindList:
		if d.other != nil {
			return object{"oneOf": []object{o.list(d.Object, d.out), o.list(d.other.object, d.other.shape)}}
		}
		return o.list(d.Object, d.out)
	case KindJob:
		return o.started(d)
	default:
		return o.outcome(d)
	}
}

// list is the schema of a page of items.
func (o *openAPI) list(name string, item *shape) object {
	return object{"type": "object", "additionalProperties": false, "properties": object{
		"count": object{"type": "integer", "description": "How many there are in all; absent when there are none."},
		name:    object{"type": "array", "items": o.ref(item)},
	}}
}

// started is the schema of a job's first answer.
func (o *openAPI) started(d *Description) object {
	first := o.ref(shapeFor[onlyStarted]())
	if d.Creates {
		first = o.ref(shapeFor[started]())
	}
	if d.dryRun == nil {
		return first
	}
	return object{"oneOf": []object{first, only(object{dryRunObject: o.ref(d.dryRun)})}}
}

func (o *openAPI) outcome(d *Description) object {
	if d.Object == "" {
		return o.ref(d.out)
	}
	return only(object{d.Object: o.ref(d.out)})
}

// ref refers to a wire type's schema, and writes it the first time.
func (o *openAPI) ref(s *shape) object {
	name := s.schemaName()
	if known := o.shapes[name]; known != s {
		if known != nil {
			panic(fmt.Sprintf("api: %s and %s would have the same schema name", known.typ, s.typ))
		}
		o.shapes[name] = s
		o.schemas[name] = o.schema(s)
	}
	return ref(name)
}

func (s *shape) schemaName() string {
	name := s.typ.Name()
	return strings.ToUpper(name[:1]) + name[1:]
}

func (o *openAPI) schema(s *shape) object {
	properties, required := object{}, []string{}
	for _, f := range s.fields {
		property := o.property(f, f.kind)
		property["description"] = fieldDoc(Field{Doc: f.doc, Admin: f.admin, Since: f.since})
		properties[f.name] = property
		if !f.optional {
			required = append(required, f.name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (o *openAPI) property(f *wireField, kind fieldKind) object {
	switch kind {
	case kindObject:
		return o.ref(f.shape)
	case kindList:
		return object{"type": "array", "items": o.property(f, f.elem)}
	case kindMap:
		return object{"type": "object", "additionalProperties": object{"type": "string"}}
	case kindResult:
		return object{"type": "object"}
	case kindDate:
		return object{"type": "string", "examples": []string{"2026-01-31T12:00:00+0000"}}
	case kindString:
		if isID(elemType(f.typ)) {
			return object{"type": "string", "format": "uuid"}
		}
	}
	return wordSchema(string(kind))
}

// elemType takes pointers and slices off a type.
func elemType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func (p *param) openAPI() object {
	schema := wordSchema(p.word())
	switch {
	case p.items != nil:
		schema = object{"type": "array", "items": p.items.openAPI()}
	case p.mapped():
		schema = object{"type": "object", "additionalProperties": object{"type": "string"}}
	case p.word() == "list":
		schema = object{"type": "array", "items": wordSchema(codecOf(p.typ.Elem()).word)}
	case p.oneOf != nil:
		schema["enum"] = p.oneOf
	case p.word() == "string":
		schema["maxLength"] = p.length
	}
	out := object{"name": p.name, "in": "query", "description": paramDoc(Param{Doc: p.doc, Admin: p.admin, Since: p.since}), "schema": schema}
	if p.required {
		out["required"] = true
	}
	if p.word() == "list" {
		out["explode"] = false
	}
	if p.mapped() {
		out["description"] = fmt.Sprintf("%s Travels as %s[0].field=value.", out["description"], p.name)
	}
	return out
}

func (in *inputs) openAPI() object {
	properties := object{}
	for _, p := range in.params {
		properties[p.name] = wordSchema(p.word())
	}
	return object{"type": "object", "properties": properties}
}

// wordSchema is the schema of a type of listApis.
func wordSchema(word string) object {
	switch word {
	case "boolean":
		return object{"type": "boolean"}
	case "integer":
		return object{"type": "integer", "format": "int32"}
	case "long":
		return object{"type": "integer", "format": "int64"}
	case "float":
		return object{"type": "number"}
	case "uuid":
		return object{"type": "string", "format": "uuid"}
	}
	return object{"type": "string"}
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// only is an object of exactly these properties.
func only(properties object) object {
	required := []string{}
	for name := range properties {
		required = append(required, name)
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func jsonBody(description string, schema object) object {
	return object{"description": description, "content": object{"application/json": object{"schema": schema}}}
}

var errorSchema = object{"type": "object", "required": []string{"errorcode", "errortext"}, "properties": object{
	"uuidList":    object{"type": "array", "items": object{"type": "string"}},
	"errorcode":   object{"type": "integer"},
	"cserrorcode": object{"type": "integer"},
	"errortext":   object{"type": "string"},
}}
