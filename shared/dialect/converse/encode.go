package converse

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// encoder writes one request. It works on a copy of the caller's, whose slices stay as they are.
type encoder struct {
	llm.Request
	family *family
	target dialect.Target

	system  []llm.Part
	turns   []llm.Message
	plan    toolPlan
	more    map[string]any  // additionalModelRequestFields
	names   map[string]bool // of documents
	dropped []string
}

func newEncoder(r *llm.Request, t dialect.Target) *encoder {
	if t.Drop == nil {
		t.Drop = func(string) bool { return false }
	}
	return &encoder{Request: *r, family: familyOf(t.Name()), target: t, more: map[string]any{}, names: map[string]bool{}}
}

// body is the request as Bedrock gets it.
type body struct {
	Messages  []message                  `json:"messages"`
	System    []block                    `json:"system,omitempty"`
	Inference *inference                 `json:"inferenceConfig,omitempty"`
	Tools     *toolConfig                `json:"toolConfig,omitempty"`
	More      map[string]any             `json:"additionalModelRequestFields,omitempty"`
	Tier      *tier                      `json:"serviceTier,omitempty"`
	Output    map[string]json.RawMessage `json:"outputConfig,omitempty"`
	Paths     json.RawMessage            `json:"additionalModelResponseFieldPaths,omitempty"`
	Guardrail json.RawMessage            `json:"guardrailConfig,omitempty"`
	Speed     json.RawMessage            `json:"performanceConfig,omitempty"`
	Metadata  json.RawMessage            `json:"requestMetadata,omitempty"`
	Variables json.RawMessage            `json:"promptVariables,omitempty"`
}

type message struct {
	Role    llm.Role `json:"role"`
	Content []block  `json:"content"`
}

type inference struct {
	MaxTokens   int64    `json:"maxTokens,omitempty"`
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"topP,omitempty"`
	Stop        []string `json:"stopSequences,omitempty"`
}

type tier struct {
	Type string `json:"type"`
}

func (e *encoder) encode() ([]byte, error) {
	if err := e.checkTools(); err != nil {
		return nil, err
	}
	if err := e.fit(); err != nil {
		return nil, err
	}
	e.readTurns()
	if err := e.checkTurns(); err != nil {
		return nil, err
	}
	e.planTools()
	if err := e.checkNone(); err != nil {
		return nil, err
	}
	e.reason()
	b := body{Tools: e.plan.config()}
	var err error
	if b.System, b.Messages, err = e.messages(); err != nil {
		return nil, err
	}
	e.addMore()
	b.Inference, b.More = e.inference(), e.more
	if err := e.extras(&b); err != nil {
		return nil, err
	}
	return write(&b)
}

// write is json.Marshal without the escapes that are for HTML.
func write(b *body) ([]byte, error) {
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetEscapeHTML(false)
	if err := w.Encode(b); err != nil {
		return nil, gateway.Invalid("", "The request has a part that is not valid JSON.").WithCause(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// limit is the output limit that is sent; 0 if none is.
func (e *encoder) limit() int64 {
	if e.MaxOutput > 0 {
		return min(e.MaxOutput, math.MaxInt32)
	}
	return min(e.target.Clamp, math.MaxInt32)
}

func (e *encoder) inference() *inference {
	i := inference{MaxTokens: e.limit(), Temperature: e.Temperature, TopP: e.TopP}
	for _, stop := range e.Stop {
		if stop != "" {
			i.Stop = append(i.Stop, stop)
		}
	}
	if i.MaxTokens == 0 && i.Temperature == nil && i.TopP == nil && len(i.Stop) == 0 {
		return nil
	}
	return &i
}

// addMore fills in the family's own fields.
func (e *encoder) addMore() {
	if e.TopK != nil {
		if outer, inner, nested := strings.Cut(e.family.topK, "."); nested {
			e.more[outer] = map[string]int64{inner: *e.TopK}
		} else {
			e.more[outer] = *e.TopK
		}
	}
	if e.Seed != nil {
		e.more["seed"] = *e.Seed
	}
	for name, value := range map[string]*float64{"presence_penalty": e.PresencePenalty, "frequency_penalty": e.FrequencyPenalty} {
		if value != nil && slices.Contains(e.family.fields, name) {
			e.more[name] = *value
		}
	}
}

// leaveOut notes a param that this request does without, as it contradicts another one.
func (e *encoder) leaveOut(p llm.Param) { e.dropped = append(e.dropped, fieldOf(p)) }

// leftOut are the fields that the request does without.
func (e *encoder) leftOut() []string {
	slices.Sort(e.dropped)
	return slices.Compact(e.dropped)
}
