package messages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// inbound translates for a caller of /v1/messages.
type inbound struct {
	request *dialect.Request
	header  http.Header
}

var _ dialect.Inbound = (*inbound)(nil)

// fieldNames are Anthropic's names where they differ from the neutral ones.
var fieldNames = map[llm.Param]string{
	llm.MaxOutput: "max_tokens", llm.Stop: "stop_sequences", llm.ReasoningParam: "thinking", llm.UserParam: "metadata.user_id",
	llm.ParallelTools: "tool_choice.disable_parallel_tool_use", llm.JSONMode: "output_config.format", llm.JSONSchemas: "output_config.format",
	llm.CacheMarkers: "cache_control", llm.CitationsWanted: "citations", llm.StrictTools: "tools",
	llm.ImageURLs: "messages", llm.ImageData: "messages", llm.DocumentURLs: "messages", llm.DocumentData: "messages",
	llm.AudioInput: "messages", llm.VideoInput: "messages", llm.FileIDs: "messages", llm.ResultImages: "messages",
	llm.ThinkingParts: "messages", llm.AssistantPrefill: "messages", llm.ParticipantNames: "messages",
}

func (in *inbound) Field(p llm.Param) string {
	if name := fieldNames[p]; name != "" {
		return name
	}
	return string(p)
}

// block is a content block that is written: of an answer, or of a request.
type block struct {
	Type         string          `json:"type"`
	ID           string          `json:"id,omitempty"`
	Name         string          `json:"name,omitempty"`
	Text         *string         `json:"text,omitempty"`
	Thinking     *string         `json:"thinking,omitempty"`
	Signature    *string         `json:"signature,omitempty"`
	Data         string          `json:"data,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	ToolUseID    string          `json:"tool_use_id,omitempty"`
	Content      []block         `json:"content,omitempty"`
	IsError      bool            `json:"is_error,omitempty"`
	Source       *source         `json:"source,omitempty"`
	Title        string          `json:"title,omitempty"`
	Citations    any             `json:"citations,omitempty"`
	CacheControl *cacheControl   `json:"cache_control,omitempty"`
}

// message is a whole answer.
type message struct {
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	Role         string   `json:"role"`
	Model        string   `json:"model"`
	Content      []block  `json:"content"`
	StopReason   *string  `json:"stop_reason"`
	StopSequence *string  `json:"stop_sequence"`
	Usage        usageOut `json:"usage"`
}

// EncodeResponse writes the first of the answers: Anthropic makes one.
func (in *inbound) EncodeResponse(r *llm.Response) ([]byte, error) {
	m := message{ID: in.id(r.ID), Type: "message", Role: "assistant", Model: r.Model, Content: []block{}, Usage: encodeUsage(r.Usage, r.Tier)}
	var choice llm.Choice
	if len(r.Choices) > 0 {
		choice = r.Choices[0]
	}
	calls := 0
	for i := range choice.Parts {
		p := &choice.Parts[i]
		if p.Kind == llm.ToolCall {
			calls++
		}
		if b, ok := answerBlock(p, m.ID, calls); ok {
			m.Content = append(m.Content, b)
		}
	}
	reason := stopReason(choice.Finish, calls > 0)
	m.StopReason = &reason
	if choice.Finish == llm.FinishStopSeq {
		m.StopSequence = in.stopped(choice.Stop)
	}
	return marshal(m), nil
}

// id is the vendor's id of an answer as one of Anthropic's; a vendor without gets one that the request makes.
func (in *inbound) id(id string) string {
	if id == "" {
		sum := sha256.Sum256(in.request.Body)
		id = hex.EncodeToString(sum[:12])
	}
	if strings.HasPrefix(id, "msg_") {
		return id
	}
	return "msg_" + id
}

// stopped is the stop sequence that was met. Not all vendors tell it: then it is the caller's if there is only one, else unknown.
func (in *inbound) stopped(told string) *string {
	if told == "" {
		var asked struct {
			Stop []string `json:"stop_sequences"`
		}
		if json.Unmarshal(in.request.Body, &asked) != nil || len(asked.Stop) != 1 {
			return nil
		}
		told = asked.Stop[0]
	}
	return &told
}

// answerBlock is a part as a block of an answer. N is the number of tool calls so far, for vendors that give them no ids.
func answerBlock(p *llm.Part, answer string, n int) (b block, ok bool) {
	switch p.Kind {
	case llm.Text, llm.Refusal:
		b = block{Type: "text", Text: &p.Text}
		if cited := citations(p.Citations); len(cited) > 0 {
			b.Citations = cited
		}
		return b, p.Text != ""
	case llm.ToolCall:
		return block{Type: "tool_use", ID: callID(p, answer, n), Name: p.Call.Name, Input: input(p.Call.Arguments)}, true
	case llm.Thinking:
		signature := p.Signature.Text(llm.MakerAnthropic)
		return block{Type: "thinking", Thinking: &p.Text, Signature: &signature}, p.Text != "" || signature != ""
	case llm.Sealed:
		return block{Type: "redacted_thinking", Data: p.Signature.Text(llm.MakerAnthropic)}, !p.Signature.IsZero()
	default: // Anthropic's answers have neither images nor sound
		return b, false
	}
}

func citations(all []llm.Citation) (out []citationOut) {
	for _, c := range all {
		if one, ok := encodeCitation(c); ok {
			out = append(out, one)
		}
	}
	return out
}

// idBytes is the length up to which tool calls keep their vendor's id.
const idBytes = 128

// callID is an id that Anthropic's own clients take, with what its maker wants back.
func callID(p *llm.Part, answer string, n int) string {
	id := p.Call.ID
	if id == "" {
		id = llm.CallID(answer, n)
	}
	return llm.Pack(llm.FitID(id, idBytes), p.Signature)
}

// input is a call's arguments as the object that Anthropic has for them. Text that is none is wrapped (Anthropic's page on
// fine-grained tool streaming, read 2026-11).
func input(arguments string) json.RawMessage {
	trimmed := strings.TrimSpace(arguments)
	switch {
	case trimmed == "":
		return json.RawMessage("{}")
	case trimmed[0] == '{' && json.Valid([]byte(trimmed)):
		return json.RawMessage(trimmed)
	default:
		return marshal(map[string]string{"INVALID_JSON": arguments})
	}
}

var stopReasons = map[llm.Finish]string{
	llm.FinishStopSeq: "stop_sequence", llm.FinishLength: "max_tokens", llm.FinishTools: "tool_use", llm.FinishFilter: "refusal",
	llm.FinishRefusal: "refusal", llm.FinishPause: "pause_turn",
}

// stopReason says why an answer ended. Clients look there for whether tools are to be called, and not all vendors say so.
func stopReason(f llm.Finish, called bool) string {
	switch reason := stopReasons[f]; {
	case reason != "":
		return reason
	case called:
		return "tool_use"
	default:
		return "end_turn"
	}
}
