package responses

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Outbound translates for upstreams that speak this dialect.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

// Carries is what a request of this dialect can express.
func (Outbound) Carries() llm.Carries { return carries }

var carries = llm.Carries{
	Params: []llm.Param{
		llm.Tools, llm.ToolChoiceParam, llm.ParallelTools, llm.StrictTools, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.Temperature,
		llm.TopP, llm.Logprobs, llm.ReasoningParam, llm.Verbosity, llm.ServiceTier, llm.UserParam, llm.ImageURLs, llm.ImageData,
		llm.DocumentURLs, llm.DocumentData, llm.FileIDs, llm.ResultImages, llm.ThinkingParts, llm.AssistantPrefill,
	},
	Extra: []string{
		"metadata", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "truncation", "max_tool_calls", "context_management",
	},
}

// Framing is that of server-sent events.
func (Outbound) Framing() dialect.Framing { return dialect.SSE }

// DecodeError reads OpenAI's error object.
func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// minOutput is the least that max_output_tokens may be (API document, read 2026-11).
const minOutput = 16

// request is a request's body. Nothing is stored with the vendor: what a model thought comes back sealed, and is sent along again.
type request struct {
	Model        string       `json:"model"`
	Instructions string       `json:"instructions,omitempty"`
	Input        []sentItem   `json:"input"`
	Tools        []any        `json:"tools,omitempty"`
	Choice       any          `json:"tool_choice,omitempty"`
	Parallel     *bool        `json:"parallel_tool_calls,omitempty"`
	Text         *textOptions `json:"text,omitempty"`
	Reasoning    *reasoning   `json:"reasoning,omitempty"`
	Store        bool         `json:"store"`
	Include      []string     `json:"include,omitempty"`
	MaxOutput    int64        `json:"max_output_tokens,omitempty"`
	Temperature  *float64     `json:"temperature,omitempty"`
	TopP         *float64     `json:"top_p,omitempty"`
	TopLogprobs  int64        `json:"top_logprobs,omitempty"`
	ServiceTier  string       `json:"service_tier,omitempty"`
	User         string       `json:"user,omitempty"`
	Stream       bool         `json:"stream,omitempty"`
}

type reasoning struct {
	Effort  string `json:"effort,omitempty"`
	Summary string `json:"summary,omitempty"`
}

type textOptions struct {
	Format    *format `json:"format,omitempty"`
	Verbosity string  `json:"verbosity,omitempty"`
}

type format struct {
	Type        string          `json:"type"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// EncodeRequest writes a request.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (w dialect.Wire, err error) {
	out := request{
		Model: t.Model, Parallel: r.Parallel, Temperature: r.Temperature, TopP: r.TopP, ServiceTier: r.ServiceTier, User: r.User,
		Stream: r.Stream, TopLogprobs: r.TopLogprobs, MaxOutput: limitOf(r, t), Text: textOf(r), Reasoning: reasoningOf(r),
		Choice: choiceOf(r.Choice), Include: included(r, t.Model),
	}
	var rest []llm.Message
	out.Instructions, rest = instructions(r.Messages)
	if out.Input, err = itemsOf(rest); err != nil {
		return w, err
	}
	if out.Tools, w.Dropped, err = toolsFor(r, t); err != nil {
		return w, err
	}
	if len(out.Tools) == 0 {
		out.Parallel, out.Choice = nil, nil
	}
	body, err := json.Marshal(&out)
	if err != nil {
		return w, gateway.Invalid("", "The request has a value that is not valid JSON.").WithCause(err)
	}
	w.Path, w.Body = route, withExtra(body, r)
	return w, nil
}

func limitOf(r *llm.Request, t dialect.Target) int64 {
	if r.MaxOutput > 0 {
		return max(r.MaxOutput, minOutput)
	}
	return t.Clamp
}

// instructions are the system messages that come first; those further on stay where they are.
func instructions(messages []llm.Message) (text string, rest []llm.Message) {
	var texts []string
	for i := range messages {
		if messages[i].Role != llm.System || len(messages[i].Parts) != countText(messages[i].Parts) {
			break
		}
		texts = append(texts, llm.TextOf(messages[i].Parts))
	}
	if len(texts) == len(messages) {
		return "", messages // an input is required
	}
	return strings.Join(texts, "\n\n"), messages[len(texts):]
}

func countText(parts []llm.Part) (n int) {
	for i := range parts {
		if parts[i].Kind == llm.Text {
			n++
		}
	}
	return n
}

func textOf(r *llm.Request) *textOptions {
	out := textOptions{Verbosity: r.Verbosity}
	switch f := r.Format; f.Kind {
	case llm.JSONObject:
		out.Format = &format{Type: "json_object"}
	case llm.JSONSchema:
		out.Format = &format{Type: "json_schema", Name: f.Name, Description: f.Description, Schema: f.Schema, Strict: f.Strict}
		if f.Name == "" {
			out.Format.Name = "answer" // it is required
		}
	}
	if out == (textOptions{}) {
		return nil
	}
	return &out
}

func reasoningOf(r *llm.Request) *reasoning {
	out := reasoning{Effort: r.Reasoning.Word(), Summary: r.Reasoning.Summary}
	if show := r.Reasoning.Show; out.Summary == "" && show != nil && *show && !r.Reasoning.Off {
		out.Summary = "auto"
	}
	if out == (reasoning{}) {
		return nil
	}
	return &out
}

func choiceOf(c llm.ToolChoice) any {
	switch c.Mode {
	case llm.ChooseAuto, llm.ChooseNone:
		return string(c.Mode)
	case llm.ChooseAny:
		return "required"
	case llm.ChooseTool:
		return map[string]string{"type": "function", "name": c.Name}
	default:
		return nil
	}
}

// thoughtless are the beginnings of the names of OpenAI's models that do not think: they refuse to be asked for sealed thoughts.
var thoughtless = []string{"gpt-3", "gpt-4", "chatgpt-4"}

func included(r *llm.Request, model string) (out []string) {
	model = model[strings.LastIndexByte(model, '/')+1:]
	if !slices.ContainsFunc(thoughtless, func(prefix string) bool { return strings.HasPrefix(model, prefix) }) {
		out = append(out, "reasoning.encrypted_content")
	}
	if r.Logprobs || r.TopLogprobs > 0 {
		out = append(out, "message.output_text.logprobs")
	}
	return out
}

// withExtra adds the fields that callers of other dialects have under the same names.
func withExtra(body []byte, r *llm.Request) []byte {
	o := object{body[:len(body)-1]}
	for _, fields := range [...]map[string]json.RawMessage{r.Extra, r.Hints} {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			raw := fields[name]
			if name == "metadata" {
				raw = labels(raw)
			}
			if slices.Contains(carries.Extra, name) && json.Valid(raw) {
				o.json(name, raw)
			}
		}
	}
	return o.close()
}

// labels are those of metadata that OpenAI takes: texts (16 of at most 512 characters, API document, read 2026-11).
func labels(raw json.RawMessage) json.RawMessage {
	var all map[string]any
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if text, ok := all[name].(string); ok && len(name) <= 64 && len(text) <= 512 && len(out) < 16 {
			out[name] = text
		}
	}
	if len(out) == 0 {
		return nil
	}
	text, _ := json.Marshal(out) // strings only: cannot fail
	return text
}
