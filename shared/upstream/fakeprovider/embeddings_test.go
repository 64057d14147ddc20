package fakeprovider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

var firstVector = regexp.MustCompile(`\[-?[0-9.e-]+(,-?[0-9.e-]+)+\]`)

// The same text has the same vector on every wire that embeds, and costs the same.
func TestEmbeddingsOnEveryWire(t *testing.T) {
	t.Parallel()
	const place = "/v1/projects/p/locations/l/publishers/google/models/"
	vector := ""
	for _, c := range []struct{ wire, path, body string }{
		{"openai", "/v1/embeddings", `{"model":"m","input":["hello"]}`},
		{"azure", "/openai/deployments/m/embeddings?api-version=2024-10-21", `{"input":["hello"]}`},
		{"gemini", "/v1beta/models/m:batchEmbedContents", `{"requests":[{"model":"models/m","content":{"parts":[{"text":"hello"}]}}]}`},
		{"vertex", place + "m:predict", `{"instances":[{"content":"hello"}]}`},
		{"bedrock", "/model/m/invoke", `{"inputText":"hello"}`},
		{"bedrock", "/model/m/invoke", `{"texts":["hello"],"input_type":"search_query"}`},
	} {
		p, url := fakeprovider.Start(t)
		w := wireNamed(c.wire)
		status, answer := postAs(t, url, c.path, c.body, w)
		if status != 200 || last(p).PromptTokens != 2 || last(p).Op != "embeddings" {
			t.Errorf("%s: status %d, answer %s", c.path, status, answer)
		}
		found := firstVector.FindString(answer)
		if vector == "" {
			vector = found
		}
		if found == "" || found != vector {
			t.Errorf("%s: the vector is %s, elsewhere %s", c.path, found, vector)
		}
	}
}

// Counting is free.
func TestCounting(t *testing.T) {
	t.Parallel()
	const place = "/v1/projects/p/locations/l/publishers/"
	for _, c := range []struct{ wire, path, body, want string }{
		{"anthropic", "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"hello"}]}`, `{"input_tokens":5}`},
		{"vertex-anthropic", place + "anthropic/models/count-tokens:rawPredict",
			`{"anthropic_version":"vertex-2023-10-16","model":"m","messages":[{"role":"user","content":"hello"}]}`, `{"input_tokens":5}`},
		{"gemini", "/v1beta/models/m:countTokens", `{"contents":[{"parts":[{"text":"hello"}]}]}`, `"totalTokens":5`},
		{"vertex", place + "google/models/m:countTokens", `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`, `"totalTokens":5`},
		{"bedrock", "/model/m/count-tokens", `{"input":{"converse":{"messages":[{"role":"user",
			"content":[{"text":"hello"}]}]}}}`, `{"inputTokens":5}`},
		{"responses", "/v1/responses/input_tokens", `{"model":"m","input":"hello"}`, `"input_tokens":5`},
	} {
		p, url := fakeprovider.Start(t)
		status, answer := postAs(t, url, c.path, c.body, wireNamed(c.wire))
		if status != 200 || !strings.Contains(answer, c.want) || len(p.Bill()) != 0 {
			t.Errorf("%s: status %d, answer %s, bill %+v", c.path, status, answer, p.Bill())
		}
	}
}
