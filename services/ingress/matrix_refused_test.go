package ingress_test

import (
	"slices"
	"strings"
)

// documented is a row of the table of refusals: in the cases, callers of the dialects get a 400 that names the field, before those
// providers. Empty lists are all there are.
type documented struct {
	dialects, providers, cases string // names, separated by |
	field                      string
	vendor                     bool // it is the provider that refuses what passes through
}

func (d *documented) fits(c *cell) bool {
	among := func(list, name string) bool { return list == "" || slices.Contains(strings.Split(list, "|"), name) }
	return among(d.dialects, c.in.name()) && among(d.providers, c.col.title) && among(d.cases, c.p.name)
}

// Groups of providers, of cases, and of dialects.
const (
	claudes   = "anthropic|vertex_ai, Claude|bedrock, Claude"
	bedrocks  = "bedrock, Claude|bedrock, Nova|bedrock, Llama|bedrock, Mistral"
	plainer   = "bedrock, Llama|bedrock, Mistral" // models that take less
	geminis   = "gemini 2.5|gemini 3|vertex_ai, Gemini"
	openais   = "openai|azure, deployments|azure, v1|mistral|deepseek|hosted_vllm"
	responses = "openai, responses only"

	chats     = "chat|completions"
	withTools = "tool call and result|parallel tools|parallel results|failed tool|tool choice: none|reasoning with tools|reasoning, tool result"
	forced    = "tool choice: any|tool choice: named"
	schemas   = "JSON schema|JSON schema with tools"
	someJSON  = "JSON object|" + schemas
	images    = "image|image from a tool"
)

// refused is what is refused by design: a new refusal fails the test until it stands here. The first row that fits holds.
var refused = []documented{
	// Bedrock serves no tools in streams of these models, and the models know no format and no images.
	{"", plainer, withTools, "tools (streamed)", false},
	{"", "bedrock, Mistral", forced + "|JSON schema with tools", "tools (streamed)", false},
	{"gemini", "bedrock, Llama", forced, "toolConfig.functionCallingConfig", false},
	{"", "bedrock, Llama", forced, "tool_choice", false},
	{"gemini", "bedrock, Llama", "JSON object", "generationConfig.responseMimeType", false},
	{"gemini", "bedrock, Llama", schemas, "generationConfig.responseSchema", false},
	{"messages", "bedrock, Llama", schemas, "output_config.format", false},
	{"responses", "bedrock, Llama", someJSON, "text.format", false},
	{"", "bedrock, Llama", someJSON, "response_format", false},
	{"gemini", "bedrock, Mistral", "JSON object", "generationConfig.responseMimeType (streamed)", false},
	{"gemini", "bedrock, Mistral", schemas, "generationConfig.responseSchema (streamed)", false},
	{"messages", "bedrock, Mistral", schemas, "output_config.format (streamed)", false},
	{"responses", "bedrock, Mistral", someJSON, "text.format (streamed)", false},
	{"", "bedrock, Mistral", someJSON, "response_format (streamed)", false},
	{"gemini", plainer, images, "contents", false},
	{"responses", plainer, images, "input", false},
	{"messages", plainer, images, "images", false},
	{"", plainer, images, "messages", false},

	// No place for it in the upstream's format.
	{"gemini", claudes + "|" + bedrocks + "|" + responses, "audio", "contents", false},
	{"chat", claudes + "|" + bedrocks + "|" + responses, "audio", "messages", false},
	{"messages", bedrocks + "|" + geminis, "one tool at a time", "tool_choice.disable_parallel_tool_use", false},
	{"", bedrocks + "|" + geminis, "one tool at a time", "parallel_tool_calls", false},
	{"gemini", claudes + "|" + bedrocks + "|" + responses, "two answers", "generationConfig.candidateCount", false},
	{"", claudes + "|" + bedrocks + "|" + responses, "two answers", "n", false},
	{"gemini", claudes + "|" + bedrocks + "|" + responses, "seed", "generationConfig.seed", false},
	{"", claudes + "|" + bedrocks + "|" + responses, "seed", "seed", false},
	{"gemini", claudes + "|" + bedrocks, "logprobs", "generationConfig.responseLogprobs", false},
	{"responses", claudes + "|" + bedrocks, "logprobs", "top_logprobs", false},
	{"", claudes + "|" + bedrocks, "logprobs", "logprobs", false},
	{"gemini", responses, "stop sequence", "generationConfig.stopSequences", false},
	{"messages", responses, "stop sequence", "stop_sequences", false},
	{chats, responses, "stop sequence", "stop", false},
	{"completions", "deepseek", "two answers", "n", false},
	{"completions", "deepseek", "seed", "seed", false},
	{"gemini", "deepseek", "two answers", "generationConfig.candidateCount", false},
	{"gemini", "deepseek", "seed", "generationConfig.seed", false},
	{"gemini", "mistral", "logprobs", "generationConfig.responseLogprobs", false},
	{"responses", "mistral", "logprobs", "top_logprobs", false},

	// What passes through as it is, and the provider itself refuses.
	{"gemini", "gemini 2.5|vertex_ai, Gemini", "JSON schema with tools", "responseMimeType", true},
	{"chat", "deepseek", "reasoning, tool result", "reasoning_content", true},
	{"chat", "mistral", "logprobs", "logprobs", true},
	{"chat", "hosted_vllm", "cache markers, 5 minutes|cache markers, 1 hour", "cache_control", true},
}

func refusalOf(c *cell) *documented {
	for i := range refused {
		if refused[i].fits(c) {
			return &refused[i]
		}
	}
	return nil
}

// checkRefusal fails a cell that is refused and should pass, or the other way round.
func checkRefusal(c *cell, what string) {
	want := refusalOf(c)
	switch {
	case what == "✗" || what == "–" || want == nil && strings.HasPrefix(what, "✓"):
	case want == nil:
		c.t.Errorf("refused is %q, which is not documented", what)
	case want != nil && want.vendor && what == want.field+byProvider:
	case want != nil && want.field != what:
		c.t.Errorf("got %s, documented is a refusal of %s", what, want.field)
	}
}
