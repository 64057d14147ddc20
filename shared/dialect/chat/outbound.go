package chat

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Outbound translates for upstreams that speak chat completions.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

var carried = llm.Carries{
	Params: []llm.Param{
		llm.Tools, llm.ToolChoiceParam, llm.ParallelTools, llm.StrictTools, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.N, llm.Stop, llm.Temperature,
		llm.TopP, llm.TopK, llm.Seed, llm.PresencePenalty, llm.FrequencyPenalty, llm.LogitBias, llm.Logprobs, llm.ReasoningParam, llm.Verbosity, llm.ServiceTier,
		llm.UserParam, llm.AudioOutput, llm.Prediction, llm.ImageURLs, llm.ImageData, llm.DocumentURLs, llm.DocumentData, llm.AudioInput, llm.VideoInput,
		llm.FileIDs, llm.ResultImages, llm.ParticipantNames, llm.AssistantPrefill,
	},
	Extra: []string{"metadata", "store", "prompt_cache_key", "prompt_cache_retention", "web_search_options", "min_p", "repetition_penalty"},
}

// Carries is what chat completions can express.
func (Outbound) Carries() llm.Carries { return carried }

// Framing is that of server-sent events.
func (Outbound) Framing() dialect.Framing { return dialect.SSE }

// DecodeError reads OpenAI's error object.
func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// EncodeRequest writes a request.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (w dialect.Wire, err error) {
	w.Path = paths[gateway.OpChat]
	e := requestEncoder{request: r, target: t, quirks: quirksOf(&t), out: map[string]any{"model": t.Model}}
	for _, step := range [...]func() error{e.messages, e.tools, e.format, e.sampling, e.reasoning} {
		if err := step(); err != nil {
			return w, err
		}
	}
	for name, raw := range r.Extra {
		e.out[name] = raw
	}
	for name, raw := range r.Hints {
		for _, known := range carried.Extra {
			if name == known {
				e.out[name] = raw
			}
		}
	}
	for from, to := range e.quirks.rename {
		if v, found := e.out[from]; found {
			delete(e.out, from)
			e.out[to] = v
		}
	}
	w.Body, err = json.Marshal(e.out)
	return w, err
}

// requestEncoder writes one request.
type requestEncoder struct {
	request *llm.Request
	target  dialect.Target
	quirks  quirks
	out     map[string]any
}

func (e *requestEncoder) sampling() error {
	r, out := e.request, e.out
	limit := r.MaxOutput
	if limit == 0 {
		limit = e.target.Clamp
	}
	if limit > 0 && e.quirks.newerLimit {
		out["max_completion_tokens"] = limit
	} else if limit > 0 {
		out["max_tokens"] = limit
	}
	for name, v := range map[string]*float64{
		"temperature": r.Temperature, "top_p": r.TopP, "presence_penalty": r.PresencePenalty, "frequency_penalty": r.FrequencyPenalty,
	} {
		if v != nil {
			out[name] = *v
		}
	}
	for name, v := range map[string]*int64{"top_k": r.TopK, "seed": r.Seed} {
		if v != nil {
			out[name] = *v
		}
	}
	for name, v := range map[string]string{"verbosity": r.Verbosity, "service_tier": r.ServiceTier, "user": r.User} {
		if v != "" {
			out[name] = v
		}
	}
	for name, v := range map[string]json.RawMessage{"logit_bias": r.LogitBias, "audio": r.Voice, "prediction": r.Prediction} {
		if len(v) > 0 {
			out[name] = v
		}
	}
	if len(r.Stop) > 0 {
		out["stop"] = r.Stop
	}
	if len(r.Modalities) > 0 {
		out["modalities"] = r.Modalities
	}
	if r.N > 1 {
		out["n"] = r.N
	}
	if r.Logprobs || r.TopLogprobs > 0 {
		out["logprobs"] = true
	}
	if r.TopLogprobs > 0 {
		out["top_logprobs"] = r.TopLogprobs
	}
	if r.Stream {
		out["stream"] = true
		if !e.quirks.noStreamOptions {
			out["stream_options"] = map[string]bool{"include_usage": true}
		}
	}
	return nil
}

// reasoning says how much to think where the provider has words for it.
func (e *requestEncoder) reasoning() error {
	word := e.request.Reasoning.Word()
	if word == "" || e.target.Provider == "deepseek" {
		return nil
	}
	if e.target.Provider == "openrouter" {
		e.out["reasoning"] = map[string]any{"effort": word, "enabled": word != "none"}
		return nil
	}
	if word == "none" && e.target.Provider != "openai" && e.target.Provider != "azure" {
		return nil // most know no word for it
	}
	if word == "max" {
		word = "high"
	}
	if word == "none" && !strings.HasPrefix(e.target.Model, "gpt-5.") {
		return nil // known to models from 5.1 on only
	}
	e.out["reasoning_effort"] = word
	return nil
}

func (e *requestEncoder) tools() error {
	r := e.request
	var list []any
	for i := range r.Tools {
		t := &r.Tools[i]
		switch {
		case t.Vendor == nil:
			list = append(list, tool{Type: "function", Function: &function{Name: t.Name, Description: t.Description, Parameters: t.Schema, Strict: t.Strict}})
		case t.Dialect == string(gateway.OpChat):
			list = append(list, t.Vendor)
		case !e.target.Drop("tools"):
			return vendorTool(i, t)
		}
	}
	if r.Format.Kind == llm.JSONSchema && e.quirks.noSchema {
		list = append(list, answerTool(&r.Format))
	}
	if len(list) == 0 {
		return nil
	}
	e.out["tools"] = list
	if r.Parallel != nil {
		e.out["parallel_tool_calls"] = *r.Parallel
	}
	switch {
	case r.Format.Kind == llm.JSONSchema && e.quirks.noSchema:
		e.out["tool_choice"] = "required"
	case r.Choice.Mode == llm.ChooseTool:
		e.out["tool_choice"] = tool{Type: "function", Function: &function{Name: r.Choice.Name}}
	case r.Choice.Mode == llm.ChooseAny:
		e.out["tool_choice"] = "required"
	case r.Choice.Mode != "":
		e.out["tool_choice"] = string(r.Choice.Mode)
	}
	return nil
}

func vendorTool(i int, t *llm.Tool) error {
	e := gateway.Invalid(dialect.At("tools", i)+".type", "tools of type %.40q cannot be carried to this model's provider.", t.Name)
	e.Code = "unsupported_parameter"
	return e
}

// answerTool is the tool that takes the place of a JSON schema.
func answerTool(f *llm.Format) tool {
	return tool{Type: "function", Function: &function{
		Name: llm.AnswerTool, Description: "Give the answer. " + f.Description, Parameters: f.Schema,
	}}
}

func (e *requestEncoder) format() error {
	f := &e.request.Format
	switch {
	case f.Kind == llm.JSONObject:
		e.out["response_format"] = format{Type: "json_object"}
	case f.Kind == llm.JSONSchema && !e.quirks.noSchema:
		name := f.Name
		if name == "" {
			name = "answer"
		}
		e.out["response_format"] = format{"json_schema", &schema{name, f.Description, f.Schema, f.Strict}}
	}
	return nil
}
