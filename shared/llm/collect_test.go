package llm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

var seal = llm.Signature{Maker: llm.MakerAnthropic, Value: "EqQB"}

func answer() *llm.Response {
	return &llm.Response{
		ID: "a", Model: "m", Tier: "flex", Usage: gateway.Usage{InputTokens: 3, OutputTokens: 5, Source: gateway.UsageReported},
		Choices: []llm.Choice{
			{Finish: llm.FinishTools, Parts: []llm.Part{
				{Kind: llm.Thinking, Text: "Hm.", Signature: seal},
				{Kind: llm.Sealed, Signature: seal},
				{Kind: llm.Text, Text: "So:", Citations: []llm.Citation{{URL: "https://x", Document: -1}}},
				{Kind: llm.ToolCall, Signature: seal, Call: &llm.Call{ID: "c", Name: "f", Arguments: `{"a":1}`}},
				{Kind: llm.Image, Media: &llm.Media{Type: "image/png", Data: "x"}},
			}, Logprobs: []llm.Logprob{{Token: "So", Logprob: -1}}},
			{Finish: llm.FinishStopSeq, Stop: "END", Parts: []llm.Part{{Kind: llm.Refusal, Text: "No."}}},
			{Finish: llm.FinishLength},
		},
	}
}

// An answer taken apart into events and put together again is the same, and the one that was taken apart stays as it was.
func TestCollector(t *testing.T) {
	t.Parallel()
	r := answer()
	var c llm.Collector
	for _, e := range r.Events() {
		c.Add(&e)
	}
	for range 2 { // Response may be asked again
		if diff := cmp.Diff(answer(), c.Response()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(answer(), r); diff != "" {
		t.Errorf("the answer itself (-want +got):\n%s", diff)
	}
}

// Parts may overlap, texts may begin with their part, and the last usage counts.
func TestCollectorOfPieces(t *testing.T) {
	t.Parallel()
	var c llm.Collector
	call := func(id string) llm.Part {
		return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "f", Arguments: "{"}}
	}
	for _, e := range []llm.Event{
		{Type: llm.Begin, ID: "a", Model: "m", Usage: &gateway.Usage{InputTokens: 9}},
		{Type: llm.PartBegin, Index: 0, Part: llm.Part{Kind: llm.Text, Text: "x"}},
		{Type: llm.PartBegin, Index: 1, Part: call("c1")},
		{Type: llm.PartBegin, Index: 2, Part: call("c2")},
		{Type: llm.Delta, Index: 2, Text: "}"},
		{Type: llm.Delta, Index: 1, Text: `"a":1}`},
		{Type: llm.Delta, Index: 0, Text: "y"},
		{Type: llm.Delta, Index: 9, Text: "of no part"},
		{Type: llm.PartEnd, Index: 0},
		{Type: llm.Spent, Usage: &gateway.Usage{InputTokens: 9, OutputTokens: 1}},
		{Type: llm.End, Finish: llm.FinishTools},
		{Type: llm.Spent, Usage: &gateway.Usage{InputTokens: 9, OutputTokens: 2}, Tier: "default"},
		{Type: llm.Spent},
	} {
		c.Add(&e)
	}
	want := &llm.Response{
		ID: "a", Model: "m", Tier: "default", Usage: gateway.Usage{InputTokens: 9, OutputTokens: 2},
		Choices: []llm.Choice{{Finish: llm.FinishTools, Parts: []llm.Part{
			{Kind: llm.Text, Text: "xy"},
			{Kind: llm.ToolCall, Call: &llm.Call{ID: "c1", Name: "f", Arguments: `{"a":1}`}},
			{Kind: llm.ToolCall, Call: &llm.Call{ID: "c2", Name: "f", Arguments: "{}"}},
		}}},
	}
	if diff := cmp.Diff(want, c.Response()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
