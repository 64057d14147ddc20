package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// DecodeStrict decodes one JSON object of valid UTF-8 in which no key comes twice, at any depth. Numbers are json.Number.
func DecodeStrict(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("it is not UTF-8")
	}
	if !json.Valid(body) {
		return nil, errors.New("it is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := decodeValue(dec)
	if err != nil {
		return nil, err
	}
	if fields, ok := v.(map[string]any); ok {
		return fields, nil
	}
	return nil, errors.New("it is not an object")
}

func decodeValue(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	switch {
	case err != nil:
		return nil, err
	case tok == json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	case tok == json.Delim('{'):
		return decodeObject(dec)
	}
	return tok, nil
}

func decodeObject(dec *json.Decoder) (any, error) {
	fields := make(map[string]any)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("the key %q comes twice", key)
		}
		if fields[key], err = decodeValue(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return fields, err
}

// Text is the string under a name, or empty.
func Text(fields map[string]any, name string) string {
	s, _ := fields[name].(string)
	return s
}

// Flag is whether the value under a name is true.
func Flag(fields map[string]any, name string) bool { return fields[name] == true }

// Sub is the object under a name, or nil.
func Sub(fields map[string]any, name string) map[string]any {
	m, _ := fields[name].(map[string]any)
	return m
}

// Items is the list under a name; what is no object becomes nil.
func Items(fields map[string]any, name string) []map[string]any {
	list, _ := fields[name].([]any)
	items := make([]map[string]any, len(list))
	for i, v := range list {
		items[i], _ = v.(map[string]any)
	}
	return items
}

// Strings is the list of strings under a name; a lone string is a list of one.
func Strings(fields map[string]any, name string) (texts []string) {
	if s, ok := fields[name].(string); ok {
		return []string{s}
	}
	list, _ := fields[name].([]any)
	for _, v := range list {
		s, _ := v.(string)
		texts = append(texts, s)
	}
	return texts
}

// Count is the whole number under a name, or otherwise.
func Count(fields map[string]any, name string, otherwise int) int {
	if v, ok := fields[name].(json.Number); ok {
		n, _ := v.Int64()
		return int(n)
	}
	return otherwise
}

// Number is the number under a name; ok is false if there is none.
func Number(fields map[string]any, name string) (f float64, ok bool) {
	v, ok := fields[name].(json.Number)
	f, _ = v.Float64()
	return f, ok
}
