package messages

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// answer is a whole answer of Anthropic's.
type answer struct {
	Type         string          `json:"type"`
	ID           string          `json:"id"`
	Model        string          `json:"model"`
	Content      []answerPart    `json:"content"`
	StopReason   string          `json:"stop_reason"`
	StopSequence string          `json:"stop_sequence"`
	StopDetails  *stopDetails    `json:"stop_details"`
	Usage        json.RawMessage `json:"usage"`
	Error        json.RawMessage `json:"error"`
}

type stopDetails struct {
	Explanation string `json:"explanation"`
}

// answerPart is a content block of an answer.
type answerPart struct {
	Type      string            `json:"type"`
	Text      string            `json:"text"`
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Input     json.RawMessage   `json:"input"`
	Thinking  string            `json:"thinking"`
	Signature string            `json:"signature"`
	Data      string            `json:"data"`
	Citations []json.RawMessage `json:"citations"`
}

// DecodeResponse reads an answer. Blocks of tools that Anthropic runs itself are left out: the text tells what came of them, and cites
// it.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, dialect.InvalidAnswer("not a message of Anthropic's")
	}
	if a.Type == "error" || len(a.Error) > 0 && string(a.Error) != "null" {
		return nil, decodeError(0, nil, body)
	}
	if a.Content == nil {
		return nil, dialect.InvalidAnswer("no content")
	}
	var (
		choice llm.Choice
		called bool
		c      counts
	)
	for i := range a.Content {
		p, ok := a.Content[i].part()
		if ok {
			choice.Parts = append(choice.Parts, p)
			called = called || p.Kind == llm.ToolCall
		}
	}
	choice.Finish, choice.Stop = finish(a.StopReason, called), a.StopSequence
	if p, ok := a.StopDetails.refusal(choice.Finish); ok {
		choice.Parts = append(choice.Parts, p)
	}
	c.add(a.Usage)
	return &llm.Response{ID: a.ID, Model: a.Model, Choices: []llm.Choice{choice}, Usage: c.usage(), Tier: c.tier}, nil
}

// part is a block in the neutral form; ok is false for one that has none.
func (b *answerPart) part() (p llm.Part, ok bool) {
	switch b.Type {
	case "tool_use":
		if b.Name == llm.AnswerTool {
			return llm.TextPart(string(arguments(b.Input))), true
		}
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: b.ID, Name: b.Name, Arguments: string(arguments(b.Input))}}, true
	case "thinking":
		return llm.Part{Kind: llm.Thinking, Text: b.Thinking, Signature: llm.ReadSignature(b.Signature, llm.MakerAnthropic)}, true
	case "redacted_thinking":
		return llm.Part{Kind: llm.Sealed, Signature: llm.ReadSignature(b.Data, llm.MakerAnthropic)}, b.Data != ""
	default: // text, and what is not known here but has one
		p = llm.TextPart(b.Text)
		for _, raw := range b.Citations {
			if c, ok := citation(raw); ok {
				p.Citations = append(p.Citations, c)
			}
		}
		return p, b.Text != ""
	}
}

// arguments are a call's input on one line, as other vendors have it.
func arguments(input json.RawMessage) []byte {
	var out bytes.Buffer
	if len(input) == 0 || string(input) == "null" || json.Compact(&out, input) != nil {
		return []byte("{}")
	}
	return out.Bytes()
}

// finishes maps Anthropic's reasons.
var finishes = map[string]llm.Finish{
	"end_turn": llm.FinishStop, "max_tokens": llm.FinishLength, "stop_sequence": llm.FinishStopSeq, "pause_turn": llm.FinishPause,
	"refusal": llm.FinishRefusal, "model_context_window_exceeded": llm.FinishLength,
}

// finish says why an answer ended. A call of the tool that gives the answer is none.
func finish(reason string, called bool) llm.Finish {
	switch f := finishes[reason]; {
	case f != "":
		return f
	case called:
		return llm.FinishTools
	default:
		return llm.FinishStop
	}
}

// refusal is what Anthropic says about why it declined.
func (d *stopDetails) refusal(f llm.Finish) (llm.Part, bool) {
	if d == nil || d.Explanation == "" || f != llm.FinishRefusal {
		return llm.Part{}, false
	}
	return llm.Part{Kind: llm.Refusal, Text: d.Explanation}, true
}
