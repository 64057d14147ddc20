package bedrock

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

type object = map[string]any

// reasons are the words for why an answer ended. There is none for a refusal by the model.
var reasons = map[wire.Finish]string{
	wire.Stop: "end_turn", wire.Length: "max_tokens", wire.Calls: "tool_use", wire.StopSequence: "stop_sequence",
	wire.Filtered: "content_filtered", wire.Refused: "end_turn", wire.PromptBlocked: "guardrail_intervened",
}

// writer writes one answer, whole or as a stream.
type writer struct{ *wire.Reply }

type answer struct {
	Output     object          `json:"output"`
	StopReason string          `json:"stopReason"`
	Usage      json.RawMessage `json:"usage,omitempty"`
	Metrics    object          `json:"metrics"`
	Additional object          `json:"additionalModelResponseFields,omitempty"`
	Extra      json.RawMessage `json:"x_unknown,omitempty"`
}

// Whole implements wire.Format.
func (converse) Whole(r *wire.Reply) any {
	w := writer{r}
	content := []any{}
	if b := w.hidden(); b != nil {
		content = append(content, b)
	}
	for i := range r.Blocks {
		content = append(content, w.block(i))
	}
	if r.Finish == wire.PromptBlocked {
		content = append(content, object{"text": wire.BlockedText})
	}
	return answer{
		Output: object{"message": object{"role": "assistant", "content": content}}, StopReason: reasons[r.Finish], Usage: r.Usage(),
		Metrics: metrics, Additional: w.additional(), Extra: r.Extra,
	}
}

var metrics = object{"latencyMs": 1}

// additional is the stop sequence, for those who ask for it.
func (w writer) additional() object {
	paths, _ := w.Call.Memo.([]string)
	if !slices.Contains(paths, "/stop_sequence") {
		return nil
	}
	return object{"stop_sequence": wire.OrNull(w.Stopped)}
}

// hidden is the block of thoughts that are not shown: sealed, or empty and signed.
func (w writer) hidden() object {
	switch {
	case w.Hidden == 0:
		return nil
	case w.Call.Sealed:
		return object{"reasoningContent": object{"redactedContent": wire.Seal(maker, wire.ThoughtText(w.Hidden))}}
	}
	return object{"reasoningContent": object{"reasoningText": object{"text": "", "signature": wire.Sign(maker, "")}}}
}

// block is a whole content block.
func (w writer) block(i int) object {
	b := w.Blocks[i]
	switch b.Kind {
	case wire.Thought:
		return object{"reasoningContent": object{"reasoningText": object{"text": b.Text(), "signature": wire.Sign(maker, b.Text())}}}
	case wire.Called:
		return object{"toolUse": object{"toolUseId": w.callID(i), "name": b.Name, "input": b.Arguments()}}
	}
	if b.Cited {
		return object{"citationsContent": object{"content": []any{object{"text": b.Text()}}, "citations": []any{citation(b.Text())}}}
	}
	return object{"text": b.Text()}
}

func (w writer) callID(block int) string { return w.CallID("tooluse_", w.Calls(block)) }

func citation(text string) object {
	return object{
		"title": wire.SourceTitle, "sourceContent": []any{object{"text": text}},
		"location": object{"documentChar": object{"documentIndex": 0, "start": 0, "end": len([]rune(text))}},
	}
}
