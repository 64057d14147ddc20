package messages

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Outbound translates for Anthropic, and Claude on Vertex AI.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

// extras are fields without a place in the neutral form that go on to Anthropic as they are.
var extras = []string{
	"container", "mcp_servers", "context_management", "compaction", "inference_geo", "speed", "cache_control", "diagnostics", "fallbacks",
	"fallback_credit_token", "billing_policy",
}

// betasField is the name under which DecodeRequest keeps the features that a caller asks for in a header.
const betasField = "anthropic-beta"

// fieldBetas are the features that fields belong to (API reference, read 2026-11).
var fieldBetas = map[string]string{
	"context_management": "context-management-2025-06-27", "mcp_servers": "mcp-client-2025-11-20",
	"fallbacks": "server-side-fallback-2026-07-01",
}

var carries = llm.Carries{
	Params: []llm.Param{
		llm.Tools, llm.ToolChoiceParam, llm.ParallelTools, llm.StrictTools, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.Stop,
		llm.Temperature, llm.TopP, llm.TopK, llm.ReasoningParam, llm.ServiceTier, llm.UserParam, llm.ImageURLs, llm.ImageData,
		llm.DocumentURLs, llm.DocumentData, llm.FileIDs, llm.ResultImages, llm.CacheMarkers, llm.ThinkingParts, llm.CitationsWanted,
		llm.AssistantPrefill,
	},
	Extra: append([]string{betasField}, extras...),
}

// Carries is what the dialect can express. Not all models take all of it: EncodeRequest knows which.
func (Outbound) Carries() llm.Carries { return carries }

func (Outbound) Framing() dialect.Framing { return dialect.SSE }

func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return decodeError(status, h, body)
}

// request is the body of a request.
type request struct {
	Model        string        `json:"model,omitempty"`
	Version      string        `json:"anthropic_version,omitempty"` // on Vertex AI
	Betas        []string      `json:"anthropic_beta,omitempty"`    // on Vertex AI
	MaxTokens    int64         `json:"max_tokens"`
	Tools        []*tool       `json:"tools,omitempty"`
	ToolChoice   *toolChoice   `json:"tool_choice,omitempty"`
	System       []block       `json:"system,omitempty"`
	Messages     []turn        `json:"messages"`
	Thinking     *thinking     `json:"thinking,omitempty"`
	OutputConfig *outputConfig `json:"output_config,omitempty"`
	Stop         []string      `json:"stop_sequences,omitempty"`
	Temperature  *float64      `json:"temperature,omitempty"`
	TopP         *float64      `json:"top_p,omitempty"`
	TopK         *int64        `json:"top_k,omitempty"`
	Metadata     *metadata     `json:"metadata,omitempty"`
	ServiceTier  string        `json:"service_tier,omitempty"`
	Stream       bool          `json:"stream,omitempty"`
}

type metadata struct {
	UserID string `json:"user_id"`
}

type outputConfig struct {
	Effort string      `json:"effort,omitempty"`
	Format *jsonFormat `json:"format,omitempty"`
}

type jsonFormat struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

// encoding makes one request.
type encoding struct {
	r       *llm.Request
	t       dialect.Target
	is      traits
	body    request
	betas   []string
	dropped []string
	answers bool // the answer is made by calling llm.AnswerTool
	forced  bool // a tool must be called
	unready bool // the conversation cannot go on with thinking within a budget
}

// EncodeRequest writes a request by the rules of the model that it is for. What the model does not take is refused, or left out if the
// target's Drop allows it for the field's neutral name.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (w dialect.Wire, err error) {
	e := &encoding{r: r, t: t, is: traitsOf(t.Model)}
	for _, step := range [...]func() error{e.asked, e.turns, e.tools, e.format, e.choose, e.think, e.sample, e.rest} {
		if err := step(); err != nil {
			return w, err
		}
	}
	e.body.limitMarkers()
	return e.wire(), nil
}

// leave leaves a field out if that is allowed.
func (e *encoding) leave(p llm.Param, format string, args ...any) error {
	if e.t.Drop != nil && e.t.Drop(string(p)) {
		e.dropped = append(e.dropped, string(p))
		return nil
	}
	err := gateway.Invalid(string(p), format, args...)
	err.Code = llm.CodeUnsupported
	return err
}

// rest is what needs no rules.
func (e *encoding) rest() error {
	for _, stop := range e.r.Stop {
		if strings.TrimSpace(stop) != "" {
			e.body.Stop = append(e.body.Stop, stop)
		}
	}
	if len(e.body.Stop) < len(e.r.Stop) {
		e.dropped = append(e.dropped, string(llm.Stop)) // Anthropic refuses those of white space only
	}
	if user := e.r.User; user != "" && len(user) <= maxUserID {
		e.body.Metadata = &metadata{user}
	} else if user != "" {
		e.dropped = append(e.dropped, string(llm.UserParam))
	}
	e.body.Stream = e.r.Stream
	switch e.r.ServiceTier {
	case "", "auto", "default", "priority": // priority capacity is used if there is any
		e.body.ServiceTier = map[string]string{"auto": "auto", "default": "standard_only", "priority": "auto"}[e.r.ServiceTier]
		return nil
	default:
		return e.leave(llm.ServiceTier, "service_tier %q is not known to Anthropic.", e.r.ServiceTier)
	}
}

// maxUserID is Anthropic's limit for metadata.user_id, in characters (API reference, read 2026-11).
const maxUserID = 256

// wire puts body and headers together.
func (e *encoding) wire() dialect.Wire {
	extra := e.extras()
	w := dialect.Wire{Path: "/messages", Header: http.Header{versionHeader: {defaultVersion}}, Dropped: e.dropped}
	if e.t.Provider == vertex {
		w.Path, w.Header = vertexPath(e.t.Model, e.r.Stream, false), nil
		e.body.Version, e.body.Betas = vertexVersion, e.betas
	} else {
		e.body.Model = e.t.Model
		if len(e.betas) > 0 {
			w.Header[betaHeader] = []string{strings.Join(e.betas, ",")}
		}
	}
	w.Body = withExtras(marshal(&e.body), extra)
	return w
}

// asked asks for the features that the caller asks for.
func (e *encoding) asked() error {
	_ = json.Unmarshal(e.r.Hints[betasField], &e.betas)
	return nil
}

// extra is a field that goes on as it is.
type extra struct {
	name  string
	value json.RawMessage
}

// extras are the fields that have no place in the neutral form. A field of another dialect may have the name of one of Anthropic's and
// another type: context_management is an object here.
func (e *encoding) extras() (all []extra) {
	for _, name := range extras {
		value := e.r.Extra[name]
		if value == nil {
			value = e.r.Hints[name]
		}
		switch {
		case len(value) == 0:
		case name == "context_management" && value[0] != '{':
			e.dropped = append(e.dropped, name)
		default:
			all = append(all, extra{name, value})
			if beta := fieldBetas[name]; beta != "" {
				e.beta(beta)
			}
		}
	}
	return all
}

func withExtras(body []byte, all []extra) []byte {
	if len(all) == 0 {
		return body
	}
	fields, edits := make([]jsonedit.Field, len(all)), make([]jsonedit.Edit, len(all))
	for i := range all {
		fields[i].Name = all[i].name
	}
	jsonedit.Find(body, fields)
	for i := range all {
		edits[i] = fields[i].Set(all[i].value)
	}
	return jsonedit.Replace(nil, body, edits...)
}
