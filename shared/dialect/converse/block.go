package converse

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// block is a content block, with one member. Answers have them too.
type block struct {
	Text      *string          `json:"text,omitempty"`
	Image     *media           `json:"image,omitempty"`
	Document  *document        `json:"document,omitempty"`
	Video     *media           `json:"video,omitempty"`
	Audio     *media           `json:"audio,omitempty"`
	Use       *toolUse         `json:"toolUse,omitempty"`
	Result    *toolResult      `json:"toolResult,omitempty"`
	Reasoning *reasoning       `json:"reasoningContent,omitempty"`
	Cache     *cachePoint      `json:"cachePoint,omitempty"`
	Guard     json.RawMessage  `json:"guardContent,omitempty"`
	JSON      json.RawMessage  `json:"json,omitempty"` // in tool results
	Cited     *citationContent `json:"citationsContent,omitempty"`
}

type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input,omitempty"`
	Type  string          `json:"type,omitempty"` // server_tool_use: Bedrock runs it itself
}

type toolResult struct {
	ID      string  `json:"toolUseId"`
	Content []block `json:"content"`
	Status  string  `json:"status,omitempty"`
}

// reasoning has one member.
type reasoning struct {
	Text   *reasoningText `json:"reasoningText,omitempty"`
	Sealed string         `json:"redactedContent,omitempty"`
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type cachePoint struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

// block writes one part. Behind are blocks that follow the results of the turn.
func (e *encoder) block(role llm.Role, p *llm.Part) (b block, behind []block, err error) {
	switch p.Kind {
	case llm.Text, llm.Refusal:
		return block{Text: &p.Text}, nil, nil
	case llm.Thinking:
		return block{Reasoning: &reasoning{Text: &reasoningText{p.Text, p.Signature.By(llm.MakerAnthropic)}}}, nil, nil
	case llm.Sealed:
		return block{Reasoning: &reasoning{Sealed: p.Signature.By(llm.MakerAnthropic)}}, nil, nil
	case llm.ToolCall:
		use := &toolUse{ID: llm.FitID(p.Call.ID, maxID), Name: p.Call.Name, Input: arguments(p.Call.Arguments)}
		return block{Use: use}, nil, nil
	case llm.ToolResult:
		return e.result(p.Result)
	}
	if role == llm.Assistant {
		return b, nil, gateway.Invalid("messages", "messages: images, documents, sound and films may be in messages of the user only.")
	}
	b, err = e.media(p)
	return b, nil, err
}

// arguments are those of a call as an object. What a model wrote that is none, as calls that were cut off are, goes as a text in one.
func arguments(text string) json.RawMessage {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return json.RawMessage("{}")
	case trimmed[0] == '{' && json.Valid([]byte(trimmed)):
		return json.RawMessage(trimmed)
	}
	wrapped, _ := json.Marshal(map[string]string{"arguments": text}) // strings only
	return wrapped
}

func (e *encoder) result(r *llm.Result) (b block, behind []block, err error) {
	out := &toolResult{ID: llm.FitID(r.ID, maxID)}
	for i := range r.Parts {
		p := &r.Parts[i]
		switch {
		case p.Kind == llm.Text && strings.TrimSpace(p.Text) == "":
		case p.Kind == llm.Text:
			out.Content = append(out.Content, e.resultText(p))
		case p.Media == nil:
			return b, nil, gateway.Invalid("messages", "messages: tool results may have text, images and documents only.")
		default:
			m, err := e.media(p)
			if err != nil {
				return b, nil, err
			}
			if e.takes(resultMedia) {
				out.Content = append(out.Content, m)
			} else {
				behind = append(behind, m)
			}
		}
	}
	if len(out.Content) == 0 {
		text := "(empty)"
		if len(behind) > 0 {
			text = "See below."
		}
		out.Content = []block{{Text: &text}}
	}
	if r.IsError && e.takes(resultStatus) {
		out.Status = "error"
	}
	return block{Result: out}, behind, nil
}

// resultText is a tool's text; as JSON for a family that rather has it, if it is an object.
func (e *encoder) resultText(p *llm.Part) block {
	if text := strings.TrimSpace(p.Text); e.takes(resultJSON) && text[0] == '{' && json.Valid([]byte(text)) {
		return block{JSON: json.RawMessage(text)}
	}
	return block{Text: &p.Text}
}
