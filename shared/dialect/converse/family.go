package converse

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// family is models that take the same. What stands in no column of AWS' table comes from the makers' guides and from what users say
// that Bedrock answers (public issues, read 2026-11).
type family struct {
	prefix string // of baseModel
	has    has
	thinks thinks
	topK   string   // where top_k goes in additionalModelRequestFields; empty: nowhere
	fields []string // more of OpenAI's fields that additionalModelRequestFields may have
}

// has is a set of what a family of models takes.
type has uint32

const (
	system has = 1 << iota // system prompts; else they go before the first message
	documents
	images
	video
	audio
	tools
	streamedTools // tools in a streamed call too
	auto          // toolChoice
	anyTool
	oneTool
	prefill      // an assistant message may be the last
	sampling     // temperature and top_p
	oneSampler   // but not both at once
	resultMedia  // images and documents within tool results; else they go behind them
	resultStatus // a tool result's status
	resultJSON   // tool results rather as JSON
	native       // structured outputs: outputConfig.textFormat, strict tools
	caching      // cachePoint in messages and the system prompt
	cacheTools   // behind tools too
	cacheHour    // with a ttl
	cites        // citations of documents
	signed       // thinking comes back with Anthropic's signatures
	tellsStop    // answers with stop_sequence if asked for it
)

const (
	chats   = system | documents | prefill | sampling
	called  = tools | streamedTools
	forced  = auto | anyTool | oneTool
	claude  = system | documents | images | called | forced | resultMedia | resultStatus | caching | cacheTools | cites | signed | tellsStop
	claude4 = claude | sampling | cacheHour
	nova    = chats | called | forced | resultStatus | caching
	open    = system | documents | called | auto | sampling | native
)

// families is what models of Bedrock take; the first row that fits holds. Columns "system prompts", "document chat", "vision", "tool
// use" and "streaming tool use" are of "Supported models and model features" in the Bedrock user guide, choices of tools of the API
// reference of ToolChoice, structured outputs of the guide's page and model cards (all read 2026-11).
var families = [...]family{
	{prefix: "anthropic.claude-instant", has: chats},
	{prefix: "anthropic.claude-v2", has: chats},
	{prefix: "anthropic.claude-3-7", has: claude | prefill | sampling, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-3-5-haiku", has: (claude | prefill | sampling) &^ images, topK: "top_k"},
	{prefix: "anthropic.claude-3", has: claude | prefill | sampling, topK: "top_k"},
	{prefix: "anthropic.claude-opus-4-8", has: claude | cacheHour, thinks: adaptive48},
	{prefix: "anthropic.claude-opus-4-7", has: claude | cacheHour, thinks: adaptive47},
	{prefix: "anthropic.claude-opus-4-6", has: claude4 | native, thinks: adaptive46, topK: "top_k"},
	{prefix: "anthropic.claude-sonnet-4-6", has: claude4 | native, thinks: adaptive46, topK: "top_k"},
	{prefix: "anthropic.claude-opus-4-5", has: claude4 | prefill | native, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-sonnet-4-5", has: claude4 | prefill | native | oneSampler, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-haiku-4-5", has: claude4 | prefill | native | oneSampler, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-opus-4-1", has: claude | prefill | sampling | native | oneSampler, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-opus-4", has: claude | prefill | sampling, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-sonnet-4", has: claude | prefill | sampling, thinks: budgeted, topK: "top_k"},
	{prefix: "anthropic.claude-opus-5-5", has: claude55, thinks: always},
	{prefix: "anthropic.claude-sonnet-5-5", has: claude55, thinks: between},
	{prefix: "anthropic.claude-haiku-5-5", has: claude55, thinks: always},
	{prefix: "anthropic.claude-opus-5", has: claude | cacheHour, thinks: adaptive5},
	{prefix: "anthropic.claude-sonnet-5", has: claude | cacheHour, thinks: adaptive5},
	{prefix: "anthropic.claude-fable-5", has: claude | cacheHour, thinks: always},
	{prefix: "anthropic.claude-mythos", has: claude | cacheHour, thinks: always},
	{prefix: "anthropic.", has: claude55, thinks: always}, // as the newest

	{prefix: "amazon.nova-micro", has: nova &^ documents, topK: "inferenceConfig.topK"},
	{prefix: "amazon.nova-2", has: nova | images | video | resultMedia, thinks: effortNova, topK: "inferenceConfig.topK"},
	{prefix: "amazon.nova", has: nova | images | video | resultMedia, topK: "inferenceConfig.topK"},
	{prefix: "amazon.titan", has: documents | sampling},

	{prefix: "meta.llama4", has: system | documents | images | tools | auto | sampling | resultMedia},
	{prefix: "meta.llama3-1-", has: system | documents | tools | auto | sampling},
	{prefix: "meta.llama3-3-", has: system | documents | tools | auto | sampling},
	{prefix: "meta.llama3-2-11b", has: system | documents | images | tools | auto | sampling},
	{prefix: "meta.llama3-2-90b", has: system | documents | images | tools | auto | sampling},
	{prefix: "meta.llama", has: system | documents | sampling},

	{prefix: "mistral.mistral-7b", has: documents | sampling, topK: "top_k"},
	{prefix: "mistral.mixtral", has: documents | sampling, topK: "top_k"},
	{prefix: "mistral.mistral-small-24", has: system | tools | auto | anyTool | sampling | resultJSON},
	{prefix: "mistral.mistral-large-24", has: system | documents | tools | auto | anyTool | sampling | resultJSON},
	{prefix: "mistral.pixtral", has: system | documents | images | tools | auto | anyTool | sampling},
	{prefix: "mistral.voxtral", has: open | anyTool | audio},
	{prefix: "mistral.", has: open | anyTool | images},

	{prefix: "cohere.command-r", has: system | documents | called | sampling, topK: "k", fields: openFields},
	{prefix: "cohere.", has: documents | sampling, topK: "k"},
	{prefix: "ai21.jamba-instruct", has: system | sampling},
	{prefix: "ai21.jamba", has: system | documents | called | sampling, fields: openFields[1:]},

	{prefix: "deepseek.r1", has: system | documents | sampling},
	{prefix: "deepseek.", has: open | anyTool, thinks: effortDeepSeek},
	{prefix: "openai.gpt-oss", has: open, thinks: effortOSS, fields: openFields},
	{prefix: "openai.gpt-6-astra", has: openAI, thinks: effortAstra},
	{prefix: "openai.", has: openAI, thinks: effortOpenAI},
	{prefix: "moonshot", has: open | images, thinks: effortKimi},
	{prefix: "qwen.qwen3-vl", has: open | anyTool | images},
	{prefix: "qwen.", has: open | anyTool},
	{prefix: "google.gemma", has: open | images},
	{prefix: "minimax.", has: open},
	{prefix: "nvidia.", has: open | images},
	{prefix: "zai.", has: open},
	{prefix: "writer.", has: system | documents | tools | auto | sampling},
}

const (
	claude55 = claude&^(anyTool|oneTool) | cacheHour | native
	openAI   = system | documents | images | called | forced | native
)

// openFields are in the makers' own forms (pages on model parameters in the Bedrock user guide, read 2026-11).
var openFields = []string{"seed", "presence_penalty", "frequency_penalty"}

// stranger is a model that no row knows, such as the ARN of an application inference profile: Bedrock itself refuses what it lacks.
var stranger = family{has: chats | images | video | audio | called | forced | resultMedia | signed}

func familyOf(model string) *family {
	base := baseModel(model)
	for i := range families {
		if strings.HasPrefix(base, families[i].prefix) {
			return &families[i]
		}
	}
	return &stranger
}

// needs is what a model must have for a param.
var needs = map[llm.Param]has{
	llm.Tools: tools, llm.StrictTools: native, llm.Temperature: sampling, llm.TopP: sampling, llm.ImageURLs: images, llm.ImageData: images,
	llm.DocumentURLs: documents, llm.DocumentData: documents, llm.AudioInput: audio, llm.VideoInput: video, llm.CacheMarkers: caching,
	llm.ThinkingParts: signed, llm.CitationsWanted: cites, llm.AssistantPrefill: prefill,
}

// optional are the params that are OpenAI's fields, by their names.
var optional = map[llm.Param]string{
	llm.Seed: "seed", llm.PresencePenalty: "presence_penalty", llm.FrequencyPenalty: "frequency_penalty",
}
