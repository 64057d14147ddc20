package converse

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// answer is a whole answer, or an error that came in its place.
type answer struct {
	Output struct {
		Message *struct {
			Content []block `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason string          `json:"stopReason"`
	Usage      json.RawMessage `json:"usage"`
	Tier       tier            `json:"serviceTier"`
	More       json.RawMessage `json:"additionalModelResponseFields"`
}

// DecodeResponse reads a whole answer.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, dialect.InvalidAnswer("it is not of Converse's form").WithCause(err)
	}
	if a.Output.Message == nil {
		if failure, found := readFailure(body); found {
			return nil, failure.toError(0, nil)
		}
		return nil, dialect.InvalidAnswer("it has no message")
	}
	var choice llm.Choice
	calls, answered := false, false
	for i := range a.Output.Message.Content {
		p, found := a.Output.Message.Content[i].part(len(choice.Parts))
		if !found {
			continue
		}
		calls = calls || p.Kind == llm.ToolCall
		answered = answered || a.Output.Message.Content[i].isAnswer()
		choice.Parts = append(choice.Parts, p)
	}
	choice.Finish = finish(a.StopReason, calls, answered)
	if choice.Finish == llm.FinishStopSeq {
		choice.Stop = stopSequence(a.More)
	}
	return &llm.Response{Choices: []llm.Choice{choice}, Usage: readUsage(a.Usage), Tier: a.Tier.Type}, nil
}

// isAnswer reports whether the block is a call of the tool that stands for the answer.
func (b *block) isAnswer() bool { return b.Use != nil && b.Use.Name == llm.AnswerTool }

// part is a block of an answer; none for blocks that say nothing to callers, such as what tools do that Bedrock itself runs.
func (b *block) part(n int) (p llm.Part, found bool) {
	switch {
	case b.Text != nil:
		return llm.TextPart(*b.Text), true
	case b.isAnswer():
		return llm.TextPart(b.Use.arguments()), true
	case b.Use != nil && b.Use.Type != serverTool:
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: callID(b.Use.ID, n), Name: b.Use.Name, Arguments: b.Use.arguments()}}, true
	case b.Reasoning != nil && b.Reasoning.Text != nil:
		t := b.Reasoning.Text
		return llm.Part{Kind: llm.Thinking, Text: t.Text, Signature: signature(t.Signature)}, true
	case b.Reasoning != nil && isClaudes(b.Reasoning.Sealed):
		return llm.Part{Kind: llm.Sealed, Signature: signature(b.Reasoning.Sealed)}, true
	case b.Image != nil && b.Image.Source.Bytes != "":
		return imagePart(b.Image.Format, b.Image.Source.Bytes), true
	case b.Cited != nil:
		return b.Cited.part(), true
	}
	return p, false
}

// serverTool is the type of calls that Bedrock answers itself.
const serverTool = "server_tool_use"

func (u *toolUse) arguments() string {
	if len(u.Input) == 0 || string(u.Input) == "null" {
		return "{}"
	}
	return string(u.Input)
}

func callID(id string, n int) string {
	if id == "" {
		return llm.CallID("", n)
	}
	return id
}

// signature is Anthropic's: no other model signs what it thinks.
func signature(value string) llm.Signature {
	if value == "" {
		return llm.Signature{}
	}
	return llm.Signature{Maker: llm.MakerAnthropic, Value: value}
}

// isClaudes reports whether sealed thinking is Claude's. OpenAI's models on Bedrock seal theirs too, in tokens that begin alike
// (Fernet's), and nobody else could use them.
func isClaudes(sealed string) bool {
	head, _ := base64.StdEncoding.DecodeString(sealed[:min(len(sealed), 8)])
	return sealed != "" && !strings.HasPrefix(string(head), "gAAAA")
}

func imagePart(format, data string) llm.Part {
	return llm.Part{Kind: llm.Image, Media: &llm.Media{Type: "image/" + format, Data: data}}
}

func (c *citationContent) part() llm.Part {
	p := llm.TextPart("")
	for i := range c.Content {
		p.Text += c.Content[i].Text
	}
	for i := range c.Citations {
		p.Citations = append(p.Citations, c.Citations[i].neutral())
	}
	return p
}
