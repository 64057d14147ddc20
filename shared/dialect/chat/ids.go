package chat

import (
	"bytes"

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
	messages := r.messages.Raw
	if bytes.Contains(r.Body, packed) || q.ownIDs && bytes.Contains(r.Body, []byte(`"tool_call`)) {
		messages = fitIDs(messages, q.fitID)
	}
	if r.losesMarkers(q) {
		tools := [...]jsonedit.Field{{Name: "tools"}}
		if jsonedit.Find(r.Body, tools[:]); tools[0].Given() {
			edits = append(edits, tools[0].Set(unmarked(tools[0].Raw)))
		}
		messages = unmarked(messages)
	}
	if len(messages) > 0 && &messages[0] != &r.messages.Raw[0] {
		edits = append(edits, r.messages.Set(messages))
	}
	return edits
}

// marker is Anthropic's name of a cache marker, which LiteLLM's and OpenRouter's callers put into OpenAI's format.
const marker = "cache_control"

var markerWord = []byte(`"` + marker + `"`)

// losesMarkers reports whether the body has markers that its host may refuse: they are hints, and left out.
func (r *request) losesMarkers(q *quirks) bool {
	return q.refusesMarkers && r.Op == gateway.OpChat && bytes.Contains(r.Body, markerWord)
}

// unmarked takes the cache markers out of a list of messages, parts or tools.
func unmarked(list []byte) []byte {
	return jsonedit.EditEach(list, func(item []byte) []byte {
		fields := [...]jsonedit.Field{{Name: marker}, {Name: "content"}}
		if !jsonedit.Find(item, fields[:]) {
			return item
		}
		edits := []jsonedit.Edit{fields[0].Delete()}
		if content := &fields[1]; content.Kind == jsonedit.Array {
			edits = append(edits, content.Set(unmarked(content.Raw)))
		}
		return jsonedit.Replace(nil, item, edits...)
	})
}

// fitIDs rewrites the tool call ids of messages; all else stays as it is.
func fitIDs(messages []byte, fit func(string) string) []byte {
	return jsonedit.EditEach(messages, func(m []byte) []byte {
		fields := [...]jsonedit.Field{{Name: "tool_call_id"}, {Name: "tool_calls"}}
		if !jsonedit.Find(m, fields[:]) {
			return m
		}
		var edits []jsonedit.Edit
		if id, ok := fields[0].Text(); ok {
			edits = append(edits, fields[0].SetString(fitID(id, fit)))
		}
		if fields[1].Kind == jsonedit.Array {
			edits = append(edits, fields[1].Set(jsonedit.EditEach(fields[1].Raw, func(call []byte) []byte {
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
