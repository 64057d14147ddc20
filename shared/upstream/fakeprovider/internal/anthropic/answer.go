package anthropic

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

type answer struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Role       string          `json:"role"`
	Model      string          `json:"model"`
	Content    []any           `json:"content"`
	StopReason any             `json:"stop_reason"`
	Stopped    any             `json:"stop_sequence"`
	Details    any             `json:"stop_details,omitempty"`
	Usage      json.RawMessage `json:"usage,omitempty"`
	Extra      json.RawMessage `json:"x_unknown,omitempty"`
}

// reasons are the words for why an answer ended.
var reasons = map[wire.Finish]string{
	wire.Stop: "end_turn", wire.Length: "max_tokens", wire.Calls: "tool_use", wire.StopSequence: "stop_sequence",
	wire.Filtered: "refusal", wire.Refused: "refusal",
}

// writer writes one message, whole or as a stream.
type writer struct{ *wire.Reply }

func (w writer) answer() answer {
	return answer{ID: "msg_01" + w.CallID("", 0), Type: "message", Role: "assistant", Model: w.Call.Model, Content: []any{}, Extra: w.Extra}
}

// Whole implements wire.Format.
func (Messages) Whole(r *wire.Reply) any {
	w := writer{r}
	a := w.answer()
	if b := w.hidden(); b != nil {
		a.Content = append(a.Content, b)
	}
	for i := range r.Blocks {
		a.Content = append(a.Content, w.block(i))
	}
	a.StopReason, a.Stopped, a.Details = reasons[r.Finish], wire.OrNull(r.Stopped), w.details()
	a.Usage = r.Usage()
	return a
}

func (w writer) details() any {
	if reasons[w.Finish] != "refusal" {
		return nil
	}
	return map[string]any{"type": "refusal", "category": nil, "explanation": nil}
}

// hidden is the block of thoughts that are not shown: sealed, or empty and signed.
func (w writer) hidden() map[string]any {
	switch {
	case w.Hidden == 0:
		return nil
	case w.Call.Sealed:
		return map[string]any{"type": "redacted_thinking", "data": wire.Seal(Maker, wire.ThoughtText(w.Hidden))}
	}
	return map[string]any{"type": "thinking", "thinking": "", "signature": wire.Sign(Maker, "")}
}

// block is a whole content block.
func (w writer) block(i int) map[string]any {
	b := w.Blocks[i]
	m := map[string]any{}
	switch b.Kind {
	case wire.Thought:
		m = map[string]any{"type": "thinking", "thinking": b.Text(), "signature": wire.Sign(Maker, b.Text())}
	case wire.Called:
		m = map[string]any{"type": "tool_use", "id": w.callID(i), "name": b.Name, "input": b.Arguments()}
	case wire.Said, wire.Declined:
		m = map[string]any{"type": "text", "text": b.Text()}
		if b.Cited {
			m["citations"] = []any{citation(b.Text())}
		}
	}
	if w.Extra != nil {
		m["x_unknown"] = w.Extra
	}
	return m
}

func (w writer) callID(block int) string { return w.CallID("toolu_01", w.Calls(block)) }

func citation(text string) any {
	return map[string]any{
		"type": "char_location", "cited_text": text, "document_index": 0, "document_title": wire.SourceTitle, "file_id": nil,
		"start_char_index": 0, "end_char_index": len([]rune(text)),
	}
}
