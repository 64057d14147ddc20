package gemini

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Outbound translates for AI Studio and Vertex AI.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

// carried is all but what Google has no word for: several calls at once cannot be forbidden, tokens cannot be biased, and the rest are
// hints that others know.
var carried = []llm.Param{
	llm.Tools, llm.ToolChoiceParam, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.N, llm.Stop, llm.Temperature, llm.TopP, llm.TopK,
	llm.Seed, llm.PresencePenalty, llm.FrequencyPenalty, llm.Logprobs, llm.ReasoningParam, llm.ServiceTier, llm.AudioOutput,
	llm.ImageURLs, llm.ImageData, llm.DocumentURLs, llm.DocumentData, llm.AudioInput, llm.VideoInput, llm.FileIDs, llm.ResultImages,
	llm.ThinkingParts, llm.AssistantPrefill,
}

// Carries is what the dialect can express.
func (Outbound) Carries() llm.Carries { return llm.Carries{Params: carried, Extra: extraNames} }

// writer writes one request.
type writer struct {
	r       *llm.Request
	t       dialect.Target
	model   family
	vertex  bool
	dropped []string
	answers bool           // the answer tool stands in for a JSON format
	calls   map[string]int // the last call with that id, by its place among all
	shown   []part         // media of the turn's results that cannot stand within them
	names   []string       // of all calls
	header  http.Header
}

// EncodeRequest writes a request.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (dialect.Wire, error) {
	w := writer{r: r, t: t, model: familyOf(t.Model), vertex: strings.HasPrefix(t.Provider, "vertex")}
	body, err := w.body()
	if err != nil {
		return dialect.Wire{}, err
	}
	verb := verbWhole
	if r.Stream {
		verb = verbStream
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return dialect.Wire{}, gateway.Invalid("", "The request cannot be written in Google's format.").WithCause(err)
	}
	return dialect.Wire{Path: pathOf(t.Model, verb), Header: w.header, Body: raw, Dropped: w.dropped}, nil
}

func (w *writer) body() (map[string]any, error) {
	body := map[string]any{}
	if err := w.conversation(body); err != nil {
		return nil, err
	}
	config, err := w.config()
	if err != nil {
		return nil, err
	}
	if err := w.tools(body); err != nil {
		return nil, err
	}
	if err := w.tier(body); err != nil {
		return nil, err
	}
	w.extra(body, config)
	if len(config) > 0 {
		body["generationConfig"] = config
	}
	return body, nil
}

// tierOut are Google's words for OpenAI's service tiers. AI Studio takes them in the body, Vertex AI in a header (service tier guides,
// read 2026-11).
var tierOut = map[string]string{"": "", "auto": "", "default": "", "flex": "flex", "priority": "priority"}

const tierHeader = "X-Vertex-Ai-Llm-Shared-Request-Type"

func (w *writer) tier(body map[string]any) error {
	tier, known := tierOut[w.r.ServiceTier]
	switch {
	case !known:
		return w.refuse("service_tier", "Google has no service tier %q.", w.r.ServiceTier)
	case tier == "":
	case w.vertex:
		w.header = http.Header{tierHeader: {tier}}
	default:
		body["serviceTier"] = tier
	}
	return nil
}

// refuse is the error for what the target cannot take, unless the caller lets it be left out.
func (w *writer) refuse(field, format string, args ...any) error {
	if w.t.Drop != nil && w.t.Drop(field) {
		w.dropped = append(w.dropped, field)
		return nil
	}
	e := gateway.Invalid(field, format, args...)
	e.Code = "unsupported_parameter"
	return e
}

// extras are fields of Google's own that callers of other dialects may send, by where they stand in a body. Both spellings are taken.
var extras = map[string][]string{
	"": {"safetySettings", "cachedContent", "labels", "modelArmorConfig"},
	"generationConfig": {
		"mediaResolution", "speechConfig", "imageConfig", "audioTimestamp", "routingConfig", "modelSelectionConfig", "thinkingConfig",
		"enableEnhancedCivicAnswers", "responseModalities",
	},
	"toolConfig": {"retrievalConfig", "includeServerSideToolInvocations"},
}

// webSearch is OpenAI's field for a search on the web: Google has a tool for it.
const webSearch = "web_search_options"

type placed struct{ object, name string }

// places says where an extra field goes, by each of its names; extraNames are those.
var places, extraNames = func() (map[string]placed, []string) {
	all, names := map[string]placed{}, []string{webSearch}
	for object, fields := range extras {
		for _, name := range fields {
			at := placed{object, name}
			for _, spelled := range [...]string{name, snake(name), join(object, name), join(snake(object), snake(name))} {
				if _, known := all[spelled]; !known {
					all[spelled] = at
					names = append(names, spelled)
				}
			}
		}
	}
	return all, names
}()

func snake(name string) string {
	out := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		if c := name[i]; c >= 'A' && c <= 'Z' {
			out = append(out, '_', c-'A'+'a')
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// extra puts Google's own fields in, as the caller wrote them.
func (w *writer) extra(body, config map[string]any) {
	for _, fields := range [...]map[string]json.RawMessage{w.r.Hints, w.r.Extra} {
		for name, value := range fields {
			at, known := places[name]
			if !known {
				continue
			}
			switch at.object {
			case "generationConfig":
				config[at.name] = value
			case "toolConfig":
				inner, _ := body["toolConfig"].(map[string]any)
				if inner == nil {
					inner = map[string]any{}
					body["toolConfig"] = inner
				}
				inner[at.name] = value
			default:
				body[at.name] = value
			}
		}
	}
}

// DecodeResponse reads a whole answer.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) { return decodeResponse(body) }

// DecodeStream begins a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &decoder{} }

// DecodeError reads Google's error answer.
func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// Framing is that of server-sent events.
func (Outbound) Framing() dialect.Framing { return dialect.SSE }
