package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// quirks are where a vendor's idea of OpenAI's format differs from OpenAI's. The zero value is what most hosts do.
type quirks struct {
	newerLimit      bool                // its models may refuse max_tokens and take max_completion_tokens
	olderLimit      bool                // it knows max_tokens only
	noStreamOptions bool                // it refuses stream_options, and tells a stream's usage unasked
	noSchema        bool                // it has no response_format json_schema
	unforced        bool                // it refuses to be made to call tools while it thinks
	toggle          bool                // thinking is switched by an object like Anthropic's
	thoughts        bool                // it wants reasoning_content back
	details         bool                // it wants reasoning_details back
	seals           bool                // it wants Google's signatures back
	markers         bool                // it takes Anthropic's cache markers
	refusesMarkers  bool                // it may refuse a request for them
	fileURLs        bool                // it fetches files
	documents       bool                // files are of a type document_url
	rename          [][2]string         // fields that it calls otherwise
	ownIDs          bool                // its tool call ids must be as callID makes them
	callID          func(string) string // makes an id that it takes
	lacks           []llm.Param         // what it refuses, or does not notice
	extra           []string            // fields beyond the neutral form that it knows
	models          []family            // what its models know of thinking; nil: unknown
}

// extras are the fields that only some hosts know.
var (
	hostExtra   = []string{"min_p", "repetition_penalty"} // vLLM's, and those of hosts that run it
	openaiExtra = []string{"metadata", "store", "prompt_cache_key", "prompt_cache_retention", "web_search_options"}
)

// mistral is how Mistral's models want to be asked, wherever they are served. Fields that it does not know it refuses.
var mistral = quirks{
	olderLimit: true, noStreamOptions: true, ownIDs: true, callID: nineLetters, fileURLs: true, documents: true,
	rename: [][2]string{{"seed", "random_seed"}, {"dimensions", "output_dimension"}}, models: mistralModels,
	lacks: []llm.Param{
		llm.TopK, llm.LogitBias, llm.Logprobs, llm.ServiceTier, llm.Verbosity, llm.UserParam, llm.AudioOutput, llm.VideoInput,
		llm.ParticipantNames,
	},
}

// table has the vendors that differ, by Deployment.Provider (their API documents, read 2026-11).
var table = map[string]*quirks{
	"openai":  {newerLimit: true, extra: openaiExtra, models: openaiModels, lacks: []llm.Param{llm.TopK, llm.VideoInput}},
	"azure":   {newerLimit: true, extra: openaiExtra[:4], models: openaiModels, lacks: []llm.Param{llm.TopK, llm.VideoInput}},
	"mistral": &mistral,
	"deepseek": {
		olderLimit: true, noSchema: true, thoughts: true, unforced: true, toggle: true, models: deepseekModels,
		lacks: []llm.Param{
			llm.TopK, llm.N, llm.Seed, llm.LogitBias, llm.ServiceTier, llm.Verbosity, llm.UserParam, llm.AudioOutput, llm.Prediction,
		},
	},
	"cohere": {
		olderLimit: true, noStreamOptions: true, models: cohereModels,
		lacks: []llm.Param{
			llm.N, llm.LogitBias, llm.Logprobs, llm.ParallelTools, llm.ServiceTier, llm.Verbosity, llm.UserParam, llm.AudioOutput, llm.Prediction,
		},
	},
	"groq": {
		models: groqModels,
		lacks: []llm.Param{
			llm.TopK, llm.N, llm.LogitBias, llm.Logprobs, llm.Verbosity, llm.AudioOutput, llm.Prediction, llm.VideoInput, llm.ParticipantNames,
		},
	},
	"xai":           {models: xaiModels, lacks: []llm.Param{llm.TopK, llm.LogitBias, llm.Verbosity, llm.AudioOutput, llm.Prediction}},
	"openrouter":    {details: true, markers: true, fileURLs: true, extra: append([]string{"web_search_options"}, hostExtra...)},
	"litellm_proxy": {markers: true, fileURLs: true, extra: append(hostExtra[:2:2], openaiExtra...)},
	"perplexity":    {extra: []string{"web_search_options"}},
	"moonshot":      {thoughts: true, toggle: true, models: []family{{}}},
	"zai":           {thoughts: true, toggle: true, models: []family{{}}},
	"volcengine":    {toggle: true, models: []family{{efforts: []string{"minimal", "low", "medium", "high"}}}},
	"gemini":        {seals: true},
	"vertex_ai":     {seals: true},
	"ai21":          {olderLimit: true},
	"voyage":        {rename: [][2]string{{"dimensions", "output_dimension"}}},
}

// mistrals are the beginnings of the names of Mistral's models on Vertex AI.
var mistrals = []string{"mistral", "mixtral", "codestral", "ministral", "magistral"}

// unlisted is what is known of a host that is not in the table.
var unlisted = quirks{extra: hostExtra}

func init() {
	for _, q := range table {
		q.refusesMarkers = !q.markers
	}
}

// quirksOf is shared: it must not be changed.
func quirksOf(t *dialect.Target) *quirks {
	if t.Provider == "vertex_ai" && slices.ContainsFunc(mistrals, func(name string) bool { return strings.HasPrefix(t.Model, name) }) {
		return &mistral
	}
	if q := table[t.Provider]; q != nil {
		return q
	}
	return &unlisted
}

// fitID makes a tool call's id that the host takes: most take OpenAI's.
func (q *quirks) fitID(id string) string {
	if q.callID != nil {
		return q.callID(id)
	}
	return fortyBytes(id)
}

// fortyBytes makes an id that OpenAI takes: it has at most 40 characters (its own error message, read 2026-11).
func fortyBytes(id string) string { return llm.FitID(id, 40) }

// nineLetters makes an id as Mistral wants it: nine letters and digits.
func nineLetters(id string) string {
	if len(id) == 9 && llm.FitID(id, 32) == id && !strings.ContainsAny(id, "-_") {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])[:9]
}
