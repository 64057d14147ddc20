package config

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxNodes = 10_000 // of an object: aliases may repeat what they name, and that again
	maxNest  = 32
)

// scalar reads the text of a scalar that is no text, as it is written: no number passes through a float. A string is taken too, for
// what os.environ/ names is one.
func (r *reader) scalar(e entry, tags ...string) (string, error) {
	if e.val.Kind != yaml.ScalarNode || e.val.Tag != "!!str" && !slices.Contains(tags, e.val.Tag) {
		want := "a number"
		if tags[0] == "!!bool" {
			want = "true or false"
		}
		return "", r.errorf(e.val.Line, "%s must be %s", e.path, want)
	}
	text, _, err := r.follow(e)
	return strings.TrimSpace(text), err
}

// json is a value as JSON text, numbers as they are written.
func (r *reader) json(e entry) (json.RawMessage, error) {
	var out bytes.Buffer
	left := maxNodes
	err := r.write(&out, e, maxNest, &left)
	return out.Bytes(), r.set(err)
}

func (r *reader) write(out *bytes.Buffer, e entry, nest int, left *int) error {
	e.val = deref(e.val)
	if *left--; nest == 0 || *left < 0 {
		return r.errorf(e.line, "%s is too large or nested too deeply", e.path)
	}
	switch {
	case isNull(e.val):
		out.WriteString("null")
		return nil
	case e.val.Kind == yaml.MappingNode:
		return r.writeObject(out, e, nest-1, left)
	case e.val.Kind == yaml.SequenceNode:
		return r.writeList(out, e, nest-1, left)
	default:
		return r.writeScalar(out, e)
	}
}

func (r *reader) writeObject(out *bytes.Buffer, e entry, nest int, left *int) error {
	entries, err := r.fields(e.path, e.val)
	if err != nil {
		return err
	}
	out.WriteByte('{')
	for i, f := range entries {
		if i > 0 {
			out.WriteByte(',')
		}
		name, _ := json.Marshal(strings.TrimPrefix(f.path, e.path+"."))
		out.Write(name)
		out.WriteByte(':')
		if err := r.write(out, f, nest, left); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func (r *reader) writeList(out *bytes.Buffer, e entry, nest int, left *int) error {
	out.WriteByte('[')
	for i, item := range e.val.Content {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := r.write(out, entry{e.path, item.Line, item}, nest, left); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

func (r *reader) writeScalar(out *bytes.Buffer, e entry) error {
	text := e.val.Value
	switch e.val.Tag {
	case "!!bool", "!!int", "!!float":
		text = strings.ToLower(text)
		if !json.Valid([]byte(text)) {
			return r.errorf(e.line, "%s must be true, false or a plain decimal number", e.path)
		}
		out.WriteString(text)
		return nil
	case "!!str", "!!timestamp":
		text, _, err := r.follow(e)
		if err != nil {
			return err
		}
		quoted, err := json.Marshal(text)
		out.Write(quoted)
		return err
	default:
		return r.errorf(e.line, "%s must not be %s", e.path, kindOf(e.val))
	}
}
