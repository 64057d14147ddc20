package e2e_test

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/openai/openai-go/v3"
	community "github.com/sashabaranov/go-openai"
)

// embedders are models that embed, each with another format of its vendor's, with their litellm_params.
var embedders = map[string]string{
	"embed-openai": `model: "openai/text-embedding-3-small", api_base: API/v1, api_key: KEY`,
	"embed-azure":  `model: "azure/text-embedding-3-small", api_base: API, api_key: KEY, api_version: "2024-10-21"`,
	"embed-gemini": `model: "gemini/gemini-embedding-001", api_base: API, api_key: KEY`,
	"embed-vertex": `model: "vertex_ai/text-embedding-005", api_base: API, vertex_project: fake-project, ` +
		`extra_headers: {Authorization: "Bearer TOKEN"}`,
	"embed-titan": `model: "bedrock/amazon.titan-embed-text-v2:0", aws_bedrock_runtime_endpoint: API, aws_access_key_id: ACCESS, ` +
		`aws_secret_access_key: SECRET, aws_region_name: us-east-1`,
	"embed-cohere": `model: "bedrock/cohere.embed-english-v3", aws_bedrock_runtime_endpoint: API, aws_access_key_id: ACCESS, ` +
		`aws_secret_access_key: SECRET, aws_region_name: us-east-1`,
}

// Two texts, and the same as tokens of cl100k, as LangChain sends them.
var (
	twoTexts  = []string{"hello world", "hello"}
	twoTokens = [][]int64{{15339, 1917}, {15339}}
)

type embedInput = openai.EmbeddingNewParamsInputUnion

// embeddings are the ways in which OpenAI's SDK embeds.
var embeddings = map[string]struct {
	input   embedInput
	coded   bool
	vectors int
}{
	"one text":      {input: embedInput{OfString: openai.String("hello world")}, vectors: 1},
	"texts":         {input: embedInput{OfArrayOfStrings: twoTexts}, vectors: 2},
	"tokens":        {input: embedInput{OfArrayOfTokens: twoTokens[0]}, vectors: 1},
	"token lists":   {input: embedInput{OfArrayOfTokenArrays: twoTokens}, vectors: 2},
	"base64":        {input: embedInput{OfArrayOfStrings: twoTexts}, coded: true, vectors: 2},
	"base64 tokens": {input: embedInput{OfArrayOfTokenArrays: twoTokens}, coded: true, vectors: 2},
}

func TestEmbeddingsSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	t.Run("all", func(t *testing.T) {
		for model := range embedders {
			for name, e := range embeddings {
				t.Run(name+"/"+model, func(t *testing.T) {
					t.Parallel()
					p := openai.EmbeddingNewParams{Model: model, Input: e.input}
					var got [][]float32
					if e.coded {
						got = codedVectors(t, official(g, key), p)
					} else {
						got = vectors(t, official(g, key), p)
					}
					if len(got) != e.vectors || slices.ContainsFunc(got, func(v []float32) bool { return len(v) == 0 }) {
						t.Errorf("got %v, want %d vectors", got, e.vectors)
					}
				})
			}
			t.Run("go-openai/"+model, func(t *testing.T) {
				t.Parallel()
				communityVectors(t, goOpenAI(g, key), model)
			})
		}
	})
	g.checkVendorBooks(t)
}

func vectors(t *testing.T, c openai.Client, p openai.EmbeddingNewParams) (list [][]float32) {
	t.Helper()
	got, err := c.Embeddings.New(t.Context(), p)
	if err != nil {
		t.Fatalf("%v: %s", err, openaiFault(err).message)
	}
	if got.Model != p.Model || got.Usage.PromptTokens == 0 || got.Usage.TotalTokens != got.Usage.PromptTokens {
		t.Errorf("got %.500s", got.RawJSON())
	}
	for i, d := range got.Data {
		v := make([]float32, len(d.Embedding))
		for j := range v {
			v[j] = float32(d.Embedding[j])
		}
		if list = append(list, v); d.Index != int64(i) {
			t.Errorf("vector %d has the index %d", i, d.Index)
		}
	}
	return list
}

// codedVectors asks for base64, for which the SDK has no field in its answer.
func codedVectors(t *testing.T, c openai.Client, p openai.EmbeddingNewParams) (list [][]float32) {
	t.Helper()
	plain := vectors(t, c, p)
	p.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64
	var coded struct {
		Data []struct{ Embedding string }
	}
	if err := c.Post(t.Context(), "embeddings", p, &coded); err != nil {
		t.Fatal(err)
	}
	for i, d := range coded.Data {
		raw, err := base64.StdEncoding.DecodeString(d.Embedding)
		if err != nil || len(raw)%4 != 0 {
			t.Fatalf("vector %d is %.80q: %v", i, d.Embedding, err)
		}
		var v []float32
		for at := 0; at < len(raw); at += 4 {
			v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(raw[at:])))
		}
		list = append(list, v)
	}
	if !slices.EqualFunc(list, plain, slices.Equal) {
		t.Errorf("in base64 the vectors are %v, as numbers %v", list, plain)
	}
	return list
}

// communityVectors embeds tokens with the other SDK, which decodes base64 by itself.
func communityVectors(t *testing.T, c *community.Client, model string) {
	var lists [][]int
	for _, tokens := range twoTokens {
		list := make([]int, len(tokens))
		for i, token := range tokens {
			list[i] = int(token)
		}
		lists = append(lists, list)
	}
	var first []community.Embedding
	for _, format := range []community.EmbeddingEncodingFormat{
		"", community.EmbeddingEncodingFormatFloat, community.EmbeddingEncodingFormatBase64,
	} {
		got, err := c.CreateEmbeddings(t.Context(), community.EmbeddingRequestTokens{
			Input: lists, Model: community.EmbeddingModel(model), EncodingFormat: format,
		})
		if err != nil {
			t.Fatalf("%q: %v", format, err)
		}
		if first == nil {
			first = got.Data
		}
		same := slices.EqualFunc(got.Data, first, func(a, b community.Embedding) bool { return slices.Equal(a.Embedding, b.Embedding) })
		if len(got.Data) != 2 || !same || string(got.Model) != model || got.Usage.PromptTokens == 0 {
			t.Errorf("%q: got %+v, want %+v", format, got, first)
		}
	}
}
