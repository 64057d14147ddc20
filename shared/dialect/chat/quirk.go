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
	thoughts        bool                // it wants reasoning_content back
	rename          map[string]string   // fields that it calls otherwise
	ownIDs          bool                // its tool call ids must be as callID makes them
	callID          func(string) string // makes an id that it takes
}

// mistral is how Mistral's models want to be asked, wherever they are served.
var mistral = quirks{olderLimit: true, rename: map[string]string{"seed": "random_seed", "dimensions": "output_dimension"}, ownIDs: true, callID: nineLetters, noStreamOptions: true}

// table has the vendors that differ, by Deployment.Provider (their API documents, read 2026-11).
var table = map[string]quirks{
	"openai":   {newerLimit: true},
	"azure":    {newerLimit: true},
	"mistral":  mistral,
	"deepseek": {olderLimit: true, noSchema: true, thoughts: true},
	"cohere":   {olderLimit: true, noStreamOptions: true},
	"ai21":     {olderLimit: true},
	"voyage":   {rename: map[string]string{"dimensions": "output_dimension"}},
}

// mistrals are the beginnings of the names of Mistral's models on Vertex AI.
var mistrals = []string{"mistral", "mixtral", "codestral", "ministral", "magistral"}

func quirksOf(t *dialect.Target) quirks {
	q := table[t.Provider]
	if t.Provider == "vertex_ai" && slices.ContainsFunc(mistrals, func(name string) bool { return strings.HasPrefix(t.Model, name) }) {
		q = mistral
	}
	if q.callID == nil {
		q.callID = func(id string) string { return llm.FitID(id, maxCallID) }
	}
	return q
}

// maxCallID is the longest tool call id that OpenAI takes, in characters (its own error message, read 2026-11).
const maxCallID = 40

// nineLetters makes an id as Mistral wants it: nine letters and digits.
func nineLetters(id string) string {
	if len(id) == 9 && llm.FitID(id, 32) == id {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])[:9]
}
