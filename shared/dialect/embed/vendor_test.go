package embed_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func recording(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func used(tokens int64) gateway.Usage {
	return gateway.Usage{InputTokens: tokens, Source: gateway.UsageReported}
}

// Requests and answers were written from the vendors' documents.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string // of the request; and of the answer, if that has no other
		answer  string
		op      gateway.Op
		model   string
		in      dialect.Embedding
		path    string
		dropped []string
		vectors [][]float32
		usage   gateway.Usage
	}{
		{
			name: "titan_v2", op: gateway.OpTitanEmbed, model: "amazon.titan-embed-text-v2:0",
			in:      dialect.Embedding{Inputs: []string{"What are the \"different\" services that you offer?\n"}, Dimensions: 256, User: "u"},
			path:    "/model/amazon.titan-embed-text-v2%3A0/invoke",
			dropped: []string{"user"}, vectors: [][]float32{{-0.0371, 0.025390625, 1.5e-05}}, usage: used(11),
		},
		{
			name: "titan_v1", answer: "titan_v2_types", op: gateway.OpTitanEmbed, model: "amazon.titan-embed-text-v1",
			in:      dialect.Embedding{Tokens: [][]int64{{15339}}, Dimensions: 256, Purpose: embed.SearchQuery},
			path:    "/model/amazon.titan-embed-text-v1/invoke",
			dropped: []string{"dimensions", "input_type"}, vectors: [][]float32{{0.5, -0.5, 1}}, usage: used(3),
		},
		{
			name: "titan_v1", op: gateway.OpTitanEmbed, model: "arn:aws:bedrock:us-east-1:1:application-inference-profile/a",
			in:      dialect.Embedding{Inputs: []string{"hello"}},
			path:    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fa/invoke",
			vectors: [][]float32{{0.859375, -0.11816406, 0.0005226135}}, usage: used(2),
		},
		{
			name: "titan_image", op: gateway.OpTitanEmbed, model: "amazon.titan-embed-image-v1",
			in: dialect.Embedding{Inputs: []string{"a red fox"}, Dimensions: 384}, path: "/model/amazon.titan-embed-image-v1/invoke",
			vectors: [][]float32{{0.012, 0.5}}, usage: used(4),
		},
		{
			name: "cohere_v3", op: gateway.OpCohereEmbed, model: "cohere.embed-multilingual-v3",
			in:      dialect.Embedding{Inputs: []string{"hello world", "this is a test"}, Dimensions: 9},
			path:    "/model/cohere.embed-multilingual-v3/invoke",
			dropped: []string{"dimensions"}, vectors: [][]float32{{0.010345459, -0.04031372, 0.5}, {0.018463135, 0.0077, -1}},
		},
		{
			name: "cohere_v3", answer: "cohere_v3_bare", op: gateway.OpCohereEmbed, model: "cohere.embed-english-v3",
			in: dialect.Embedding{Tokens: [][]int64{{15339, 1917}, {576, 374, 264, 1296}}}, path: "/model/cohere.embed-english-v3/invoke",
			vectors: [][]float32{{0.010345459, -0.04031372, 0.5}, {0.018463135, 0.0077, -1}},
		},
		{
			name: "cohere_v4", op: gateway.OpCohereEmbed, model: "us.cohere.embed-v4:0",
			in:   dialect.Embedding{Inputs: []string{"what is a fox?"}, Dimensions: 512, Purpose: embed.SearchQuery},
			path: "/model/us.cohere.embed-v4%3A0/invoke", vectors: [][]float32{{0.25, -0.125}},
		},
		{
			name: "gemini_001", op: gateway.OpGeminiEmbed, model: "gemini-embedding-001",
			in: dialect.Embedding{
				Inputs: []string{"What is the meaning of life?", "How much wood would a woodchuck chuck?"}, Dimensions: 768, Purpose: embed.SearchQuery,
			},
			path:    "/models/gemini-embedding-001:batchEmbedContents",
			vectors: [][]float32{{-0.022374554, -0.004560777, 0.013309286}, {-0.007975887, -0.02141119, -0.0016711014}},
		},
		{
			name: "gemini_2", op: gateway.OpGeminiEmbed, model: "models/gemini-embedding-2",
			in:   dialect.Embedding{Inputs: []string{"What is the meaning of life?"}, Purpose: embed.SearchQuery},
			path: "/models/gemini-embedding-2:batchEmbedContents", vectors: [][]float32{{0.5, -0.25}}, usage: used(15),
		},
		{
			name: "vertex_005", op: gateway.OpVertexPredict, model: "text-embedding-005",
			in:      dialect.Embedding{Inputs: []string{"What is life?", "What is death?"}, Dimensions: 256, Purpose: embed.Clustering},
			path:    "/models/text-embedding-005:predict",
			vectors: [][]float32{{0.0058424929156899452, 0.011848051100969315}, {-0.5, 1}}, usage: used(13),
		},
		{
			name: "vertex_001", op: gateway.OpVertexPredict, model: "publishers/google/models/gemini-embedding-001",
			in:   dialect.Embedding{Inputs: []string{"What is life?"}},
			path: "/models/gemini-embedding-001:predict", vectors: [][]float32{{0.125, 0.25}},
		},
		{
			name: "vertex_2", op: gateway.OpVertexPredict, model: "gemini-embedding-2",
			in:   dialect.Embedding{Inputs: []string{"What is life?"}, Dimensions: 1536, Purpose: embed.SearchDocument},
			path: "/models/gemini-embedding-2:embedContent", vectors: [][]float32{{0.125, 0.25}}, usage: used(9),
		},
		{
			name: "vertex_maas", answer: "vertex_2", op: gateway.OpVertexPredict, model: "multilingual-e5-large-instruct-maas",
			in:   dialect.Embedding{Inputs: []string{"What is life?"}, Purpose: embed.SearchDocument},
			path: "/models/multilingual-e5-large-instruct-maas:embedContent", vectors: [][]float32{{0.125, 0.25}}, usage: used(9),
		},
	} {
		t.Run(c.name+" "+c.model, func(t *testing.T) {
			t.Parallel()
			d := embed.Dialects[c.op]
			wire, err := d.EncodeEmbedding(&c.in, dialect.Target{Model: c.model, Drop: func(string) bool { return true }})
			if err != nil {
				t.Fatal(err)
			}
			if wire.Path != c.path {
				t.Errorf("the path is %s, want %s", wire.Path, c.path)
			}
			if diff := cmp.Diff(wire.Dropped, c.dropped); diff != "" {
				t.Errorf("dropped (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(string(wire.Body), compact(t, recording(t, c.name+".request"))); diff != "" {
				t.Errorf("request (-got +want):\n%s", diff)
			}
			if c.answer == "" {
				c.answer = c.name
			}
			got, err := d.DecodeEmbedding(recording(t, c.answer+".answer"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, &dialect.Vectors{Values: c.vectors, Usage: c.usage}); diff != "" {
				t.Errorf("answer (-got +want):\n%s", diff)
			}
		})
	}
}
