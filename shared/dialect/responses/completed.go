package responses

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// answer is a vendor's Response.
type answer struct {
	ID         string          `json:"id"`
	Model      string          `json:"model"`
	Created    json.Number     `json:"created_at"`
	Status     string          `json:"status"`
	Error      json.RawMessage `json:"error"`
	Incomplete *struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Output *[]entry        `json:"output"`
	Usage  json.RawMessage `json:"usage"`
	Tier   string          `json:"service_tier"`
}

// DecodeResponse reads a whole answer.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) {
	var a answer
	err := json.Unmarshal(body, &a)
	switch {
	case hasFailed(&a):
		return nil, DecodeError(0, nil, body)
	case err != nil:
		return nil, dialect.InvalidAnswer("it is no Response")
	case a.Output == nil:
		return nil, dialect.InvalidAnswer("it has no output")
	}
	var choice llm.Choice
	for i := range *a.Output {
		parts, probs, err := (*a.Output)[i].answered()
		if err != nil {
			return nil, err
		}
		choice.Parts = append(choice.Parts, parts...)
		choice.Logprobs = append(choice.Logprobs, probs...)
	}
	choice.Finish = a.finish(has(choice.Parts, llm.ToolCall), has(choice.Parts, llm.Refusal))
	r := &llm.Response{ID: a.ID, Model: a.Model, Created: a.createdAt(), Choices: []llm.Choice{choice}, Usage: a.usage(), Tier: a.tier()}
	return r, nil
}

func hasFailed(a *answer) bool {
	return len(a.Error) > 0 && string(a.Error) != "null" || a.Status == "failed" || a.Status == "cancelled"
}

func (a *answer) createdAt() int64 {
	seconds, _ := a.Created.Float64()
	if seconds < 0 || seconds > 1<<40 {
		return 0
	}
	return int64(seconds)
}

// usage is empty if the vendor told none that can be believed.
func (a *answer) usage() gateway.Usage {
	u, ok := usageOf(a.Usage)
	if !ok {
		return gateway.Usage{}
	}
	return u
}

func (a *answer) tier() string {
	if len(a.Tier) > 32 {
		return ""
	}
	return a.Tier
}

func has(parts []llm.Part, kind llm.Kind) bool {
	for i := range parts {
		if parts[i].Kind == kind {
			return true
		}
	}
	return false
}

// finish says why the answer ended.
func (a *answer) finish(calls, refuses bool) llm.Finish {
	if a.Status == "incomplete" {
		if a.Incomplete != nil && a.Incomplete.Reason == "content_filter" {
			return llm.FinishFilter
		}
		return llm.FinishLength
	}
	switch {
	case calls:
		return llm.FinishTools
	case refuses:
		return llm.FinishRefusal
	default:
		return llm.FinishStop
	}
}

// answered are the parts of an output item. The records of the vendor's own tools have none.
func (e *entry) answered() (parts []llm.Part, probs []llm.Logprob, err error) {
	switch e.Type {
	case "message":
		return e.said()
	case "reasoning":
		texts := e.Summary
		if len(texts) == 0 && len(e.Content) > 0 {
			_ = json.Unmarshal(e.Content, &texts)
		}
		if p, ok := thoughtOf(e, texts); ok {
			p.Signature = withID(p.Signature, e.ID)
			parts = append(parts, p)
		}
	case "function_call", "custom_tool_call":
		call, err := e.call()
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, llm.Part{Kind: llm.ToolCall, Call: call})
	case "image_generation_call":
		if e.Result != "" {
			parts = append(parts, llm.Part{Kind: llm.Image, ID: e.ID, Media: &llm.Media{Type: "image/png", Data: e.Result}})
		}
	}
	return parts, nil, nil
}

// said are a message's texts.
func (e *entry) said() (parts []llm.Part, probs []llm.Logprob, err error) {
	var content []part
	if len(e.Content) > 0 && json.Unmarshal(e.Content, &content) != nil {
		return nil, nil, dialect.InvalidAnswer("a message's content is no list of parts")
	}
	for i := range content {
		switch c := &content[i]; c.Type {
		case "output_text":
			parts = append(parts, llm.Part{Kind: llm.Text, Text: c.Text, Citations: citations(c.Annotations)})
			probs = append(probs, logprobs(c.Logprobs)...)
		case "refusal":
			parts = append(parts, llm.Part{Kind: llm.Refusal, Text: c.Refusal})
		}
	}
	return parts, probs, nil
}

func (e *entry) call() (*llm.Call, error) {
	if e.Name == "" || e.callID() == "" {
		return nil, dialect.InvalidAnswer("a call has no name or id")
	}
	call := &llm.Call{ID: e.callID(), Name: flatName(e.Namespace, e.Name)}
	if e.Type == "custom_tool_call" {
		call.Arguments = asInput(e.Input)
		return call, nil
	}
	if len(e.Arguments) > 0 && json.Unmarshal(e.Arguments, &call.Arguments) != nil {
		call.Arguments = strings.TrimSpace(string(e.Arguments)) // some send the object itself
	}
	return call, nil
}
