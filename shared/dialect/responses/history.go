package responses

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Items are what a stored response adds to a conversation: the input that Stored.Input listed, and its output as input. They have their
// ids, by which item references find them; Expand takes off those that must not be sent.
func Items(response, input []byte) []json.RawMessage {
	var stored struct {
		Output []json.RawMessage `json:"output"`
	}
	var items []json.RawMessage
	_ = json.Unmarshal(input, &items) // what cannot be read adds nothing
	_ = json.Unmarshal(response, &stored)
	return append(items, stored.Output...)
}

// References are the ids of the items that a body refers to, for who finds them among what is stored.
func References(body []byte) (ids []string) {
	input := [1]jsonedit.Field{{Name: "input"}}
	if jsonedit.Scan(body, input[:]) != nil || input[0].Kind != jsonedit.Array {
		return nil
	}
	for _, raw := range elements(input[0].Raw) {
		if id := referenceIn(raw); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// referenceIn is the id that an item refers to; empty if it is no reference.
func referenceIn(raw []byte) string {
	fields := [...]jsonedit.Field{{Name: "type"}, {Name: "id"}, {Name: "role"}}
	if len(raw) == 0 || raw[0] != '{' || !jsonedit.Find(raw, fields[:]) {
		return ""
	}
	kind, _ := fields[0].Text()
	id, _ := fields[1].Text()
	if kind == "item_reference" || kind == "" && !fields[2].Given() {
		return id
	}
	return ""
}

// Expand is the body for a target that does not know the earlier response: its input is the conversation so far, oldest first (the Items
// of all responses up to that one), and then its own; previous_response_id is gone. An item of the history that the body refers to
// takes the reference's place. The error is a gateway.Error.
func Expand(body []byte, history []json.RawMessage) ([]byte, error) {
	fields := [...]jsonedit.Field{{Name: "input"}, {Name: "previous_response_id"}}
	if jsonedit.Scan(body, fields[:]) != nil {
		return nil, gateway.Invalid("", "The body is not valid JSON.")
	}
	input := &fields[0]
	if input.Given() && input.Kind != jsonedit.String && input.Kind != jsonedit.Array {
		return nil, gateway.Invalid("input", "input must be a string or a list of items.")
	}
	known := map[string]json.RawMessage{}
	for _, raw := range history {
		if id := idOf(raw); id != "" {
			known[id] = raw
		}
	}
	var own []byte
	placed := map[string]bool{}
	for _, raw := range ownItems(input) {
		if id := referenceIn(raw); known[id] != nil {
			raw, placed[id] = replayed(known[id]), true
		}
		if len(raw) > 0 {
			own = joined(own, raw)
		}
	}
	var all []byte
	for _, raw := range history {
		if id := idOf(raw); id != "" && placed[id] {
			continue
		}
		if raw = replayed(raw); len(raw) > 0 {
			all = joined(all, raw)
		}
	}
	if len(own) > 0 {
		all = joined(all, own)
	}
	return jsonedit.Replace(nil, body, input.Set(list(all)), fields[1].Delete()), nil
}

func idOf(raw []byte) string {
	id := [1]jsonedit.Field{{Name: "id"}}
	if len(raw) == 0 || raw[0] != '{' || !jsonedit.Find(raw, id[:]) {
		return ""
	}
	text, _ := id[0].Text()
	return text
}

// unnamed are the items that OpenAI takes without an id: with one it looks for what it has stored, and refuses a call whose thought is
// not there.
var unnamed = map[string]bool{
	"message": true, "function_call": true, "function_call_output": true, "custom_tool_call": true, "custom_tool_call_output": true,
	"local_shell_call": true, "shell_call": true, "shell_call_output": true, "apply_patch_call": true, "apply_patch_call_output": true,
	"tool_search_call": true, "tool_search_output": true,
}

// replayed is an item of the history as input. It is nil if it says nothing to anybody.
func replayed(raw []byte) []byte {
	fields := [...]jsonedit.Field{
		{Name: "id"}, {Name: "type"}, {Name: "status"}, {Name: "content"}, {Name: "encrypted_content"}, {Name: "summary"},
	}
	if len(raw) == 0 || raw[0] != '{' || !jsonedit.Find(raw, fields[:]) {
		return nil
	}
	id, kind, status, content, sealed, summary := &fields[0], &fields[1], &fields[2], &fields[3], &fields[4], &fields[5]
	name, _ := kind.Text()
	var edits []jsonedit.Edit
	switch {
	case name == "reasoning":
		if !sealed.Given() {
			if len(elements(summary.Raw)) == 0 && len(elements(content.Raw)) == 0 {
				return nil
			}
			edits = append(edits, id.Delete())
		}
		edits = append(edits, status.Delete())
	case unnamed[name] || name == "":
		edits = append(edits, id.Delete())
		if name == "message" || name == "function_call" {
			edits = append(edits, status.Delete())
		}
	}
	if name == "message" && content.Kind == jsonedit.Array {
		edits = append(edits, content.Set(withoutLogprobs(content.Raw)))
	}
	return jsonedit.Replace(nil, raw, edits...)
}

// withoutLogprobs are a message's parts without the probabilities of their tokens, which are for reading only.
func withoutLogprobs(parts []byte) []byte {
	var out []byte
	for _, raw := range elements(parts) {
		probs := [1]jsonedit.Field{{Name: "logprobs"}}
		if raw[0] == '{' && jsonedit.Find(raw, probs[:]) {
			raw = jsonedit.Replace(nil, raw, probs[0].Delete())
		}
		out = joined(out, raw)
	}
	return list(out)
}
