package gemini

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// inbound translates for one caller's request.
type inbound struct {
	request *dialect.Request
	show    bool // the caller asked for thoughts
}

var _ dialect.Inbound = (*inbound)(nil)

// DecodeRequest reads the body.
func (in *inbound) DecodeRequest() (*llm.Request, error) {
	r, err := decodeRequest(in.request)
	if err == nil {
		in.show = r.Reasoning.Show != nil && *r.Reasoning.Show
	}
	return r, err
}

// fieldNames are where Google's callers have what has another name elsewhere.
var fieldNames = map[llm.Param]string{
	llm.Tools:            "tools",
	llm.ToolChoiceParam:  "toolConfig.functionCallingConfig",
	llm.JSONMode:         "generationConfig.responseMimeType",
	llm.JSONSchemas:      "generationConfig.responseSchema",
	llm.MaxOutput:        "generationConfig.maxOutputTokens",
	llm.N:                "generationConfig.candidateCount",
	llm.Stop:             "generationConfig.stopSequences",
	llm.Temperature:      "generationConfig.temperature",
	llm.TopP:             "generationConfig.topP",
	llm.TopK:             "generationConfig.topK",
	llm.Seed:             "generationConfig.seed",
	llm.PresencePenalty:  "generationConfig.presencePenalty",
	llm.FrequencyPenalty: "generationConfig.frequencyPenalty",
	llm.Logprobs:         "generationConfig.responseLogprobs",
	llm.ReasoningParam:   "generationConfig.thinkingConfig",
	llm.AudioOutput:      "generationConfig.responseModalities",
	llm.ServiceTier:      "serviceTier",
	llm.UserParam:        "user",
}

// Field is the caller's name for a param; what stands in the conversation has its.
func (in *inbound) Field(p llm.Param) string {
	if name, known := fieldNames[p]; known {
		return name
	}
	return "contents"
}

// EncodeResponse writes a whole answer.
func (in *inbound) EncodeResponse(r *llm.Response) ([]byte, error) {
	a := answer{Model: in.request.Model, ID: r.ID, Candidates: []candidate{}}
	for i := range r.Choices {
		a.Candidates = append(a.Candidates, in.candidate(i, &r.Choices[i]))
	}
	if r.Usage.Source != "" {
		a.Usage = encodeUsage(&r.Usage, r.Tier)
	}
	body, err := json.Marshal(a)
	if err != nil {
		return nil, gateway.Errorf(gateway.KindInternal, "The answer cannot be written.").WithCause(err)
	}
	return body, nil
}

func (in *inbound) candidate(index int, c *llm.Choice) candidate {
	out := candidate{Index: index, Finish: reasonOf(c.Finish), Content: &content{Role: "model"}}
	var cited []llm.Citation
	var text []byte
	for i := range c.Parts {
		p := &c.Parts[i]
		if p.Kind == llm.Text {
			cited, text = append(cited, p.Citations...), keep(text, p.Text)
		}
		if p.Kind == llm.ToolCall && !validArgs(p.Call.Arguments) {
			out.garbled(p.Call)
			continue
		}
		if encoded, ok := in.part(p); ok {
			out.Content.Parts = append(out.Content.Parts, encoded)
		}
	}
	out.Citations, out.Logprobs = writeCitations(cited, text), writeLogprobs(c.Logprobs)
	return out
}

// garbled ends a candidate as Google does when a model writes a call that is no JSON: without the call, unless it was cut anyway.
func (c *candidate) garbled(call *llm.Call) {
	if c.Finish == "STOP" {
		c.Finish, c.Message = malformedCall, "Malformed function call: "+call.Name+"("+call.Arguments+")"
	}
}

// validArgs reports whether arguments are an object, or none.
func validArgs(arguments string) bool {
	var object map[string]json.RawMessage
	return arguments == "" || json.Unmarshal([]byte(arguments), &object) == nil && object != nil
}

// part writes one part. Thoughts go to who asked for them; it reports false for what is left out.
func (in *inbound) part(p *llm.Part) (out part, ok bool) {
	out.Signature = writeSignature(p.Signature, p.Kind)
	switch p.Kind {
	case llm.Text, llm.Refusal:
		out.Text = &p.Text
		return out, p.Text != "" || out.Signature != ""
	case llm.Thinking, llm.Sealed:
		out.Text, out.Thought = &p.Text, true
		return out, in.show && (p.Text != "" || out.Signature != "")
	case llm.ToolCall:
		out.Call = &functionCall{ID: llm.Pack(p.Call.ID, p.Signature), Name: p.Call.Name, Args: json.RawMessage(p.Call.Arguments)}
		if p.Call.Arguments == "" {
			out.Call.Args = json.RawMessage("{}")
		}
		return out, true
	case llm.Image, llm.Document, llm.Audio, llm.Video:
		switch m := p.Media; {
		case m == nil:
		case m.Data != "":
			out.Inline = &blob{Type: m.Type, Data: m.Data}
			return out, true
		case m.URL != "":
			out.File = &fileData{Type: m.Type, URI: m.URL}
			return out, true
		}
	}
	return out, false
}

// trafficTypes are what Google's clients read the service tier from.
var trafficTypes = map[string]string{"flex": "ON_DEMAND_FLEX", "priority": "ON_DEMAND_PRIORITY", "default": "ON_DEMAND"}

func encodeUsage(u *gateway.Usage, tier string) json.RawMessage {
	m := usageFor(u)
	m.TrafficType = trafficTypes[tier]
	raw, _ := json.Marshal(m)
	return raw
}

func writeLogprobs(list []llm.Logprob) json.RawMessage {
	if len(list) == 0 {
		return nil
	}
	var out logprobs
	for _, l := range list {
		out.Chosen = append(out.Chosen, logprob{l.Token, l.Logprob})
		top := topList{}
		for _, t := range l.Top {
			top.Candidates = append(top.Candidates, logprob{t.Token, t.Logprob})
		}
		out.Top = append(out.Top, top)
	}
	raw, _ := json.Marshal(out)
	return raw
}

// EncodeStream begins a streamed answer.
func (in *inbound) EncodeStream() dialect.StreamEncoder { return &encoder{in: in} }
