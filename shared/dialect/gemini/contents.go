package gemini

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// skipSignature stands for the signature of a call that has none, be it from another model or from a client that lost it. Gemini 3
// refuses the first call of a step without one; this word of Google's own makes it look away. Of the two that AI Studio knows it is the
// one that Vertex AI knows too (thought signatures guides, read 2026-11).
const skipSignature = "skip_thought_signature_validator"

// conversation writes contents and systemInstruction.
func (w *writer) conversation(body map[string]any) error {
	system, turns := llm.Turns(w.r.Messages)
	w.calls = map[string]int{}
	var contents []content
	for i := range turns {
		c, err := w.turn(&turns[i])
		if err != nil {
			return err
		}
		if len(c.Parts) > 0 {
			contents = append(contents, c)
		}
		if len(w.shown) > 0 {
			contents = append(contents, content{Role: "user", Parts: w.shown})
			w.shown = nil
		}
	}
	instruction, err := w.system(system)
	if err != nil {
		return err
	}
	if len(contents) == 0 && instruction != nil { // Google wants something to answer
		contents, instruction = []content{{Role: "user", Parts: instruction.Parts}}, nil
	}
	if len(contents) == 0 {
		return gateway.Invalid("messages", "The conversation is empty.")
	}
	body["contents"] = contents
	if instruction != nil {
		body["systemInstruction"] = instruction
	}
	return nil
}

func (w *writer) system(parts []llm.Part) (*content, error) {
	var c content
	for i := range parts {
		if parts[i].Kind != llm.Text {
			return nil, gateway.Invalid("messages", "A system message for this model's provider must be text.")
		}
		if parts[i].Text != "" {
			c.Parts = append(c.Parts, textPart(parts[i].Text))
		}
	}
	if len(c.Parts) == 0 {
		return nil, nil
	}
	return &c, nil
}

// turn writes the parts of one side.
func (w *writer) turn(m *llm.Message) (c content, err error) {
	c.Role = "user"
	if m.Role == llm.Assistant {
		c.Role = "model"
	}
	called := false
	results := map[int]int{} // of result parts: the places of their calls
	for i := range m.Parts {
		p := &m.Parts[i]
		var out part
		ok := true
		switch p.Kind {
		case llm.ToolCall:
			out, err = w.call(p, !called)
			called = true
		case llm.ToolResult:
			var at int
			out, at, err = w.result(p.Result)
			results[len(c.Parts)] = at
		default:
			out, ok, err = w.part(p)
		}
		if err != nil {
			return c, err
		}
		if ok {
			c.Parts = append(c.Parts, out)
		}
	}
	sortResults(c.Parts, results)
	return c, nil
}

// sortResults puts the results of a turn, which stand at its beginning, in the order of their calls: without ids, Google goes by it.
func sortResults(parts []part, places map[int]int) {
	if len(places) < 2 {
		return
	}
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	sorted := make([]part, len(order))
	for i, from := range order {
		sorted[i] = parts[from]
	}
	copy(parts, sorted)
}

// part writes what is neither call nor result. It reports false for what is left out.
func (w *writer) part(p *llm.Part) (out part, ok bool, err error) {
	out.Signature = p.Signature.By(llm.MakerGemini)
	switch p.Kind {
	case llm.Text, llm.Refusal:
		out.Text = &p.Text
		return out, p.Text != "" || out.Signature != "", nil
	case llm.Thinking, llm.Sealed: // another maker's thoughts are nothing to this one
		out.Text, out.Thought = &p.Text, true
		return out, out.Signature != "", nil
	default:
		err = w.media(&out, p)
		return out, true, err
	}
}

// call writes a function call. Gemini 3 wants a signature with the first of a step.
func (w *writer) call(p *llm.Part, first bool) (out part, err error) {
	out.Signature = p.Signature.By(llm.MakerGemini)
	if out.Signature == "" && first && w.model.atLeast(3, 0) {
		out.Signature = skipSignature
	}
	name, ok := writeName(p.Call.Name)
	if !ok {
		return out, gateway.Invalid("messages", "The name %.100q of a tool call is not one that this model's provider takes.", p.Call.Name)
	}
	w.calls[p.Call.ID] = len(w.names)
	w.names = append(w.names, name)
	out.Call = &functionCall{ID: w.id(p.Call.ID), Name: name, Args: argsOf(p.Call.Arguments)}
	return out, nil
}

// id is a call's id where Google takes one: on Vertex AI ids are an unknown field, and older models have none.
func (w *writer) id(id string) string {
	if w.vertex || !w.model.atLeast(3, 0) || id == "" {
		return ""
	}
	return llm.FitID(id, 64)
}

// argsOf are arguments as the object that Google wants. What is none, as models may write it, is wrapped up in one.
func argsOf(arguments string) json.RawMessage {
	if strings.TrimSpace(arguments) == "" {
		return json.RawMessage("{}")
	}
	if validArgs(arguments) {
		return json.RawMessage(arguments)
	}
	wrapped, _ := json.Marshal(map[string]string{"arguments": arguments})
	return wrapped
}

// result writes what a tool answered, and finds the place of its call.
func (w *writer) result(r *llm.Result) (out part, at int, err error) {
	at, known := w.calls[r.ID]
	name := ""
	switch {
	case known:
		name = w.names[at]
	case r.Name != "":
		name, known = writeName(r.Name)
		at = len(w.names)
	}
	if !known {
		return out, at, gateway.Invalid("messages", "The tool result for %.100q answers no tool call before it.", r.ID)
	}
	data := &functionData{ID: w.id(r.ID), Name: name, Response: responseOf(r)}
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Kind == llm.Text || p.Media == nil {
			continue
		}
		var media part
		if err := w.resultMedia(&media, p); err != nil {
			return out, at, err
		}
		if w.model.atLeast(3, 0) {
			data.Parts = append(data.Parts, media)
		} else {
			w.shown = append(w.shown, media)
		}
	}
	out.Result = data
	return out, at, nil
}

// responseOf is the object that Google wants: a tool's own object stays one, other text is its result.
func responseOf(r *llm.Result) json.RawMessage {
	text, key := llm.TextOf(r.Parts), "result"
	if r.IsError {
		key = "error"
	} else if root, ok := parse([]byte(text)); ok && root.kind == jsonedit.Object {
		return root.raw
	}
	out, _ := json.Marshal(map[string]string{key: text})
	return out
}

// resultMedia writes media of a tool's result. Gemini 3 takes them within it, in base64, and Vertex AI by reference too (function calling
// guide, read 2026-11). Earlier models see them in a content behind the results: one that has both is refused.
func (w *writer) resultMedia(out *part, p *llm.Part) error {
	if err := w.media(out, p); err != nil || !w.model.atLeast(3, 0) {
		return err
	}
	if out.File != nil && !w.vertex {
		return gateway.Invalid("messages", "This model's provider takes images and files in tool results in base64 only.")
	}
	return nil
}

// media writes an image, a document, a sound or a film. Google fetches what is given by URL; it wants a type, which the address may tell.
func (w *writer) media(out *part, p *llm.Part) error {
	m := p.Media
	switch {
	case m == nil:
		return gateway.Invalid("messages", "A part of a message has no content.")
	case m.Text != "":
		out.Text = &m.Text
	case m.Data != "":
		out.Inline = &blob{Type: typeFor(p), Data: m.Data}
	case m.URL != "":
		out.File = &fileData{Type: typeFor(p), URI: m.URL}
	case strings.HasPrefix(m.FileID, "files/"):
		out.File = &fileData{Type: typeFor(p), URI: filesURL + "v1beta/" + m.FileID}
	case strings.Contains(m.FileID, "://"):
		out.File = &fileData{Type: typeFor(p), URI: m.FileID}
	case m.FileID != "":
		return gateway.Invalid("messages", "The file %.100q is not one of this model's provider.", m.FileID)
	default:
		return gateway.Invalid("messages", "A part of a message has no content.")
	}
	return nil
}

// mediaTypes tells types by the endings of names, for what comes without one.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif", ".heic": "image/heic",
	".heif": "image/heif", ".bmp": "image/bmp", ".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".csv": "text/csv",
	".html": "text/html", ".json": "application/json", ".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm",
	".mpeg": "video/mpeg", ".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".aac": "audio/aac", ".ogg": "audio/ogg",
	".m4a": "audio/mp4",
}

// likely are the types of what no name tells: Google looks at the bytes in any case.
var likely = map[llm.Kind]string{llm.Image: "image/jpeg", llm.Document: "application/pdf", llm.Audio: "audio/mpeg", llm.Video: "video/mp4"}

func typeFor(p *llm.Part) string {
	if p.Media.Type != "" {
		return p.Media.Type
	}
	address, _, _ := strings.Cut(p.Media.URL, "?")
	for _, name := range [...]string{p.Media.Name, address} {
		if t := mediaTypes[strings.ToLower(path.Ext(name))]; t != "" {
			return t
		}
	}
	return likely[p.Kind]
}
