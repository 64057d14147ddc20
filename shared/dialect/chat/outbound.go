package chat

import (
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Outbound translates for upstreams that speak chat completions.
type Outbound struct{}

var _ dialect.Outbound = Outbound{}

var carried = llm.Carries{
	Params: []llm.Param{
		llm.Tools, llm.ToolChoiceParam, llm.ParallelTools, llm.StrictTools, llm.JSONMode, llm.JSONSchemas, llm.MaxOutput, llm.N,
		llm.Stop, llm.Temperature, llm.TopP, llm.TopK, llm.Seed, llm.PresencePenalty, llm.FrequencyPenalty, llm.LogitBias, llm.Logprobs,
		llm.ReasoningParam, llm.Verbosity, llm.ServiceTier, llm.UserParam, llm.AudioOutput, llm.Prediction, llm.ImageURLs, llm.ImageData,
		llm.DocumentURLs, llm.DocumentData, llm.AudioInput, llm.VideoInput, llm.FileIDs, llm.ResultImages, llm.ParticipantNames,
		llm.AssistantPrefill,
	},
	Extra: []string{"metadata", "store", "prompt_cache_key", "prompt_cache_retention", "web_search_options", "min_p", "repetition_penalty"},
}

// Carries is what chat completions can express. Not all hosts take all of it: EncodeRequest knows which.
func (Outbound) Carries() llm.Carries { return carried }

// Framing is that of server-sent events.
func (Outbound) Framing() dialect.Framing { return dialect.SSE }

// DecodeError reads OpenAI's error object.
func (Outbound) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return DecodeError(status, h, body)
}

// requestEncoder writes one request.
type requestEncoder struct {
	object
	r       *llm.Request
	target  *dialect.Target
	quirks  *quirks
	family  family
	named   bool // participants may have names
	dropped []string
}

// EncodeRequest writes a request. What the host or the model does not take is refused, or left out if the target's Drop allows it.
func (Outbound) EncodeRequest(r *llm.Request, t dialect.Target) (w dialect.Wire, err error) {
	fitted := *r
	e := requestEncoder{r: &fitted, target: &t, quirks: quirksOf(&t)}
	e.family = familyOf(e.quirks.models, t.Name())
	if err := e.fit(); err != nil {
		return w, err
	}
	e.object = open(make([]byte, 0, 4096))
	e.text("model", t.Model)
	for _, step := range [...]func() error{e.messages, e.tools, e.format, e.sampling, e.reasoning, e.rest} {
		if err := step(); err != nil {
			return w, err
		}
	}
	e.close()
	slices.Sort(e.dropped)
	return dialect.Wire{Path: paths[gateway.OpChat], Body: e.b, Dropped: slices.Compact(e.dropped)}, nil
}

// fit makes the request one that this host, and this model, can carry.
func (e *requestEncoder) fit() (err error) {
	lacks := e.quirks.lacks
	if len(e.family.lacks) > 0 && e.thinks() {
		lacks = append(slices.Clip(lacks), e.family.lacks...)
		e.usual()
	}
	if e.r.Stream {
		lacks = append(slices.Clip(lacks), llm.AudioOutput) // a translated stream has no place for sound
	}
	carries := llm.Carries{Extra: e.quirks.extra, Params: slices.DeleteFunc(llm.AllParams(), func(p llm.Param) bool {
		return slices.Contains(lacks, p)
	})}
	if e.dropped, err = e.r.Fit(carries, func(p llm.Param) string { return string(p) }, e.drops); err != nil {
		return err
	}
	e.dropped = slices.DeleteFunc(e.dropped, func(name string) bool { // that no host has a place for it has been told already
		return (e.r.Extra[name] != nil || e.r.Hints[name] != nil) && !slices.Contains(carried.Extra, name)
	})
	e.named = !slices.Contains(lacks, llm.ParticipantNames)
	e.unsay(lacks)
	return nil
}

// unsay leaves out what asks for nothing: some refuse the field whatever its value.
func (e *requestEncoder) unsay(lacks []llm.Param) {
	for _, p := range lacks {
		switch p {
		case llm.ServiceTier:
			e.r.ServiceTier = ""
		case llm.PresencePenalty:
			e.r.PresencePenalty = nil
		case llm.FrequencyPenalty:
			e.r.FrequencyPenalty = nil
		case llm.ParallelTools:
			e.r.Parallel = nil // true
		}
	}
}

func (e *requestEncoder) drops(field string) bool {
	return e.target.Drop != nil && e.target.Drop(field)
}

// thinks reports whether a model of a family that thinks will do so: it need not if it knows the word none, and some of these do not
// unless they are asked to.
func (e *requestEncoder) thinks() bool {
	word := e.r.Reasoning.Word()
	return !slices.Contains(e.family.efforts, "none") || word != "" && word != "none"
}

// usual leaves out what says the usual anyway: a thinking model refuses any other value.
func (e *requestEncoder) usual() {
	if e.family.single {
		e.r.Parallel = nil
	}
	for _, n := range [...]**float64{&e.r.Temperature, &e.r.TopP} {
		if *n != nil && **n == 1 {
			*n = nil
		}
	}
}
