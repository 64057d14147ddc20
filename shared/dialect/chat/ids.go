package chat

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// packed is in every tool call id that Pack wrote.
var packed = []byte(llm.PackMark)

// adapted adds the edits that a vendor's quirks need of a body that passes through.
func (r *request) adapted(edits []jsonedit.Edit, q *quirks) []jsonedit.Edit {
	if older, newer := &r.limits[0], &r.limits[1]; q.olderLimit && newer.Present() {
		edits = append(edits, newer.Delete())
		if newer.Given() && !older.Given() {
			edits = append(edits, older.Set(newer.Raw))
		}
	}
	if q.noStreamOptions && r.streamOpts.Present() {
		edits = append(edits, r.streamOpts.Delete())
	}
	for _, pair := range q.rename {
		fields := [...]jsonedit.Field{{Name: pair[0]}, {Name: pair[1]}}
		if jsonedit.Find(r.Body, fields[:]); fields[0].Given() && !fields[1].Present() {
			edits = append(edits, fields[0].Delete(), fields[1].Set(fields[0].Raw))
		}
	}
	if r.Op != gateway.OpChat {
		return edits
	}
	if bytes.Contains(r.Body, packed) || q.ownIDs && bytes.Contains(r.Body, []byte(`"tool_call`)) {
		edits = append(edits, r.messages.Set(fitIDs(r.messages.Raw, q.callID)))
	}
	return edits
}

// fitIDs rewrites the tool call ids of messages; all else stays as it is.
func fitIDs(messages []byte, fit func(string) string) []byte {
	return eachOf(messages, func(m []byte) []byte {
		fields := [...]jsonedit.Field{{Name: "tool_call_id"}, {Name: "tool_calls"}}
		if !jsonedit.Find(m, fields[:]) {
			return m
		}
		var edits []jsonedit.Edit
		if id, ok := fields[0].Text(); ok {
			edits = append(edits, fields[0].SetString(fitID(id, fit)))
		}
		if fields[1].Kind == jsonedit.Array {
			edits = append(edits, fields[1].Set(eachOf(fields[1].Raw, func(call []byte) []byte {
				id := [...]jsonedit.Field{{Name: "id"}}
				if !jsonedit.Find(call, id[:]) || id[0].Kind != jsonedit.String {
					return call
				}
				was, _ := id[0].Text()
				return jsonedit.Replace(nil, call, id[0].SetString(fitID(was, fit)))
			})))
		}
		return jsonedit.Replace(nil, m, edits...)
	})
}

func fitID(packed string, fit func(string) string) string {
	id, _ := llm.Unpack(packed)
	return fit(id)
}

// eachOf rewrites the items of a list.
func eachOf(list []byte, edit func([]byte) []byte) []byte {
	var items []json.RawMessage
	if json.Unmarshal(list, &items) != nil {
		return list
	}
	for i := range items {
		if items[i] == nil {
			items[i] = json.RawMessage("null")
		}
		items[i] = edit(items[i])
	}
	return append(append([]byte{'['}, bytes.Join(asBytes(items), []byte{','})...), ']')
}

func asBytes(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}
