package gemini

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// reader reads a caller's request into the neutral form.
type reader struct {
	faults
	out     llm.Request
	calls   []call           // so far: they number the ids that the caller left out
	byID    map[string]int   // the last call with that id
	waiting map[string][]int // calls under a name, some of which have no result so far
}

type call struct {
	id, name string
	answered bool
}

// gatewayFields are for the gateway: package dialect has read them.
var gatewayFields = []string{"model", "stream", "user", "tags", "litellmMetadata", "metadata", "dropParams", "safetyIdentifier"}

// decodeRequest reads a body that Peek has checked.
func decodeRequest(r *dialect.Request) (*llm.Request, error) {
	root, ok := parse(r.Body)
	if !ok {
		return nil, gateway.Invalid("", "The body is nested too deep.")
	}
	var d reader
	d.out.Stream, d.out.User = r.Stream, r.User
	o := d.object(&root, "")
	for _, name := range gatewayFields {
		o.take(name)
	}
	if s := o.take("systemInstruction"); s != nil {
		d.system(s)
	}
	for _, f := range o.list("contents") {
		d.content(&f)
	}
	d.config(o.object("generationConfig"))
	for _, f := range o.list("tools") {
		d.tools(&f)
	}
	d.choice(o.object("toolConfig"))
	d.top(o)
	if d.first != nil {
		return nil, d.first
	}
	return &d.out, nil
}

// tierWords are OpenAI's words for AI Studio's service tiers.
var tierWords = map[string]string{"STANDARD": "default", "FLEX": "flex", "PRIORITY": "priority"}

// top reads the other fields of the body. Labels are for Google's bill, and safety settings that switch filters off leave an answer as it is.
func (d *reader) top(o *object) {
	if tier := strings.TrimPrefix(o.word("serviceTier"), "SERVICE_TIER_"); tier != "" {
		if d.out.ServiceTier = tierWords[tier]; d.out.ServiceTier == "" {
			d.add(gateway.Invalid("serviceTier", "serviceTier must be standard, flex or priority."))
		}
	}
	for _, f := range o.rest() {
		if f.name == "labels" || f.name == "safetySettings" && allOff(&f.value) {
			d.hint(f.path, &f.value)
		} else {
			d.extra(f.path, &f.value)
		}
	}
}

// allOff reports whether safety settings only switch filters off.
func allOff(settings *node) bool {
	for i := range settings.items {
		threshold := strings.ToUpper(settings.items[i].get("threshold").text())
		if threshold != "BLOCK_NONE" && threshold != "OFF" {
			return false
		}
	}
	return settings.kind == jsonedit.Array
}

func (d *reader) extra(name string, v *node) { d.out.Extra = with(d.out.Extra, name, v) }

func (d *reader) hint(name string, v *node) { d.out.Hints = with(d.out.Hints, name, v) }

func with(fields map[string]json.RawMessage, name string, v *node) map[string]json.RawMessage {
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields[name] = v.raw
	return fields
}

// system reads systemInstruction: a content whose role says nothing, or a bare string.
func (d *reader) system(f *field) {
	if f.value.kind == jsonedit.String {
		d.out.Messages = append(d.out.Messages, llm.Message{Role: llm.System, Parts: []llm.Part{llm.TextPart(f.value.text())}})
		return
	}
	o := d.object(&f.value, f.path)
	o.take("role")
	m := llm.Message{Role: llm.System}
	for _, p := range o.list("parts") {
		d.part(&m, &p)
	}
	o.refuseRest()
	if len(m.Parts) > 0 {
		d.out.Messages = append(d.out.Messages, m)
	}
}

// roles are Google's words; function is an older one for who answers function calls.
var roles = map[string]llm.Role{"": llm.User, "user": llm.User, "function": llm.User, "tool": llm.User, "model": llm.Assistant, "system": llm.System}

func (d *reader) content(f *field) {
	o := d.object(&f.value, f.path)
	role, known := roles[strings.ToLower(o.text("role"))]
	if !known {
		d.add(gateway.Invalid(f.path+".role", "%s.role must be user or model.", f.path))
	}
	m := llm.Message{Role: role}
	if n := len(d.out.Messages); n > 0 && d.out.Messages[n-1].Role == role { // Google's clients keep a stream's chunks as contents
		m, d.out.Messages = d.out.Messages[n-1], d.out.Messages[:n-1]
	}
	for _, p := range o.list("parts") {
		d.part(&m, &p)
	}
	o.refuseRest()
	if len(m.Parts) > 0 {
		d.out.Messages = append(d.out.Messages, m)
	}
}

// part reads one part of a content.
func (d *reader) part(m *llm.Message, f *field) {
	if f.value.kind == jsonedit.String { // some SDKs' shorthand, which Google takes too
		m.Parts = append(m.Parts, llm.TextPart(f.value.text()))
		return
	}
	o := d.object(&f.value, f.path)
	signature, isSealed := readSignature(o.text("thoughtSignature"))
	thought := o.flag("thought")
	o.take("partMetadata") // the caller's own notes
	p := llm.Part{Signature: signature}
	switch {
	case o.take("text") != nil:
		p.Kind, p.Text = llm.Text, o.text("text")
		if thought != nil && *thought {
			p.Kind = llm.Thinking
		}
	case o.take("functionCall") != nil:
		d.call(&p, o.object("functionCall"))
	case o.take("functionResponse") != nil:
		d.result(&p, o.object("functionResponse"))
	case o.take("inlineData") != nil || o.take("fileData") != nil:
		d.media(&p, o)
	case o.take("executableCode") != nil || o.take("codeExecutionResult") != nil:
		p.Kind, p.Text = llm.Text, d.code(o)
	case thought != nil && *thought:
		p.Kind = llm.Thinking
	case !signature.IsZero():
		p.Kind = llm.Text
	case len(o.rest()) == 0:
		d.add(gateway.Invalid(f.path, "%s has no content.", f.path))
	}
	if isSealed && p.Kind == llm.Thinking && p.Text == "" {
		p.Kind = llm.Sealed
	}
	o.refuseRest()
	if n := len(m.Parts); n > 0 && p.Kind == llm.Thinking && m.Parts[n-1].Kind == llm.Thinking && m.Parts[n-1].Signature.IsZero() {
		m.Parts[n-1].Text += p.Text // a thought comes back in the pieces that a stream had, and its seal with the last
		m.Parts[n-1].Signature = p.Signature
		return
	}
	m.Parts = append(m.Parts, p)
}

// code reads code that Google ran, or what it printed: another vendor can see it as text.
func (d *reader) code(o *object) string {
	var p part
	if c := o.object("executableCode"); c != nil {
		p.Code = &code{Language: c.text("language"), Code: c.text("code")}
		c.take("id")
		c.refuseRest()
		return fenced(&p)
	}
	c := o.object("codeExecutionResult")
	p.Output = &codeOutput{Output: c.text("output")}
	c.text("outcome")
	c.take("id")
	c.refuseRest()
	return fenced(&p)
}

// call reads a functionCall. Many clients have no ids: such a call gets one by its place in the conversation.
func (d *reader) call(p *llm.Part, o *object) {
	p.Kind = llm.ToolCall
	id, signature := llm.Unpack(o.text("id"))
	if p.Signature.IsZero() {
		p.Signature = signature
	}
	if id == "" {
		id = llm.CallID("", len(d.calls))
	}
	p.Call = &llm.Call{ID: id, Name: d.needed(o, "name"), Arguments: "{}"}
	if args := o.take("args"); args != nil {
		if args.value.kind != jsonedit.Object {
			d.wrong(args.path, "an object", args.value.kind)
		}
		p.Call.Arguments = string(args.value.raw)
	}
	o.refuseRest()
	if d.byID == nil {
		d.byID, d.waiting = map[string]int{}, map[string][]int{}
	}
	d.byID[id] = len(d.calls)
	d.waiting[p.Call.Name] = append(d.waiting[p.Call.Name], len(d.calls))
	d.calls = append(d.calls, call{id: id, name: p.Call.Name})
}

func (d *reader) needed(o *object, name string) string {
	text := o.text(name)
	if text == "" {
		d.add(gateway.Invalid(join(o.path, name), "%s is required.", join(o.path, name)))
	}
	return text
}

// result reads a functionResponse.
func (d *reader) result(p *llm.Part, o *object) {
	p.Kind = llm.ToolResult
	id, _ := llm.Unpack(o.text("id"))
	name := o.text("name")
	answers := d.match(id, name)
	if answers.id == "" {
		d.add(gateway.Invalid(o.path, "%s answers no functionCall before it.", o.path))
	}
	p.Result = &llm.Result{ID: answers.id, Name: answers.name}
	if f := o.take("response"); f != nil {
		if f.value.kind != jsonedit.Object {
			d.wrong(f.path, "an object", f.value.kind)
		}
		text, isError := resultText(&f.value)
		p.Result.IsError = isError
		p.Result.Parts = append(p.Result.Parts, llm.TextPart(text))
	}
	var media llm.Message
	for _, f := range o.list("parts") {
		d.part(&media, &f)
	}
	p.Result.Parts = append(p.Result.Parts, media.Parts...)
	if scheduling := o.word("scheduling"); scheduling != "" && scheduling != "WHEN_IDLE" {
		d.add(gateway.Invalid(o.path+".scheduling", "%s.scheduling cannot be carried to this model's provider.", o.path))
	}
	o.refuseRest()
}

// match finds the call that a result answers: by its id, else the first that waits under its name.
func (d *reader) match(id, name string) call {
	at, known := d.byID[id]
	for !known || id == "" || d.calls[at].answered {
		queue := d.waiting[name]
		if len(queue) == 0 {
			return call{}
		}
		at, known, id = queue[0], true, "by name"
		d.waiting[name] = queue[1:]
	}
	d.calls[at].answered = true
	return d.calls[at]
}

// resultText is what a tool answered. Google's object has the answer under output, or what went wrong under error; else all of it is
// the answer.
func resultText(n *node) (text string, isError bool) {
	if len(n.members) == 1 {
		m := &n.members[0]
		switch m.name {
		case "output", "result", "error":
			if m.value.kind == jsonedit.String {
				return m.value.text(), m.name == "error"
			}
			return string(m.value.raw), m.name == "error"
		}
	}
	return string(bytes.TrimSpace(n.raw)), false
}

// media reads inlineData or fileData.
func (d *reader) media(p *llm.Part, o *object) {
	media := &llm.Media{}
	data := o.object("inlineData")
	if data != nil {
		media.Data = d.needed(data, "data")
		media.Type = d.needed(data, "mimeType")
	} else {
		data = o.object("fileData")
		media.URL = d.needed(data, "fileUri")
		media.Type = data.text("mimeType")
		if strings.HasPrefix(media.URL, filesURL) || !strings.Contains(media.URL, "://") {
			media.URL, media.FileID = "", media.URL
		}
	}
	media.Name = data.text("displayName")
	if media.Type != "" && !isMediaType(media.Type) {
		d.add(gateway.Invalid(data.path+".mimeType", "%s.mimeType is no MIME type.", data.path))
	}
	data.refuseRest()
	p.Kind, p.Media = kindOf(media.Type), media
	if r := o.take("mediaResolution"); r != nil {
		media.Detail = details[levelOf(&r.value)]
	}
}

// levelOf is the word of a mediaResolution, which may be one or an object with it.
func levelOf(n *node) string {
	if n.kind == jsonedit.Object {
		n = n.get("level")
	}
	return strings.ToUpper(n.text())
}

// details are OpenAI's words for how closely an image is looked at.
var details = map[string]string{
	"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_MEDIUM": "auto", "MEDIA_RESOLUTION_HIGH": "high", "MEDIA_RESOLUTION_ULTRA_HIGH": "high",
}

// filesURL is where AI Studio keeps uploaded files: nobody else can read them.
const filesURL = "https://generativelanguage.googleapis.com/"

func isMediaType(text string) bool {
	kind, sub, found := strings.Cut(text, "/")
	return found && kind != "" && sub != "" && len(text) <= 255 && !strings.ContainsAny(text, "\t\r\n\"\\<>")
}

// kindOf is the kind of a part with media of that type.
func kindOf(mediaType string) llm.Kind {
	kind, _, _ := strings.Cut(strings.ToLower(mediaType), "/")
	switch kind {
	case "image":
		return llm.Image
	case "audio":
		return llm.Audio
	case "video":
		return llm.Video
	default:
		return llm.Document
	}
}
