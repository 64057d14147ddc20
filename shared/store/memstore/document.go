package memstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/shared/store"
)

// document is one immutable state of a document.
type document struct {
	id      string
	version store.Version
	json    []byte
	fields  map[string]any // whole numbers as int64
}

func (d *document) at() store.Version {
	if d == nil {
		return 0
	}
	return d.version
}

func (d *document) doc() store.Doc {
	return store.Doc{ID: d.id, Version: d.version, JSON: slices.Clone(d.json)}
}

// encode makes a document of a Go value, refusing what the port refuses.
func encode(id string, value any) (*document, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if len(encoded) > store.MaxDocBytes {
		return nil, fmt.Errorf("%w: %s has %d bytes", store.ErrTooLarge, id, len(encoded))
	}
	d := &document{id: id, json: encoded}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&d.fields); err != nil || d.fields == nil {
		return nil, errors.Join(fmt.Errorf("store: %s is not a JSON object", id), err)
	}
	_, err = whole(d.fields)
	return d, err
}

// whole replaces json.Number by int64 throughout, or says which number is none.
func whole(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("store: %s is not a whole number that fits 64 bits", v)
		}
		return n, nil
	case []any:
		for i := range v {
			if v[i], err = whole(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = whole(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
