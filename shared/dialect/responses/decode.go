package responses

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// inbound translates for a caller.
type inbound struct {
	*exchange
	calls map[string]called // tools that are told as something else than a function, by the name that the model knows
	names map[string]string // of the tools called so far, by the calls' ids
	more  []llm.Tool        // tools that stand in the input
	only  []string          // the tools that tool_choice allows; nil: all
}

var _ dialect.Inbound = (*inbound)(nil)

// DecodeRequest reads the body.
func (in *inbound) DecodeRequest() (*llm.Request, error) {
	r := &llm.Request{Stream: in.request.Stream, MaxOutput: in.request.MaxOutput, N: 1, User: in.request.User}
	in.calls, in.names, in.more, in.only = map[string]called{}, map[string]string{}, nil, nil
	fields := maps.Clone(readers)
	fields["input"], fields["tools"], fields["tool_choice"] = in.readInput, in.readTools, in.readToolChoice
	body := jsonedit.Replace(nil, in.request.Body, in.head.Strip(nil)...)
	if err := dialect.Decode(r, body, fields, hints); err != nil {
		return nil, err
	}
	if len(r.Messages) == 0 {
		return nil, gateway.Invalid("input", "input must not be empty.")
	}
	r.Tools = append(r.Tools, in.more...)
	if in.only != nil {
		r.Tools = slices.DeleteFunc(r.Tools, func(t llm.Tool) bool { return !slices.Contains(in.only, t.Name) })
	}
	return r, nil
}

// Field is the caller's name for a param.
func (in *inbound) Field(p llm.Param) string {
	if name, found := names[p]; found {
		return name
	}
	return string(p)
}

// names are the params that are called otherwise here than in the neutral form.
var names = map[llm.Param]string{
	llm.StrictTools: "tools", llm.JSONMode: "text.format", llm.JSONSchemas: "text.format", llm.Verbosity: "text.verbosity",
	llm.Logprobs: "top_logprobs", llm.ImageURLs: "input", llm.ImageData: "input", llm.DocumentURLs: "input", llm.DocumentData: "input",
	llm.AudioInput: "input", llm.VideoInput: "input", llm.FileIDs: "input", llm.ResultImages: "input", llm.ParticipantNames: "input",
	llm.CacheMarkers: "input", llm.ThinkingParts: "input", llm.CitationsWanted: "input", llm.AssistantPrefill: "input",
}

// hints are fields that change no answer.
var hints = map[string]bool{
	"store": true, "metadata": true, "prompt_cache_key": true, "prompt_cache_retention": true, "prompt_cache_options": true,
	"client_metadata": true, "truncation": true, "max_tool_calls": true, "context_management": true, "stream_options": true,
}

// readers has the fields of a request that the neutral form has a place for, besides the three that need more than it.
var readers = map[string]dialect.Reader{
	"instructions":         readInstructions,
	"max_output_tokens":    ignore, // read by Peek, like the next ones
	"background":           ignore,
	"user":                 ignore,
	"safety_identifier":    ignore,
	"parallel_tool_calls":  dialect.Into(func(r *llm.Request) **bool { return &r.Parallel }),
	"temperature":          dialect.Number(0, 2, func(r *llm.Request) **float64 { return &r.Temperature }),
	"top_p":                dialect.Number(0, 1, func(r *llm.Request) **float64 { return &r.TopP }),
	"top_logprobs":         dialect.Whole(0, 20, readTopLogprobs),
	"service_tier":         dialect.Into(func(r *llm.Request) *string { return &r.ServiceTier }),
	"text":                 readText,
	"reasoning":            readReasoning,
	"include":              readInclude,
	"previous_response_id": refuse("this model's provider does not know earlier responses: send their items as input"),
	"conversation":         refuse("this model's provider keeps no conversations: send the items as input"),
	"prompt":               refuse("this model's provider keeps no prompts: send instructions and input"),
}

func ignore(*llm.Request, string, json.RawMessage) error { return nil }

func refuse(why string) dialect.Reader {
	return func(_ *llm.Request, name string, _ json.RawMessage) error {
		e := gateway.Invalid(name, "%s is not possible here: %s.", name, why)
		e.Code = "unsupported_parameter"
		return e
	}
}

func readInstructions(r *llm.Request, name string, raw json.RawMessage) error {
	var text string
	if err := dialect.Read(name, raw, &text); err != nil || text == "" {
		return err
	}
	r.Messages = slices.Insert(r.Messages, 0, llm.Message{Role: llm.System, Parts: []llm.Part{llm.TextPart(text)}})
	return nil
}

func readTopLogprobs(r *llm.Request, n int64) {
	r.TopLogprobs = n
	r.Logprobs = r.Logprobs || n > 0
}

// inclusions are what a caller may want in its Response besides the usual (API document, read 2026-11).
var inclusions = map[string]bool{
	"file_search_call.results": true, "web_search_call.results": true, "web_search_call.action.sources": true,
	"message.input_image.image_url": true, "computer_call_output.output.image_url": true, "code_interpreter_call.outputs": true,
	"reasoning.encrypted_content": true, "message.output_text.logprobs": true,
}

// readInclude reads what else is wanted. Of all that only tokens' probabilities must be asked of a model: seals always come along.
func readInclude(r *llm.Request, name string, raw json.RawMessage) error {
	var list []string
	if err := dialect.Read(name, raw, &list); err != nil {
		return err
	}
	for i, word := range list {
		if !inclusions[word] {
			at := dialect.At(name, i)
			return gateway.Invalid(at, "%s is %.60q, which is unknown.", at, word)
		}
		r.Logprobs = r.Logprobs || word == "message.output_text.logprobs"
	}
	return nil
}

// readText reads how the answer's text must be.
func readText(r *llm.Request, name string, raw json.RawMessage) error {
	var text struct {
		Format *struct {
			Type        string          `json:"type"`
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Schema      json.RawMessage `json:"schema"`
			Strict      *bool           `json:"strict"`
		} `json:"format"`
		Verbosity string `json:"verbosity"`
	}
	if err := dialect.Read(name, raw, &text); err != nil {
		return err
	}
	if v := text.Verbosity; v != "" && v != "low" && v != "medium" && v != "high" {
		return gateway.Invalid("text.verbosity", "text.verbosity must be low, medium or high.")
	}
	r.Verbosity = text.Verbosity
	f := text.Format
	switch {
	case f == nil || f.Type == "text":
	case f.Type == "json_object":
		r.Format.Kind = llm.JSONObject
	case f.Type != "json_schema":
		return gateway.Invalid("text.format.type", "text.format.type must be text, json_object or json_schema.")
	case len(f.Schema) == 0 || f.Schema[0] != '{':
		return gateway.Invalid("text.format.schema", "text.format.schema must be an object.")
	default:
		r.Format = llm.Format{Kind: llm.JSONSchema, Name: f.Name, Description: f.Description, Schema: f.Schema, Strict: f.Strict}
	}
	return nil
}

// readReasoning reads how much to think, and how thoughts are shown.
func readReasoning(r *llm.Request, name string, raw json.RawMessage) error {
	var given struct {
		Effort   string          `json:"effort"`
		Summary  string          `json:"summary"`
		Generate string          `json:"generate_summary"` // its older name
		Mode     string          `json:"mode"`
		Context  json.RawMessage `json:"context"`
	}
	if err := dialect.Read(name, raw, &given); err != nil {
		return err
	}
	switch e := given.Effort; {
	case e == "":
	case !llm.IsEffort(e):
		return gateway.Invalid("reasoning.effort", "reasoning.effort must be none, minimal, low, medium, high, xhigh or max.")
	case e == "none":
		r.Reasoning.Off = true
	default:
		r.Reasoning.Effort = e
	}
	if r.Reasoning.Summary = given.Summary; given.Summary == "" {
		r.Reasoning.Summary = given.Generate
	}
	switch r.Reasoning.Summary {
	case "":
	case "auto", "concise", "detailed":
		show := true
		r.Reasoning.Show = &show
	case "none": // not OpenAI's word, but clear
		r.Reasoning.Summary = ""
	default:
		return gateway.Invalid("reasoning.summary", "reasoning.summary must be auto, concise or detailed.")
	}
	if given.Mode != "" && given.Mode != "standard" {
		keep(&r.Extra, "reasoning.mode", raw)
	}
	if len(given.Context) > 0 && string(given.Context) != "null" {
		keep(&r.Hints, "reasoning.context", given.Context)
	}
	return nil
}

func keep(fields *map[string]json.RawMessage, name string, raw json.RawMessage) {
	if *fields == nil {
		*fields = map[string]json.RawMessage{}
	}
	(*fields)[name] = raw
}
