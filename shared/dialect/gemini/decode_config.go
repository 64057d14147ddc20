package gemini

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// config reads generationConfig.
func (d *reader) config(o *object) {
	if o == nil {
		return
	}
	r := &d.out
	r.Temperature, r.TopP = o.number("temperature"), o.number("topP")
	r.PresencePenalty, r.FrequencyPenalty = o.number("presencePenalty"), o.number("frequencyPenalty")
	r.TopK, r.Seed = o.whole("topK", 0, math.MaxInt32), o.whole("seed", math.MinInt64, math.MaxInt64)
	for _, count := range [...]struct {
		name string
		into *int64
	}{{"maxOutputTokens", &r.MaxOutput}, {"candidateCount", &r.N}, {"logprobs", &r.TopLogprobs}} {
		if n := o.whole(count.name, 0, dialect.MaxTokens); n != nil {
			*count.into = *n
		}
	}
	r.Stop = o.texts("stopSequences")
	if is := o.flag("responseLogprobs"); is != nil {
		r.Logprobs = *is
	}
	d.format(o)
	d.thinking(o.object("thinkingConfig"))
	d.modalities(o)
	for _, f := range o.rest() {
		if f.name == "mediaResolution" { // how closely all media are looked at
			d.hint(f.path, &f.value)
		} else {
			d.extra(f.path, &f.value)
		}
	}
}

// format reads what the answer's text must be.
func (d *reader) format(o *object) {
	kind := o.text("responseMimeType")
	open, closed := o.take("responseSchema"), o.take("responseJsonSchema")
	if closed == nil {
		closed = o.take("_responseJsonSchema") // what older SDKs called it
	}
	f := &d.out.Format
	switch {
	case kind == "" || kind == "text/plain":
		if open != nil || closed != nil {
			d.add(gateway.Invalid(o.path+".responseMimeType", "A response schema needs %s.responseMimeType application/json.", o.path))
		}
		return
	case kind != "application/json":
		d.add(gateway.Invalid(o.path+".responseMimeType", "%s.responseMimeType must be text/plain or application/json.", o.path))
		return
	}
	f.Kind = llm.JSONObject
	if schema := d.schema(open, closed); schema != nil {
		f.Kind, f.Name, f.Schema = llm.JSONSchema, "answer", schema
	}
}

// schema reads one of the two ways to give a schema: OpenAPI's or JSON schema.
func (d *reader) schema(open, closed *field) json.RawMessage {
	for _, f := range [...]*field{open, closed} {
		if f != nil && f.value.kind != jsonedit.Object {
			d.wrong(f.path, "an object", f.value.kind)
			return nil
		}
	}
	switch {
	case closed != nil:
		return closed.value.raw
	case open != nil:
		schema := fromOpenAPI(&open.value)
		return schema.write(nil)
	default:
		return nil
	}
}

// thinking reads thinkingConfig. Thoughts are shown only to who asks.
func (d *reader) thinking(o *object) {
	if o == nil {
		return
	}
	r := &d.out.Reasoning
	r.Show = o.flag("includeThoughts")
	budget := o.whole("thinkingBudget", -1, dialect.MaxTokens)
	level := strings.ToLower(o.word("thinkingLevel"))
	o.refuseRest()
	switch {
	case level != "" && budget != nil:
		d.add(gateway.Invalid(o.path, "%s takes thinkingLevel or thinkingBudget, not both.", o.path))
	case level != "" && !llm.IsEffort(level):
		d.add(gateway.Invalid(o.path+".thinkingLevel", "%s.thinkingLevel must be MINIMAL, LOW, MEDIUM or HIGH.", o.path))
	case level != "":
		r.Effort = level
	case budget == nil:
	case *budget == 0:
		r.Off = true
	case *budget < 0:
		r.Auto = true
	default:
		r.Budget = *budget
	}
}

// modalities reads what an answer may consist of, and the voice that speaks it.
func (d *reader) modalities(o *object) {
	for _, m := range o.texts("responseModalities") {
		if !strings.HasSuffix(strings.ToUpper(m), "_UNSPECIFIED") {
			d.out.Modalities = append(d.out.Modalities, strings.ToLower(m))
		}
	}
	speech := o.take("speechConfig")
	if speech == nil {
		return
	}
	if voice := voiceOf(&speech.value); voice != "" {
		d.out.Voice, _ = json.Marshal(map[string]string{"voice": voice, "format": speechFormat})
	} else {
		d.extra(speech.path, &speech.value)
	}
}

// speechFormat is OpenAI's word for what Google's models speak: 16 bits linear, without a header.
const speechFormat = "pcm16"

// voiceOf is the name of a speechConfig's one voice; empty if it says more than that.
func voiceOf(n *node) string {
	for _, name := range [...]string{"voiceConfig", "prebuiltVoiceConfig", "voiceName"} {
		if n.kind != jsonedit.Object || len(n.members) != 1 || camel(n.members[0].name) != name {
			return ""
		}
		n = &n.members[0].value
	}
	return n.text()
}

// tools reads one element of tools: functions, and tools that Google runs itself.
func (d *reader) tools(f *field) {
	o := d.object(&f.value, f.path)
	for _, declaration := range o.list("functionDeclarations") {
		d.function(&declaration)
	}
	for _, vendor := range o.rest() {
		one := node{kind: jsonedit.Object, members: []member{{vendor.name, vendor.value}}}
		d.out.Tools = append(d.out.Tools, llm.Tool{Name: vendor.name, Vendor: one.write(nil), Dialect: string(gateway.OpGemini)})
	}
}

func (d *reader) function(f *field) {
	o := d.object(&f.value, f.path)
	t := llm.Tool{Name: d.needed(o, "name"), Description: o.text("description")}
	t.Schema = d.schema(o.take("parameters"), o.take("parametersJsonSchema"))
	for _, name := range [...]string{"response", "responseJsonSchema"} { // what it answers: other formats cannot say
		o.take(name)
	}
	if o.word("behavior") == "NON_BLOCKING" {
		d.add(gateway.Invalid(f.path+".behavior", "%s.behavior cannot be carried to this model's provider.", f.path))
	}
	o.refuseRest()
	d.out.Tools = append(d.out.Tools, t)
}

// choice reads toolConfig. Of several allowed functions the others are left out, which comes to the same.
func (d *reader) choice(o *object) {
	if o == nil {
		return
	}
	config := o.object("functionCallingConfig")
	for _, f := range o.rest() {
		d.extra(f.path, &f.value)
	}
	if config == nil {
		return
	}
	mode, allowed := config.word("mode"), config.texts("allowedFunctionNames")
	config.refuseRest()
	choice := &d.out.Choice
	switch mode {
	case "":
	case "AUTO", "VALIDATED":
		choice.Mode = llm.ChooseAuto
	case "NONE":
		choice.Mode = llm.ChooseNone
	case "ANY":
		choice.Mode = llm.ChooseAny
	default:
		d.add(gateway.Invalid(config.path+".mode", "%s.mode must be AUTO, ANY, NONE or VALIDATED.", config.path))
	}
	switch {
	case len(allowed) == 0 || mode == "NONE":
	case mode == "ANY" && len(allowed) == 1:
		choice.Mode, choice.Name = llm.ChooseTool, allowed[0]
	default:
		d.allow(allowed, config.path)
	}
}

// allow leaves out the functions that are not allowed.
func (d *reader) allow(names []string, path string) {
	allowed := make(map[string]bool, len(names))
	for _, name := range names {
		allowed[name] = true
	}
	tools := d.out.Tools[:0]
	for _, t := range d.out.Tools {
		if t.Vendor != nil || allowed[t.Name] {
			tools = append(tools, t)
		}
	}
	if len(tools) == 0 {
		d.add(gateway.Invalid(path+".allowedFunctionNames", "%s.allowedFunctionNames names no function of tools.", path))
	}
	d.out.Tools = tools
}
