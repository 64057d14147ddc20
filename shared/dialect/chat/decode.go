package chat

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// inbound translates for a caller of chat completions.
type inbound struct{ *request }

var _ dialect.Inbound = (*inbound)(nil)

// DecodeRequest reads the body.
func (in *inbound) DecodeRequest() (*llm.Request, error) {
	return in.decode(&reading{out: &llm.Request{Stream: in.Stream, MaxOutput: in.MaxOutput, N: in.N, User: in.User}}, readers)
}

// decode reads the body field by field. Of a field that is there twice the last one counts, as with most parsers. What no reader is for
// is a hint, or has no place in the neutral form.
func (r *request) decode(to *reading, readers map[string]fieldReader) (*llm.Request, error) {
	for name, raw := range jsonedit.Members(r.stripped()) {
		read, known := readers[name]
		switch {
		case known && read != nil && given(raw):
			read(to, name, raw)
		case known || !given(raw):
		default:
			to.keep(name, raw)
		}
		if to.err != nil {
			return nil, to.err
		}
	}
	to.finish()
	return to.out, to.err
}

// reading is a request on its way into the neutral form.
type reading struct {
	reader
	out       *llm.Request
	functions []llm.Tool // the older form of tools
	only      []string   // the tools that tool_choice allows
	thinks    [3]llm.Reasoning
}

// fieldReader reads one top-level field, which is not null.
type fieldReader func(r *reading, name string, raw []byte)

// finish puts together what stands in several fields.
func (r *reading) finish() {
	out := r.out
	out.Tools = append(out.Tools, r.functions...)
	if r.only != nil {
		out.Tools = slices.DeleteFunc(out.Tools, func(t llm.Tool) bool { return !slices.Contains(r.only, t.Name) })
	}
	for i := range r.thinks {
		if out.Reasoning == (llm.Reasoning{}) || r.thinks[i].Given() && !out.Reasoning.Given() {
			out.Reasoning = r.thinks[i]
		}
	}
}

// keep keeps a field that has no place in the neutral form.
func (r *reading) keep(name string, raw []byte) {
	fields := &r.out.Extra
	if hints[name] {
		fields = &r.out.Hints
	}
	dialect.Keep(fields, name, raw)
}

// names are the params that are called otherwise here than in the neutral form.
var names = map[llm.Param]string{
	llm.MaxOutput: "max_tokens", llm.JSONMode: "response_format", llm.JSONSchemas: "response_format", llm.ReasoningParam: "reasoning_effort",
	llm.StrictTools: "tools", llm.AudioOutput: "modalities",
}

// inMessages are the params that stand in messages.
var inMessages = []llm.Param{
	llm.ImageURLs, llm.ImageData, llm.DocumentURLs, llm.DocumentData, llm.AudioInput, llm.VideoInput, llm.FileIDs, llm.ResultImages,
	llm.ParticipantNames, llm.CacheMarkers, llm.ThinkingParts, llm.CitationsWanted, llm.AssistantPrefill,
}

// Field is the caller's name for a param.
func (in *inbound) Field(p llm.Param) string { return fieldOf(p) }

func fieldOf(p llm.Param) string {
	if name, found := names[p]; found {
		return name
	}
	if slices.Contains(inMessages, p) {
		return "messages"
	}
	return string(p)
}

// hints are fields that change no answer.
var hints = map[string]bool{
	"store": true, "metadata": true, "prompt_cache_key": true, "prompt_cache_retention": true, "prompt_cache_options": true,
}

// readers has every field of a chat that the neutral form has a place for, those of LiteLLM and OpenRouter among them. Peek has dealt with
// those that have no function.
var readers = map[string]fieldReader{
	"messages":            (*reading).messages,
	"tools":               (*reading).tools,
	"functions":           (*reading).olderTools,
	"tool_choice":         (*reading).toolChoice,
	"function_call":       (*reading).toolChoice,
	"response_format":     (*reading).format,
	"parallel_tool_calls": func(r *reading, name string, raw []byte) { r.out.Parallel = r.flag("", name, raw) },
	"modalities":          func(r *reading, name string, raw []byte) { r.out.Modalities = r.texts("", name, raw, maxModalities) },
	"audio":               func(r *reading, name string, raw []byte) { r.out.Voice = r.object("", name, raw) },
	"prediction":          func(r *reading, name string, raw []byte) { r.out.Prediction = r.object("", name, raw) },
	"verbosity": func(r *reading, name string, raw []byte) {
		r.out.Verbosity = r.word("", name, raw, "low", "medium", "high")
	},
	"service_tier":     (*reading).tier,
	"reasoning_effort": (*reading).effort,
	"reasoning":        (*reading).reasoning,
	"thinking":         (*reading).thinking,

	"stop":              (*reading).stop,
	"temperature":       func(r *reading, name string, raw []byte) { r.out.Temperature = r.number("", name, raw, 0, 2) },
	"top_p":             func(r *reading, name string, raw []byte) { r.out.TopP = r.number("", name, raw, 0, 1) },
	"top_k":             func(r *reading, name string, raw []byte) { r.out.TopK = r.whole("", name, raw, 0, 1<<20) },
	"seed":              func(r *reading, name string, raw []byte) { r.out.Seed = r.whole("", name, raw, -1<<63, 1<<63-1) },
	"presence_penalty":  func(r *reading, name string, raw []byte) { r.out.PresencePenalty = r.number("", name, raw, -2, 2) },
	"frequency_penalty": func(r *reading, name string, raw []byte) { r.out.FrequencyPenalty = r.number("", name, raw, -2, 2) },
	"logit_bias":        (*reading).logitBias,
	"logprobs":          (*reading).logprobs,
	"top_logprobs":      (*reading).topLogprobs,

	"max_tokens": nil, "max_completion_tokens": nil, "n": nil, "stream": nil, "stream_options": nil, "model": nil, "user": nil,
	"safety_identifier": nil, "tags": nil, "litellm_metadata": nil, "drop_params": nil,
}

const maxModalities = 8

// tier reads a service tier: OpenAI adds to its words.
func (r *reading) tier(name string, raw []byte) {
	if r.out.ServiceTier = r.text("", name, raw); len(r.out.ServiceTier) > maxTier {
		r.fail(gateway.Invalid(name, "%s must be auto, default, flex or priority.", name))
	}
}

func (r *reading) logprobs(name string, raw []byte) {
	is := r.flag("", name, raw)
	r.out.Logprobs = is != nil && *is
}

func (r *reading) topLogprobs(name string, raw []byte) {
	if n := r.whole("", name, raw, 0, 20); n != nil {
		r.out.TopLogprobs = *n
	}
}
