package recordings_test

import (
	"encoding/json"
	"reflect"
	"testing"
)

// This file is about the SDKs of Anthropic and OpenAI, which are made by one generator.

// strange finds what of an answer the types that it was read into have no place for, or a place of another type. They note what they read
// of each field in a struct JSON.
func strange(v any) (names []string) {
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			if is := v.MethodByName("AsAny"); is.IsValid() { // a union
				if v := is.Call(nil)[0]; !v.IsNil() {
					walk(v.Elem())
				}
				return
			}
			notes := v.FieldByName("JSON")
			for field, of := range v.Fields() {
				if field.Name == "JSON" || !field.IsExported() {
					continue
				}
				if note, found := noteOf(notes, field.Name); found && !note.Valid() && note.Raw() != "" && note.Raw() != "null" {
					names = append(names, field.Name)
				}
				walk(of)
			}
			if notes.IsValid() && notes.FieldByName("ExtraFields").IsValid() {
				for _, name := range notes.FieldByName("ExtraFields").MapKeys() {
					names = append(names, name.String())
				}
			}
		}
	}
	walk(reflect.ValueOf(v))
	return names
}

type note interface {
	Valid() bool
	Raw() string
}

func noteOf(notes reflect.Value, name string) (note, bool) {
	if !notes.IsValid() {
		return nil, false
	}
	field := notes.FieldByName(name)
	if !field.IsValid() {
		return nil, false
	}
	n, ok := field.Interface().(note)
	return n, ok
}

// sayable checks that the SDK's type for a request has a place for all that is in a body: read into it and written again it is the same,
// but for fields of which the SDK itself cannot read what it writes.
func sayable[T any](unread ...string) func(*testing.T, []byte) {
	return func(t *testing.T, body []byte) {
		t.Helper()
		var params T
		fill(t, body, &params)
		again, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		same(t, body, again, unread...)
	}
}
