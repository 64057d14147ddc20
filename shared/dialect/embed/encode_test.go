package embed_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	openai "github.com/sashabaranov/go-openai"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func mustBeJSON(t *testing.T, text []byte, what string) {
	t.Helper()
	if !json.Valid(text) {
		t.Fatalf("%s %s", what, text)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	v := &dialect.Vectors{Values: [][]float32{{0.0023064255, -0.009327292, 0}, {1, 1.5e-8, -3e38}}, Usage: used(8)}
	for name, c := range map[string]struct {
		inBase64 bool
		want     string
	}{
		"numbers": {false, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.0023064255,-0.009327292,0]},` +
			`{"object":"embedding","index":1,"embedding":[1,1.5e-08,-3e+38]}],"model":"my \"model\"","usage":{"prompt_tokens":8,"total_tokens":8}}`},
		"base64": {true, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"ZicXO4DRGLwAAAAA"},` +
			`{"object":"embedding","index":1,"embedding":"AACAP1nZgDLmsWH/"}],"model":"my \"model\"","usage":{"prompt_tokens":8,"total_tokens":8}}`},
	} {
		got := embed.Encode(`my "model"`, v, c.inBase64)
		if diff := cmp.Diff(string(got), c.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
		mustBeJSON(t, got, name)
	}
	if got := embed.Encode("m", &dialect.Vectors{}, false); string(got) !=
		`{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":0,"total_tokens":0}}` {
		t.Errorf("no vectors are %s", got)
	}
}

// A client of OpenAI's reads what we write, to the last bit.
func TestClientReads(t *testing.T) {
	t.Parallel()
	v := &dialect.Vectors{Values: make([][]float32, 3), Usage: used(5)}
	for i := range v.Values {
		for j := range 100 {
			v.Values[i] = append(v.Values[i], float32(math.Sin(float64(i*1000+j)))*float32(math.Pow10(j%40-39)))
		}
	}
	var plain openai.EmbeddingResponse
	if err := json.Unmarshal(embed.Encode("m", v, false), &plain); err != nil {
		t.Fatal(err)
	}
	var packed openai.EmbeddingResponseBase64
	if err := json.Unmarshal(embed.Encode("m", v, true), &packed); err != nil {
		t.Fatal(err)
	}
	unpacked, err := packed.ToEmbeddingResponse()
	if err != nil {
		t.Fatal(err)
	}
	for i := range v.Values {
		if diff := cmp.Diff(plain.Data[i].Embedding, v.Values[i]); diff != "" || plain.Data[i].Index != i {
			t.Errorf("numbers of %d (-got +want):\n%s", i, diff)
		}
		if diff := cmp.Diff(unpacked.Data[i].Embedding, v.Values[i]); diff != "" {
			t.Errorf("base64 of %d (-got +want):\n%s", i, diff)
		}
	}
	if plain.Usage.PromptTokens != 5 || plain.Usage.TotalTokens != 5 || plain.Object != "list" {
		t.Errorf("got %+v, %s", plain.Usage, plain.Object)
	}
}

func TestSplitAndJoin(t *testing.T) {
	t.Parallel()
	e := &dialect.Embedding{Inputs: []string{"a", "b", "c", "d", "e"}, Dimensions: 7, User: "u"}
	want := []dialect.Embedding{
		{Inputs: []string{"a", "b"}, Dimensions: 7, User: "u"}, {Inputs: []string{"c", "d"}, Dimensions: 7, User: "u"},
		{Inputs: []string{"e"}, Dimensions: 7, User: "u"},
	}
	if diff := cmp.Diff(embed.Split(e, 2), want); diff != "" {
		t.Errorf("texts (-got +want):\n%s", diff)
	}
	e = &dialect.Embedding{Tokens: [][]int64{{1}, {2}, {3}}}
	if diff := cmp.Diff(embed.Split(e, 2), []dialect.Embedding{{Tokens: [][]int64{{1}, {2}}}, {Tokens: [][]int64{{3}}}}); diff != "" {
		t.Errorf("tokens (-got +want):\n%s", diff)
	}
	if got := embed.Split(e, 0); len(got) != 3 {
		t.Errorf("a limit of 0 makes %d parts", len(got))
	}
	unknown := gateway.Usage{}
	counted := gateway.Usage{InputTokens: 2, Source: gateway.UsageCounted}
	for _, c := range []struct {
		parts []gateway.Usage
		want  gateway.Usage
	}{
		{[]gateway.Usage{used(3)}, used(3)},
		{[]gateway.Usage{used(3), used(4)}, used(7)},
		{[]gateway.Usage{used(3), counted}, gateway.Usage{InputTokens: 5, Source: gateway.UsageCounted}},
		{[]gateway.Usage{used(3), unknown, counted}, unknown},
		{[]gateway.Usage{unknown, used(3)}, unknown},
		{nil, unknown},
	} {
		var parts []*dialect.Vectors
		var want [][]float32
		for i, u := range c.parts {
			parts = append(parts, &dialect.Vectors{Values: [][]float32{{float32(i)}}, Usage: u})
			want = append(want, []float32{float32(i)})
		}
		if diff := cmp.Diff(embed.Join(parts), &dialect.Vectors{Values: want, Usage: c.want}); diff != "" {
			t.Errorf("%v (-got +want):\n%s", c.parts, diff)
		}
	}
}

// Parts keep to the number of inputs and to the bytes of a request, unless one input alone is longer.
func TestParts(t *testing.T) {
	t.Parallel()
	long := make([]string, 10)
	for i := range long {
		long[i] = string(make([]byte, 15_000))
	}
	long[4] = string(make([]byte, 90_000))
	sizes := func(d embed.Dialect, e *dialect.Embedding, model string) (n []int) {
		for _, part := range embed.Parts(d, e, model) {
			n = append(n, len(part.Inputs)+len(part.Tokens))
		}
		return n
	}
	for _, c := range []struct {
		name  string
		d     embed.Dialect
		model string
		in    dialect.Embedding
		want  []int
	}{
		{"Titan", embed.Titan{}, "amazon.titan-embed-text-v2:0", dialect.Embedding{Inputs: make([]string, 3)}, []int{1, 1, 1}},
		{"Cohere", embed.Cohere{}, "cohere.embed-v4:0", dialect.Embedding{Inputs: make([]string, 200)}, []int{96, 96, 8}},
		{"Gemini", embed.Gemini{}, "gemini-embedding-001", dialect.Embedding{Inputs: make([]string, 101)}, []int{100, 1}},
		{"Vertex", embed.Vertex{}, "text-embedding-005", dialect.Embedding{Inputs: make([]string, 251)}, []int{250, 1}},
		{"Vertex's Gemini", embed.Vertex{}, "gemini-embedding-001", dialect.Embedding{Inputs: make([]string, 2)}, []int{1, 1}},
		{"long texts", embed.Vertex{}, "text-embedding-005", dialect.Embedding{Inputs: long}, []int{2, 2, 1, 2, 2, 1}},
		{
			"many tokens", embed.Vertex{}, "text-embedding-005",
			dialect.Embedding{Tokens: [][]int64{make([]int64, 8000), make([]int64, 2000), {1}}}, []int{2, 1},
		},
	} {
		if diff := cmp.Diff(sizes(c.d, &c.in, c.model), c.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.name, diff)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	inf := float32(math.Inf(1))
	e := &dialect.Embedding{Inputs: []string{"a", "b"}}
	for name, values := range map[string][][]float32{
		"none": nil, "too few": {{1}}, "too many": {{1}, {1}, {1}}, "empty": {{}, {}}, "uneven": {{1}, {1, 2}}, "not finite": {{1}, {inf}},
		"not a number": {{1}, {inf - inf}},
	} {
		err := embed.Check(e, &dialect.Vectors{Values: values})
		if err == nil || asError(t, err).Code != dialect.CodeInvalidAnswer {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := embed.Check(e, &dialect.Vectors{Values: [][]float32{{1}, {2}}}); err != nil {
		t.Error(err)
	}
}

// FuzzDecodeEmbedding: whatever a vendor answers, what is read is finite, even, and can be written.
func FuzzDecodeEmbedding(f *testing.F) {
	for _, name := range []string{
		"titan_v2", "titan_v2_types", "titan_image_error", "cohere_v3", "cohere_v3_bare", "gemini_001", "gemini_2", "vertex_005", "vertex_2",
	} {
		f.Add(recording(f, name+".answer"))
	}
	f.Add([]byte(`{"embeddings":[[1,[2,"\`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for op, d := range embed.Dialects {
			d.DecodeError(400, nil, body)
			v, err := d.DecodeEmbedding(body)
			if err != nil {
				asError(t, err)
				continue
			}
			if err := embed.Check(&dialect.Embedding{Inputs: make([]string, len(v.Values))}, v); err != nil {
				t.Fatalf("%s: %v", op, err)
			}
			mustBeJSON(t, embed.Encode("m", v, false), string(op))
			mustBeJSON(t, embed.Encode("m", v, true), string(op))
		}
	})
}
