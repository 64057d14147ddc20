package chat

import (
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const maxMessages = 100_000

// message has the fields of a message, of a request or an answer, or of a delta, as they were written.
type message struct {
	role, name, content, refusal []byte
	thought, reasoning           []byte // what the model thought, by the names of DeepSeek and of OpenRouter
	blocks, details              []byte // with seals, as LiteLLM and as OpenRouter show it
	calls, call, callID          []byte
	cache, cited, images, audio  []byte
}

func fieldsOf(raw []byte) (m message) {
	for name, value := range jsonedit.Members(raw) {
		if into := m.place(name); into != nil {
			*into = value
		}
	}
	return m
}

func (m *message) place(name string) *[]byte {
	switch name {
	case "role":
		return &m.role
	case "name":
		return &m.name
	case "content":
		return &m.content
	case "refusal":
		return &m.refusal
	case "reasoning_content":
		return &m.thought
	case "reasoning":
		return &m.reasoning
	case "thinking_blocks":
		return &m.blocks
	case "reasoning_details":
		return &m.details
	case "tool_calls":
		return &m.calls
	case "function_call":
		return &m.call
	case "tool_call_id":
		return &m.callID
	case "cache_control":
		return &m.cache
	case "annotations":
		return &m.cited
	case "images":
		return &m.images
	case "audio":
		return &m.audio
	default:
		return nil
	}
}

func (r *reading) messages(name string, raw []byte) {
	r.out.Messages = make([]llm.Message, 0, 8)
	for raw := range jsonedit.Elements(raw) {
		n := len(r.out.Messages)
		if n == maxMessages {
			r.invalid(name, "%s must have 1 to %d entries.", name, maxMessages)
		}
		at := index(name, n)
		if raw[0] != '{' {
			r.wrong(at, raw, "an object")
		}
		if r.err != nil {
			return
		}
		r.out.Messages = append(r.out.Messages, r.message(at, raw))
	}
}

// roles are the words for who speaks.
var roles = map[string]llm.Role{
	"system": llm.System, "developer": llm.System, "user": llm.User, "assistant": llm.Assistant, "tool": llm.User, "function": llm.User,
}

func (r *reading) message(at string, raw []byte) (out llm.Message) {
	m := fieldsOf(raw)
	word := r.need(at, "role", m.role)
	role, known := roles[word]
	if !known {
		r.invalid(at+".role", "%s.role must be system, developer, user, assistant or tool, not %.20q.", at, word)
		return out
	}
	out.Role, out.Name = role, r.text(at, "name", m.name)
	switch word {
	case "tool", "function":
		out.Name, out.Parts = "", []llm.Part{r.result(at, word, &m)}
	case "assistant":
		out.Parts = r.said(at, &m)
	default:
		out.Parts = r.content(nil, at, m.content)
	}
	if n := len(out.Parts); n > 0 && given(m.cache) {
		out.Parts[n-1].Cache = r.cache(at, m.cache)
	}
	return out
}

// result reads what a tool answered. The older form has the function's name only.
func (r *reading) result(at, role string, m *message) llm.Part {
	result := llm.Result{Name: r.text(at, "name", m.name), Parts: r.content(nil, at, m.content)}
	if role == "function" {
		result.ID = r.need(at, "name", m.name)
	} else {
		result.ID, _ = llm.Unpack(r.need(at, "tool_call_id", m.callID))
	}
	return llm.Part{Kind: llm.ToolResult, Result: &result}
}

// said reads what a model said: of an earlier turn, or in an answer.
func (r *reader) said(at string, m *message) []llm.Part {
	parts := r.thoughts(nil, at, m)
	parts = r.content(parts, at, m.content)
	if text := r.text(at, "refusal", m.refusal); text != "" {
		parts = append(parts, llm.Part{Kind: llm.Refusal, Text: text})
	}
	return r.toolCalls(parts, at, m)
}

// thoughts are those with a seal, or else what is there in plain words.
func (r *reader) thoughts(parts []llm.Part, at string, m *message) []llm.Part {
	parts = r.blocks(parts, at, m.blocks)
	if len(parts) == 0 {
		parts = r.details(parts, at, m.details)
	}
	if len(parts) > 0 {
		return parts
	}
	text := r.text(at, "reasoning_content", m.thought)
	if text == "" {
		text = r.text(at, "reasoning", m.reasoning)
	}
	if text == "" {
		return parts
	}
	return append(parts, llm.Part{Kind: llm.Thinking, Text: text})
}

// toolCalls reads the calls of a message, in either form.
func (r *reader) toolCalls(parts []llm.Part, at string, m *message) []llm.Part {
	if r.isObject(at, "function_call", m.call) {
		f := r.called(at+".function_call", m.call)
		if f.Name != "" {
			f.ID = f.Name // all that the older form says
			parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: &f})
		}
	}
	if !r.isList(at, "tool_calls", m.calls) {
		return parts
	}
	n := 0
	for raw := range jsonedit.Elements(m.calls) {
		here := index(at+".tool_calls", n)
		n++
		c := r.toolCall(here, raw)
		if c.Kind == 0 || r.err != nil {
			continue
		}
		if !r.answer && c.Call.ID == "" {
			r.invalid(here+".id", "%s.id is required.", here)
		}
		parts = append(parts, c)
	}
	return parts
}

// toolCall reads one call. It is no part if it is of a kind that is not known.
func (r *reader) toolCall(at string, raw []byte) (out llm.Part) {
	if !r.isObject(at, "", raw) {
		return out
	}
	var kind, id, function, extra []byte
	for name, raw := range jsonedit.Members(raw) {
		switch name {
		case "type":
			kind = raw
		case "id":
			id = raw
		case "function":
			function = raw
		case "extra_content":
			extra = raw
		}
	}
	word := r.text(at, "type", kind)
	if word != "" && word != "function" {
		if !r.answer {
			r.invalid(at+".type", "%s.type must be function, not %.20q.", at, word)
		}
		return out
	}
	if !given(function) && !r.answer {
		r.invalid(at+".function", "%s.function is required.", at)
	}
	if !r.isObject(at, "function", function) {
		return out
	}
	call := r.called(at+".function", function)
	out.Kind, out.Call = llm.ToolCall, &call
	call.ID, out.Signature = llm.Unpack(r.text(at, "id", id))
	if seal := sealOf(extra); !seal.IsZero() {
		out.Signature = seal
	}
	return out
}

// called reads a function's name and arguments. Some send the arguments as an object, not as a text.
func (r *reader) called(at string, raw []byte) (out llm.Call) {
	for name, raw := range jsonedit.Members(raw) {
		switch {
		case name == "name":
			out.Name = r.text(at, name, raw)
		case name == "arguments" && given(raw) && raw[0] == '{':
			out.Arguments = string(raw)
		case name == "arguments":
			out.Arguments = r.text(at, name, raw)
		}
	}
	if !r.answer && out.Name == "" {
		r.invalid(at+".name", "%s.name is required.", at)
	}
	return out
}

// sealOf is the signature where Google's own OpenAI interface puts it.
func sealOf(extra []byte) llm.Signature {
	google := [1]jsonedit.Field{{Name: "google"}}
	seal := [1]jsonedit.Field{{Name: "thought_signature"}}
	if len(extra) == 0 || !jsonedit.Find(extra, google[:]) || !jsonedit.Find(google[0].Raw, seal[:]) {
		return llm.Signature{}
	}
	text, _ := seal[0].Text()
	return llm.ReadSignature(text, llm.MakerGemini)
}
