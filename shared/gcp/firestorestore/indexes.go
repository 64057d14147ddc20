package firestorestore

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/store"
)

type indexFile struct {
	Indexes   []compositeIndex `json:"indexes"`
	Overrides []fieldOverride  `json:"fieldOverrides"`
}

type compositeIndex struct {
	Collection string         `json:"collectionGroup"`
	Scope      string         `json:"queryScope"`
	Fields     []indexedField `json:"fields"`
}

type indexedField struct {
	Path  string `json:"fieldPath"`
	Order string `json:"order"`
}

type fieldOverride struct {
	Collection string       `json:"collectionGroup"`
	Path       string       `json:"fieldPath"`
	TTL        bool         `json:"ttl,omitempty"`
	Indexes    []fieldIndex `json:"indexes"`
}

type fieldIndex struct {
	Order string `json:"order"`
	Scope string `json:"queryScope"`
}

const (
	scope      = "COLLECTION"
	ascending  = "ASCENDING"
	descending = "DESCENDING"
)

// IndexesJSON renders firestore.indexes.json for the collections: every declared index in both directions of its last field,
// the TTL policies, and nothing else. Firestore's automatic indexes of all other fields are switched off:
// they cost write latency, and documents with much nested content would exceed the limit of 40,000 index entries.
func IndexesJSON(collections ...store.Collection) ([]byte, error) {
	file := indexFile{Indexes: []compositeIndex{}, Overrides: []fieldOverride{}}
	for _, c := range collections {
		file.add(c)
	}
	rendered, err := json.MarshalIndent(file, "", "  ")
	return append(rendered, '\n'), err
}

func (f *indexFile) add(c store.Collection) {
	f.Overrides = append(f.Overrides, fieldOverride{Collection: c.Name, Path: "*", Indexes: []fieldIndex{}})
	for _, index := range c.Indexes {
		switch len(index) {
		case 0:
		case 1:
			both := []fieldIndex{{ascending, scope}, {descending, scope}}
			f.Overrides = append(f.Overrides, fieldOverride{Collection: c.Name, Path: path(index[0]), Indexes: both})
		default:
			last := len(index) - 1
			f.composite(c, index[:last], path(index[last]), ascending)
			f.composite(c, index[:last], path(index[last]), descending)
		}
	}
	if c.TTL != "" {
		f.Overrides = append(f.Overrides, fieldOverride{Collection: c.Name, Path: TTLField, TTL: true, Indexes: []fieldIndex{}})
	}
}

func (f *indexFile) composite(c store.Collection, equal store.Index, last, direction string) {
	index := compositeIndex{Collection: c.Name, Scope: scope}
	for _, field := range equal {
		index.Fields = append(index.Fields, indexedField{path(field), ascending})
	}
	index.Fields = append(index.Fields, indexedField{last, direction})
	f.Indexes = append(f.Indexes, index)
}
