package chat

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// inbound translates for a caller of chat completions.
type inbound struct{ *request }

var _ dialect.Inbound = (*inbound)(nil)

// DecodeRequest reads the body.
func (in *inbound) DecodeRequest() (*llm.Request, error) {
	r := &llm.Request{Stream: in.Stream, MaxOutput: in.MaxOutput, N: in.N, User: in.User}
	if err := dialect.Decode(r, in.stripped(), readers, hints); err != nil {
		return nil, err
	}
	return r, nil
}

// Field is the caller's name for a param.
func (in *inbound) Field(p llm.Param) string { return fieldOf(p) }

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
	"store": true, "metadata": true, "prompt_cache_key": true, "prompt_cache_retention": true,
}

func ignore(*llm.Request, string, json.RawMessage) error { return nil }

// readers has every field of a chat that the neutral form has a place for, those of LiteLLM and OpenRouter among them.
var readers = map[string]dialect.Reader{
	"messages":              readMessages,
	"tools":                 readTools,
	"functions":             readFunctions,
	"tool_choice":           readToolChoice,
	"function_call":         readToolChoice,
	"response_format":       readFormat,
	"parallel_tool_calls":   dialect.Into(func(r *llm.Request) **bool { return &r.Parallel }),
	"max_tokens":            ignore, // read by Peek, like the next ones
	"max_completion_tokens": ignore,
	"n":                     ignore,
	"stream_options":        ignore,
	"user":                  ignore,
	"safety_identifier":     ignore,
	"stop":                  readStop,
	"temperature":           dialect.Number(0, 2, func(r *llm.Request) **float64 { return &r.Temperature }),
	"top_p":                 dialect.Number(0, 1, func(r *llm.Request) **float64 { return &r.TopP }),
	"top_k":                 dialect.Whole(0, 1<<20, func(r *llm.Request, n int64) { r.TopK = &n }),
	"seed":                  dialect.Into(func(r *llm.Request) **int64 { return &r.Seed }),
	"presence_penalty":      dialect.Number(-2, 2, func(r *llm.Request) **float64 { return &r.PresencePenalty }),
	"frequency_penalty":     dialect.Number(-2, 2, func(r *llm.Request) **float64 { return &r.FrequencyPenalty }),
	"logit_bias":            readLogitBias,
	"logprobs":              dialect.Into(func(r *llm.Request) *bool { return &r.Logprobs }),
	"top_logprobs":          dialect.Whole(0, 20, func(r *llm.Request, n int64) { r.TopLogprobs = n }),
	"reasoning_effort":      readEffort,
	"reasoning":             readReasoning,
	"thinking":              readThinking,
	"verbosity":             dialect.Into(func(r *llm.Request) *string { return &r.Verbosity }),
	"service_tier":          dialect.Into(func(r *llm.Request) *string { return &r.ServiceTier }),
	"modalities":            dialect.Into(func(r *llm.Request) *[]string { return &r.Modalities }),
	"audio":                 dialect.Into(func(r *llm.Request) *json.RawMessage { return &r.Voice }),
	"prediction":            dialect.Into(func(r *llm.Request) *json.RawMessage { return &r.Prediction }),
}

const (
	maxStops     = 64
	maxBiases    = 1024
	maxStopBytes = 4096
)

func readStop(r *llm.Request, name string, raw json.RawMessage) error {
	if raw[0] == '"' {
		r.Stop = make([]string, 1)
		return dialect.Read(name, raw, &r.Stop[0])
	}
	if err := dialect.Read(name, raw, &r.Stop); err != nil {
		return err
	}
	if len(r.Stop) > maxStops || slices.ContainsFunc(r.Stop, func(s string) bool { return len(s) > maxStopBytes }) {
		return gateway.Invalid(name, "%s may have %d entries of %d bytes.", name, maxStops, maxStopBytes)
	}
	return nil
}

func readLogitBias(r *llm.Request, name string, raw json.RawMessage) error {
	var biases map[string]float64
	if err := dialect.Read(name, raw, &biases); err != nil {
		return err
	}
	if len(biases) > maxBiases {
		return gateway.Invalid(name, "%s may have %d entries.", name, maxBiases)
	}
	if len(biases) > 0 {
		r.LogitBias = raw
	}
	return nil
}

func readEffort(r *llm.Request, name string, raw json.RawMessage) error {
	var effort string
	if err := dialect.Read(name, raw, &effort); err != nil {
		return err
	}
	return setEffort(r, name, effort)
}

func setEffort(r *llm.Request, name, effort string) error {
	switch {
	case !llm.IsEffort(effort):
		return gateway.Invalid(name, "%s must be none, minimal, low, medium, high, xhigh or max.", name)
	case effort == "none":
		r.Reasoning.Off = true
	default:
		r.Reasoning.Effort = effort
	}
	return nil
}

// readReasoning reads OpenRouter's object.
func readReasoning(r *llm.Request, name string, raw json.RawMessage) error {
	var given struct {
		Effort    string `json:"effort"`
		MaxTokens int64  `json:"max_tokens"`
		Exclude   *bool  `json:"exclude"`
		Enabled   *bool  `json:"enabled"`
		Summary   string `json:"summary"`
	}
	if err := dialect.Read(name, raw, &given); err != nil {
		return err
	}
	r.Reasoning.Summary = given.Summary
	if given.Exclude != nil {
		show := !*given.Exclude
		r.Reasoning.Show = &show
	}
	switch {
	case given.Enabled != nil && !*given.Enabled:
		r.Reasoning.Off = true
	case given.Effort != "":
		return setEffort(r, name+".effort", given.Effort)
	case given.MaxTokens < 0 || given.MaxTokens > dialect.MaxTokens:
		return gateway.Invalid(name+".max_tokens", "%s.max_tokens must be from 0 to %d.", name, dialect.MaxTokens)
	case given.MaxTokens > 0:
		r.Reasoning.Budget = given.MaxTokens
	case given.Enabled != nil:
		r.Reasoning.Auto = true
	}
	return nil
}

// readThinking reads Anthropic's object, as LiteLLM takes it.
func readThinking(r *llm.Request, name string, raw json.RawMessage) error {
	var given struct {
		Type   string `json:"type"`
		Budget int64  `json:"budget_tokens"`
	}
	if err := dialect.Read(name, raw, &given); err != nil {
		return err
	}
	switch {
	case given.Type == "disabled":
		r.Reasoning.Off = true
	case given.Type == "adaptive":
		r.Reasoning.Auto = true
	case given.Type != "enabled":
		return gateway.Invalid(name+".type", "%s.type must be enabled, adaptive or disabled.", name)
	case given.Budget < 1 || given.Budget > dialect.MaxTokens:
		return gateway.Invalid(name+".budget_tokens", "%s.budget_tokens must be from 1 to %d.", name, dialect.MaxTokens)
	default:
		r.Reasoning.Budget = given.Budget
	}
	return nil
}
