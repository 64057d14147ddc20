package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Reader reads one top-level field of a body into a request.
type Reader func(r *llm.Request, name string, raw json.RawMessage) error

// Decode reads a body that Look has checked, field by field. What no reader is for goes to r.Hints if it is among the hints, else to r.Extra; null is as absent.
// What is the gateway's own is left out. The error is a gateway.Error that names the field.
func Decode(r *llm.Request, body []byte, readers map[string]Reader, hints map[string]bool) error {
	for name, value := range jsonedit.Members(body) {
		raw := json.RawMessage(value)
		read, known := readers[name]
		switch {
		case string(raw) == "null" || own[name]:
		case known:
			if err := read(r, name, raw); err != nil {
				return err
			}
		case hints[name]:
			Keep(&r.Hints, name, raw)
		default:
			Keep(&r.Extra, name, raw)
		}
	}
	return nil
}

// own are the fields that are for the gateway alone.
var own = map[string]bool{"model": true, "stream": true, "tags": true, "litellm_metadata": true, "drop_params": true}

// Keep keeps a field that has no place in the neutral form.
func Keep(fields *map[string]json.RawMessage, name string, raw json.RawMessage) {
	if *fields == nil {
		*fields = map[string]json.RawMessage{}
	}
	(*fields)[name] = raw
}

// Into is a reader that unmarshals into a place of the request.
func Into[T any](place func(*llm.Request) *T) Reader {
	return func(r *llm.Request, name string, raw json.RawMessage) error { return Read(name, raw, place(r)) }
}

// Number is a reader of a number within bounds.
func Number(least, most float64, place func(*llm.Request) **float64) Reader {
	return func(r *llm.Request, name string, raw json.RawMessage) error {
		var n float64
		if err := Read(name, raw, &n); err != nil {
			return err
		}
		if n < least || n > most {
			return gateway.Invalid(name, "%s must be from %v to %v.", name, least, most)
		}
		*place(r) = &n
		return nil
	}
}

// Whole is a reader of a whole number within bounds.
func Whole(least, most int64, place func(*llm.Request, int64)) Reader {
	return func(r *llm.Request, name string, raw json.RawMessage) error {
		var n int64
		if err := Read(name, raw, &n); err != nil {
			return err
		}
		if n < least || n > most {
			return gateway.Invalid(name, "%s must be a whole number from %d to %d.", name, least, most)
		}
		place(r, n)
		return nil
	}
}

// Read unmarshals what stands at a path of the caller's body. The error is a gateway.Error that names the place.
func Read(path string, raw json.RawMessage, into any) error {
	if quick(raw, into) {
		return nil
	}
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return gateway.Invalid(path, "%s cannot be read.", path)
	}
	if wrong.Field != "" {
		path += "." + wrong.Field
	}
	e := gateway.Invalid(path, "%s has the wrong type: it is %s.", path, strings.Fields(wrong.Value + " ")[0])
	e.Code = "invalid_type"
	return e
}

// At is the path of a list's item.
func At(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// quick reads the usual types without a second look at what was checked.
func quick(raw json.RawMessage, into any) (done bool) {
	switch into := into.(type) {
	case *string:
		text, ok := jsonedit.Unquote(raw)
		if ok {
			*into = text
		}
		return ok
	case *json.RawMessage:
		*into = raw
		return true
	case *[]json.RawMessage:
		if raw[0] != '[' {
			return false
		}
		*into = make([]json.RawMessage, 0, 8)
		for item := range jsonedit.Elements(raw) {
			*into = append(*into, item)
		}
		return true
	default:
		return false
	}
}
