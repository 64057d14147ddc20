package llm

import (
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Param is something that a caller may ask for and a target may be unable to express.
type Param string

const (
	Tools            Param = "tools"
	ToolChoiceParam  Param = "tool_choice"
	ParallelTools    Param = "parallel_tool_calls"
	StrictTools      Param = "tools.strict"
	JSONMode         Param = "response_format json_object"
	JSONSchemas      Param = "response_format json_schema"
	MaxOutput        Param = "max_output_tokens"
	N                Param = "n"
	Stop             Param = "stop"
	Temperature      Param = "temperature"
	TopP             Param = "top_p"
	TopK             Param = "top_k"
	Seed             Param = "seed"
	PresencePenalty  Param = "presence_penalty"
	FrequencyPenalty Param = "frequency_penalty"
	LogitBias        Param = "logit_bias"
	Logprobs         Param = "logprobs"
	ReasoningParam   Param = "reasoning"
	Verbosity        Param = "verbosity"
	ServiceTier      Param = "service_tier"
	UserParam        Param = "user"
	AudioOutput      Param = "audio output"
	Prediction       Param = "prediction"
	ImageURLs        Param = "images by URL"
	ImageData        Param = "images in base64"
	DocumentURLs     Param = "documents by URL"
	DocumentData     Param = "documents in base64"
	AudioInput       Param = "audio input"
	VideoInput       Param = "video input"
	FileIDs          Param = "files of the vendor"
	ResultImages     Param = "images in tool results"
	ParticipantNames Param = "names of participants"
	CacheMarkers     Param = "cache markers"
	ThinkingParts    Param = "thinking in messages"
	CitationsWanted  Param = "citations"
	AssistantPrefill Param = "an assistant message at the end"
)

// param is a row of the one table that says where in a Request a Param is.
type param struct {
	name  Param
	given func(*Request) bool
	clear func(*Request) // nil: it is content, and never left out
	hint  bool           // leaving it out changes no answer's meaning
}

// params has every Param.
var params = []param{
	{Tools, func(r *Request) bool { return len(r.Tools) > 0 }, func(r *Request) { r.Tools = nil }, false},
	{ToolChoiceParam, func(r *Request) bool { return r.Choice.Mode != "" && r.Choice.Mode != ChooseAuto }, func(r *Request) { r.Choice = ToolChoice{} }, false},
	{ParallelTools, func(r *Request) bool { return r.Parallel != nil && !*r.Parallel }, func(r *Request) { r.Parallel = nil }, false},
	{StrictTools, hasStrictTools, func(r *Request) { r.Tools = slices.Clone(r.Tools); loosen(r.Tools) }, true},
	{JSONMode, func(r *Request) bool { return r.Format.Kind == JSONObject }, func(r *Request) { r.Format = Format{} }, false},
	{JSONSchemas, func(r *Request) bool { return r.Format.Kind == JSONSchema }, func(r *Request) { r.Format = Format{} }, false},
	{MaxOutput, func(r *Request) bool { return r.MaxOutput != 0 }, func(r *Request) { r.MaxOutput = 0 }, false},
	{N, func(r *Request) bool { return r.N > 1 }, func(r *Request) { r.N = 1 }, false},
	{Stop, func(r *Request) bool { return len(r.Stop) > 0 }, func(r *Request) { r.Stop = nil }, false},
	{Temperature, func(r *Request) bool { return r.Temperature != nil }, func(r *Request) { r.Temperature = nil }, false},
	{TopP, func(r *Request) bool { return r.TopP != nil }, func(r *Request) { r.TopP = nil }, false},
	{TopK, func(r *Request) bool { return r.TopK != nil }, func(r *Request) { r.TopK = nil }, false},
	{Seed, func(r *Request) bool { return r.Seed != nil }, func(r *Request) { r.Seed = nil }, false},
	{PresencePenalty, func(r *Request) bool { return nonZero(r.PresencePenalty) }, func(r *Request) { r.PresencePenalty = nil }, false},
	{FrequencyPenalty, func(r *Request) bool { return nonZero(r.FrequencyPenalty) }, func(r *Request) { r.FrequencyPenalty = nil }, false},
	{LogitBias, func(r *Request) bool { return len(r.LogitBias) > 2 }, func(r *Request) { r.LogitBias = nil }, false},
	{Logprobs, func(r *Request) bool { return r.Logprobs || r.TopLogprobs > 0 }, func(r *Request) { r.Logprobs, r.TopLogprobs = false, 0 }, false},
	{ReasoningParam, func(r *Request) bool { return r.Reasoning.Given() && !r.Reasoning.Off }, func(r *Request) { r.Reasoning = Reasoning{} }, true},
	{Verbosity, func(r *Request) bool { return r.Verbosity != "" }, func(r *Request) { r.Verbosity = "" }, true},
	{ServiceTier, func(r *Request) bool {
		return r.ServiceTier != "" && r.ServiceTier != "auto" && r.ServiceTier != "default"
	},
		func(r *Request) { r.ServiceTier = "" }, false},
	{UserParam, func(r *Request) bool { return r.User != "" }, func(r *Request) { r.User = "" }, true},
	{AudioOutput, func(r *Request) bool { return slices.Contains(r.Modalities, "audio") }, func(r *Request) { r.Modalities, r.Voice = nil, nil }, false},
	{Prediction, func(r *Request) bool { return len(r.Prediction) > 0 }, func(r *Request) { r.Prediction = nil }, true},
	{ImageURLs, has(func(p *Part) bool { return p.Kind == Image && p.Media.URL != "" }), nil, false},
	{ImageData, has(func(p *Part) bool { return p.Kind == Image && p.Media.Data != "" }), nil, false},
	{DocumentURLs, has(func(p *Part) bool { return p.Kind == Document && p.Media.URL != "" }), nil, false},
	{DocumentData, has(func(p *Part) bool { return p.Kind == Document && p.Media.Data != "" }), nil, false},
	{AudioInput, has(func(p *Part) bool { return p.Kind == Audio }), nil, false},
	{VideoInput, has(func(p *Part) bool { return p.Kind == Video }), nil, false},
	{FileIDs, has(func(p *Part) bool { return p.Media != nil && p.Media.FileID != "" }), nil, false},
	{ResultImages, has(func(p *Part) bool { return p.Kind == ToolResult && hasMedia(p.Result.Parts) }), nil, false},
	{ParticipantNames, func(r *Request) bool {
		return slices.ContainsFunc(r.Messages, func(m Message) bool { return m.Name != "" })
	}, nil, true},
	{CacheMarkers, has(func(p *Part) bool { return p.Cache != "" }), nil, true},
	{ThinkingParts, has(func(p *Part) bool { return p.Kind == Thinking || p.Kind == Sealed }), nil, true},
	{CitationsWanted, has(func(p *Part) bool { return p.Media != nil && p.Media.Cited }), nil, true},
	{AssistantPrefill, func(r *Request) bool { n := len(r.Messages); return n > 0 && r.Messages[n-1].Role == Assistant }, nil, false},
}

// AllParams are all there are, in the order of the documentation.
func AllParams() []Param {
	all := make([]Param, len(params))
	for i := range params {
		all[i] = params[i].name
	}
	return all
}

// IsHint reports whether leaving the param out changes no answer's meaning.
func (p Param) IsHint() bool {
	return slices.ContainsFunc(params, func(row param) bool { return row.name == p && row.hint })
}

// Carries is what a target can express: params, and fields of Request.Extra by their names.
type Carries struct {
	Params []Param
	Extra  []string
}

// Fit makes the request one that a target can carry. What it cannot is left out if drop allows that for the field, or if it is a hint;
// else the error names the field. field is the caller's own name for a param. Dropped are the fields that were left out.
func (r *Request) Fit(to Carries, field func(Param) string, drop func(field string) bool) (dropped []string, err error) {
	for i := range params {
		p := &params[i]
		if slices.Contains(to.Params, p.name) || !p.given(r) {
			continue
		}
		name := field(p.name)
		switch {
		case p.clear == nil && p.hint:
		case p.clear == nil:
			return nil, unsupported(name, string(p.name))
		case p.hint || drop(name):
			p.clear(r)
		default:
			return nil, unsupported(name, name)
		}
		dropped = append(dropped, name)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extra)) {
		switch {
		case slices.Contains(to.Extra, name):
			continue
		case !drop(name):
			return nil, unsupported(name, name)
		}
		dropped = append(dropped, name)
	}
	for name := range r.Hints {
		if !slices.Contains(to.Extra, name) {
			dropped = append(dropped, name)
		}
	}
	slices.Sort(dropped)
	return slices.Compact(dropped), nil
}

// CodeUnsupported is the code of the error for what a target cannot express.
const CodeUnsupported = "unsupported_parameter"

func unsupported(field, what string) error {
	e := gateway.Invalid(field, "%s cannot be carried to this model's provider. Leave it out, or set drop_params to have such fields left out.", what)
	e.Code = CodeUnsupported
	return e
}

func nonZero(f *float64) bool { return f != nil && *f != 0 }

func hasStrictTools(r *Request) bool {
	return slices.ContainsFunc(r.Tools, func(t Tool) bool { return t.Strict != nil && *t.Strict })
}

func loosen(tools []Tool) {
	for i := range tools {
		tools[i].Strict = nil
	}
}

// has looks for a part in all messages, and within tool results.
func has(wanted func(*Part) bool) func(*Request) bool {
	return func(r *Request) bool {
		for i := range r.Messages {
			if anyPart(r.Messages[i].Parts, wanted) {
				return true
			}
		}
		return false
	}
}

func anyPart(parts []Part, wanted func(*Part) bool) bool {
	for i := range parts {
		p := &parts[i]
		if wanted(p) || p.Kind == ToolResult && anyPart(p.Result.Parts, wanted) {
			return true
		}
	}
	return false
}

func hasMedia(parts []Part) bool {
	return anyPart(parts, func(p *Part) bool { return p.Media != nil })
}
