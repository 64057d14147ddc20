package gateway

// Op is what is asked of a model, and in which wire format: it is also the name of the format's dialect.
type Op string

// Generations.
const (
	OpChat        Op = "chat"        // OpenAI's chat completions
	OpCompletions Op = "completions" // OpenAI's legacy completions
	OpResponses   Op = "responses"   // OpenAI's responses
	OpMessages    Op = "messages"    // Anthropic's messages
	OpGemini      Op = "gemini"      // Google's generateContent
	OpConverse    Op = "converse"    // Amazon Bedrock's Converse; no caller speaks it
)

// Embeddings. All but the first are upstreams' only.
const (
	OpEmbeddings    Op = "embeddings"     // OpenAI's
	OpTitanEmbed    Op = "titan_embed"    // Amazon Titan's, on Bedrock
	OpCohereEmbed   Op = "cohere_embed"   // Cohere's, on Bedrock
	OpGeminiEmbed   Op = "gemini_embed"   // Google AI Studio's
	OpVertexPredict Op = "vertex_predict" // Vertex AI's
)

// Embeds reports whether the op makes embeddings; else it generates.
func (o Op) Embeds() bool {
	switch o {
	case OpEmbeddings, OpTitanEmbed, OpCohereEmbed, OpGeminiEmbed, OpVertexPredict:
		return true
	default:
		return false
	}
}

// UsageSource says where a Usage comes from.
type UsageSource string

const (
	UsageReported UsageSource = "reported" // by the provider
	UsageCounted  UsageSource = "counted"  // by us, where the provider reported none
)

// Usage is what one attempt consumed, in tokens. The classes overlap as providers report them: InputTokens includes
// CachedTokens, CacheWriteTokens, CacheWrite1hTokens, AudioInputTokens and ImageInputTokens; OutputTokens includes
// ReasoningTokens, AudioOutputTokens and ImageOutputTokens.
type Usage struct {
	InputTokens        int64       `json:"input_tokens"`
	CachedTokens       int64       `json:"cached_tokens,omitempty"`
	CacheWriteTokens   int64       `json:"cache_write_tokens,omitempty"`
	CacheWrite1hTokens int64       `json:"cache_write_1h_tokens,omitempty"`
	AudioInputTokens   int64       `json:"audio_input_tokens,omitempty"`
	ImageInputTokens   int64       `json:"image_input_tokens,omitempty"`
	OutputTokens       int64       `json:"output_tokens"`
	ReasoningTokens    int64       `json:"reasoning_tokens,omitempty"`
	AudioOutputTokens  int64       `json:"audio_output_tokens,omitempty"`
	ImageOutputTokens  int64       `json:"image_output_tokens,omitempty"`
	Source             UsageSource `json:"source,omitempty"`
}

// Total is the number of input and output tokens.
func (u Usage) Total() int64 { return u.InputTokens + u.OutputTokens }

// Outcome is how one attempt at a provider ended. Every attempt has exactly one.
type Outcome string

const (
	NotSent       Outcome = "not_sent"       // no byte of the request left; costs nothing
	Rejected      Outcome = "rejected"       // the provider refused before generating; costs nothing
	BilledActual  Outcome = "billed_actual"  // finished, usage known
	BilledPartial Outcome = "billed_partial" // cut short; usage is what was seen
	Unknown       Outcome = "unknown"        // sent, no trustworthy answer; priced by policy and named
)
