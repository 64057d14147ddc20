package all_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// suites has what is particular about each dialect that callers and upstreams speak.
var suites = map[gateway.Op]dialecttest.Suite{
	gateway.OpChat: {
		Maker: llm.MakerAnthropic, NoThoughts: true, Request: `{"model":"m","messages":[{"role":"user","content":"x"}]}`,
		Streamed: `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}`,
		Finishes: map[llm.Finish]llm.Finish{llm.FinishStopSeq: llm.FinishStop},
	},
	gateway.OpMessages: {
		Maker: llm.MakerAnthropic, Request: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`,
		Streamed: `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}`,
		Finishes: map[llm.Finish]llm.Finish{llm.FinishFilter: llm.FinishRefusal},
	},
	gateway.OpResponses: {
		Maker: llm.MakerOpenAI, Request: `{"model":"m","input":"x"}`, Streamed: `{"model":"m","input":"x","stream":true}`,
		Finishes: map[llm.Finish]llm.Finish{llm.FinishStopSeq: llm.FinishStop},
	},
	gateway.OpGemini: {
		Maker:   llm.MakerGemini,
		Request: `{"contents":[{"role":"user","parts":[{"text":"x"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`, Hint: dialect.Hint{Model: "m"},
		Finishes: map[llm.Finish]llm.Finish{llm.FinishStopSeq: llm.FinishStop}, NoSeal: true,
	},
}

// targets are models that each dialect's requests are written for.
var targets = map[gateway.Op]dialect.Target{
	gateway.OpChat: {Provider: "openai", Model: "gpt-4o"}, gateway.OpMessages: {Provider: "anthropic", Model: "claude-sonnet-4-5", MaxOutput: 64000},
	gateway.OpResponses: {Provider: "openai", Model: "gpt-5-codex"}, gateway.OpGemini: {Provider: "gemini", Model: "gemini-2.5-pro"},
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, d := range all.Dialects() {
		s, found := suites[d.Op]
		if !found {
			if d.Peek != nil && d.Out != nil {
				t.Errorf("%s has no suite", d.Op)
			}
			continue
		}
		s.Dialect = d
		t.Run(string(d.Op), func(t *testing.T) {
			t.Run("answers", s.Run)
			t.Run("requests", func(t *testing.T) { s.RunRequests(t, targets[d.Op]) })
		})
	}
}
