package messages

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Fields of a request, by position.
const (
	qMessages = iota
	qSystem
	qTools
	qToolChoice
	qMaxTokens
	qStop
	qTemperature
	qTopP
	qTopK
	qThinking
	qOutputConfig
	qOutputFormat
	qMetadata
	qServiceTier
	qStream
	requestFields
)

var requestNames = [requestFields]string{
	"messages", "system", "tools", "tool_choice", "max_tokens", "stop_sequences", "temperature", "top_p", "top_k", "thinking",
	"output_config", "output_format", "metadata", "service_tier", "stream",
}

// elsewhere are fields that Peek deals with.
var elsewhere = map[string]bool{
	"model": true, "tags": true, "litellm_metadata": true, "drop_params": true, "user": true, "safety_identifier": true,
}

// hints are fields that change no answer's meaning: what a conversation costs, how fast it comes, how it is watched. Coding agents
// send some of them with each request.
var hints = map[string]bool{
	"context_management": true, "compaction": true, "betas": true, "anthropic_beta": true, "anthropic_version": true, "cache_control": true,
	"diagnostics": true, "speed": true, "fallbacks": true, "fallback_credit_token": true, "billing_policy": true,
}

// DecodeRequest reads the body into the neutral form.
func (in *inbound) DecodeRequest() (*llm.Request, error) {
	var (
		r   reader
		f   [requestFields]jsonedit.Field
		out = &llm.Request{N: 1}
	)
	for i := range f {
		f[i].Name = requestNames[i]
	}
	r.find("", in.request.Body, f[:])
	out.Messages = append(r.system(&f[qSystem]), r.messages(&f[qMessages])...)
	r.tools(out, &f[qTools])
	r.choice(out, &f[qToolChoice])
	r.sampling(out, f[:])
	r.thinking(out, &f[qThinking])
	r.output(out, &f[qOutputConfig], &f[qOutputFormat])
	r.metadata(out, &f[qMetadata])
	out.Stream = r.isSet("", &f[qStream])
	rest(out, in.request.Body)
	if wanted := betas(in.header); len(wanted) > 0 {
		hint(out, betasField, marshal(wanted))
	}
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

func (r *reader) sampling(out *llm.Request, f []jsonedit.Field) {
	if n := r.whole("", &f[qMaxTokens], 1); n != nil {
		out.MaxOutput = *n
	}
	out.Stop = r.texts("", &f[qStop])
	out.Temperature, out.TopP = r.fraction(&f[qTemperature]), r.fraction(&f[qTopP])
	out.TopK = r.whole("", &f[qTopK], 0)
	switch tier := r.text("", &f[qServiceTier]); tier {
	case "", "auto":
		out.ServiceTier = tier
	case "standard_only":
		out.ServiceTier = "default"
	default:
		r.invalid("service_tier", "service_tier must be auto or standard_only.")
	}
}

// thinking reads how much the model may think.
func (r *reader) thinking(out *llm.Request, f *jsonedit.Field) {
	inner := [...]jsonedit.Field{{Name: "type"}, {Name: "budget_tokens"}, {Name: "display"}}
	if !r.object("", f, inner[:]) {
		return
	}
	switch kind := r.need("thinking", &inner[0]); kind {
	case "enabled":
		if budget := r.whole("thinking", &inner[1], minBudget); budget != nil {
			out.Reasoning.Budget = *budget
		} else {
			r.invalid("thinking.budget_tokens", "thinking.budget_tokens is required.")
		}
		out.Reasoning.Show = new(true)
	case "adaptive":
		out.Reasoning.Auto = true
	case "disabled", "between_tools":
		out.Reasoning.Off = true
	default:
		r.invalid("thinking.type", "thinking.type must be enabled, adaptive, disabled or between_tools, not %q.", kind)
	}
	if display := r.text("thinking", &inner[2]); display != "" {
		out.Reasoning.Show = new(display != "omitted")
	}
}

// output reads output_config, and output_format as it was called before.
func (r *reader) output(out *llm.Request, config, format *jsonedit.Field) {
	inner := [...]jsonedit.Field{{Name: "effort"}, {Name: "format"}, {Name: "task_budget"}}
	if r.object("", config, inner[:]) {
		switch effort := r.text("output_config", &inner[0]); {
		case effort == "":
		case effort == "none" || !llm.IsEffort(effort):
			r.invalid("output_config.effort", "output_config.effort must be low, medium, high, xhigh or max.")
		case !out.Reasoning.Off && out.Reasoning.Budget == 0:
			out.Reasoning.Effort = effort
		}
		if inner[2].Given() {
			hint(out, "output_config.task_budget", inner[2].Raw)
		}
		r.format(out, "output_config", &inner[1])
	}
	if out.Format.Kind == "" {
		r.format(out, "", format)
	}
}

func (r *reader) format(out *llm.Request, at string, f *jsonedit.Field) {
	inner := [...]jsonedit.Field{{Name: "type"}, {Name: "schema"}}
	if !r.object(at, f, inner[:]) {
		return
	}
	at = join(at, f.Name)
	switch {
	case r.need(at, &inner[0]) != "json_schema":
		r.invalid(at+".type", "%s.type must be json_schema.", at)
	case inner[1].Kind != jsonedit.Object:
		r.invalid(at+".schema", "%s.schema must be an object.", at)
	}
	out.Format = llm.Format{Kind: llm.JSONSchema, Name: "answer", Schema: raw(&inner[1])}
}

func (r *reader) metadata(out *llm.Request, f *jsonedit.Field) {
	inner := [...]jsonedit.Field{{Name: "user_id"}}
	if r.object("", f, inner[:]) {
		out.User = r.text("metadata", &inner[0])
	}
}

func hint(out *llm.Request, name string, value []byte) {
	if out.Hints == nil {
		out.Hints = map[string]json.RawMessage{}
	}
	out.Hints[name] = json.RawMessage(value)
}

// rest gathers the fields that have no place in the neutral form.
func rest(out *llm.Request, body []byte) {
	known := map[string]bool{}
	for _, name := range requestNames {
		known[name] = true
	}
	for name, value := range members(body) {
		switch {
		case known[name] || elsewhere[name] || string(value) == "null":
		case hints[name]:
			hint(out, name, value)
		default:
			if out.Extra == nil {
				out.Extra = map[string]json.RawMessage{}
			}
			out.Extra[name] = json.RawMessage(value)
		}
	}
}

// billing begins a line that Anthropic's own agents put before the system prompt, other in each request: it says nothing to other
// models, and would spoil their caches.
const billing = "x-anthropic-billing-header:"

// system reads the system prompt.
func (r *reader) system(f *jsonedit.Field) []llm.Message {
	var kept []llm.Part
	for _, p := range r.content("", f, llm.System) {
		if !strings.HasPrefix(p.Text, billing) {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return []llm.Message{{Role: llm.System, Parts: kept}}
}

func (r *reader) messages(f *jsonedit.Field) (all []llm.Message) {
	for i, raw := range r.list("", f) {
		at := index("messages", i)
		inner := [...]jsonedit.Field{{Name: "role"}, {Name: "content"}}
		if !r.find(at, raw, inner[:]) {
			return nil
		}
		role := llm.Role(r.need(at, &inner[0]))
		switch role {
		case llm.User, llm.Assistant, llm.System:
		default:
			r.invalid(at+".role", "%s.role must be user, assistant or system.", at)
		}
		if !inner[1].Given() {
			r.invalid(at+".content", "%s.content is required.", at)
		}
		parts := r.content(at, &inner[1], role)
		if r.err != nil {
			return nil
		}
		if len(parts) > 0 {
			all = append(all, llm.Message{Role: role, Parts: parts})
		}
	}
	if len(all) == 0 && r.err == nil {
		r.fail(gateway.Invalid("messages", "messages must have content."))
	}
	return all
}
