package messages

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// elements are the values of an array. The text must be JSON: of anything else a part may come.
func elements(raw []byte) [][]byte { return slices.Collect(jsonedit.Elements(raw)) }

// members are the names and values of an object, as elements are those of an array.
func members(raw []byte) iter.Seq2[string, []byte] { return jsonedit.Members(raw) }

// marshal writes a value of our own types as JSON, without escapes that only HTML needs.
func marshal(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null") // our types are all writable, and raw parts are checked before
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
