package recordings_test

import (
	"context"
	"errors"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestAnthropic(t *testing.T) {
	(&shelf{
		op: gateway.OpMessages, folder: "messages", ask: askAnthropic,
		finishes: map[string]llm.Finish{
			"end_turn": llm.FinishStop, "stop_sequence": llm.FinishStopSeq, "max_tokens": llm.FinishLength, "tool_use": llm.FinishTools,
			"refusal": llm.FinishRefusal, "pause_turn": llm.FinishPause, "model_context_window_exceeded": llm.FinishLength,
		},
		strange: []string{"iterations"}, // the SDK has them in its beta only
		apart: map[string][]string{
			"the gateway also counts what was spent on a compaction":                 {"answer/compaction"},
			"the gateway believes no usage that cannot be":                           {"answer/unbelievable"},
			"the gateway takes a new block's text, and a new stop reason for an end": {"stream/unknown"},
		},
	}).run(t)
}

func askAnthropic(ctx context.Context, url string, stream bool) (heard, error) {
	client := anthropic.NewClient(option.WithBaseURL(url), option.WithAPIKey("sk-x"), option.WithMaxRetries(0))
	params := anthropic.MessageNewParams{
		Model: "m", MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("x"))},
	}
	if !stream {
		m, err := client.Messages.New(ctx, params)
		if err != nil {
			return heard{}, err
		}
		return anthropicHeard(m), nil
	}
	events := client.Messages.NewStreaming(ctx, params)
	var whole anthropic.Message
	var names []string
	err := errUnfinished
	for events.Next() {
		e := events.Current()
		names = append(names, strange(e)...)
		if failed := whole.Accumulate(e); failed != nil {
			return heard{}, failed
		}
		if e.Type == "message_stop" {
			err = nil
		}
	}
	if failed := errors.Join(events.Err(), events.Close()); failed != nil {
		err = failed
	}
	h := anthropicHeard(&whole)
	h.strange = names
	return h, err
}

func anthropicHeard(m *anthropic.Message) heard {
	u := m.Usage
	h := heard{Input: u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens, Output: u.OutputTokens, strange: strange(*m)}
	s := h.choice(0)
	s.vendor, s.Refusal = string(m.StopReason), m.StopDetails.Explanation
	for _, block := range m.Content {
		switch b := block.AsAny().(type) {
		case anthropic.TextBlock:
			s.Text += b.Text
		case anthropic.ThinkingBlock:
			s.Thoughts += b.Thinking
		case anthropic.ToolUseBlock:
			s.Calls = append(s.Calls, call{b.ID, b.Name, string(b.Input)})
		}
	}
	return h
}
