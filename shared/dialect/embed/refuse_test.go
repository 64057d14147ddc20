package embed_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func asError(t *testing.T, err error) *gateway.Error {
	t.Helper()
	var e *gateway.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no gateway.Error", err)
	}
	return e
}

func TestEncodeEmbeddingRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		op          gateway.Op
		model       string
		in          dialect.Embedding
		param, code string
	}{
		{"two inputs", gateway.OpTitanEmbed, "amazon.titan-embed-text-v2:0", dialect.Embedding{Inputs: []string{"a", "b"}}, "input", ""},
		{"no input", gateway.OpCohereEmbed, "cohere.embed-english-v3", dialect.Embedding{}, "input", ""},
		{"97 inputs", gateway.OpCohereEmbed, "cohere.embed-v4:0", dialect.Embedding{Inputs: make([]string, 97)}, "input", ""},
		{"101 inputs", gateway.OpGeminiEmbed, "gemini-embedding-001", dialect.Embedding{Inputs: make([]string, 101)}, "input", ""},
		{"251 inputs", gateway.OpVertexPredict, "text-embedding-005", dialect.Embedding{Inputs: make([]string, 251)}, "input", ""},
		{"two for Gemini in Vertex", gateway.OpVertexPredict, "gemini-embedding-001", dialect.Embedding{Inputs: make([]string, 2)}, "input", ""},
		{
			"dimensions", gateway.OpTitanEmbed, "amazon.titan-embed-text-v1", dialect.Embedding{Inputs: []string{"a"}, Dimensions: 5},
			"dimensions", "unsupported_parameter",
		},
		{
			"dimensions of the third version", gateway.OpCohereEmbed, "us.cohere.embed-english-v3",
			dialect.Embedding{Inputs: []string{"a"}, Dimensions: 5}, "dimensions", "unsupported_parameter",
		},
		{
			"a purpose", gateway.OpTitanEmbed, "amazon.titan-embed-text-v2:0", dialect.Embedding{Inputs: []string{"a"}, Purpose: embed.Clustering},
			"input_type", "unsupported_parameter",
		},
		{
			"another vocabulary", gateway.OpCohereEmbed, "cohere.embed-v4:0", dialect.Embedding{Tokens: [][]int64{{1}, {2, 199_998}}},
			"input[1]", "invalid_token",
		},
		{
			"of one input", gateway.OpTitanEmbed, "amazon.titan-embed-text-v2:0", dialect.Embedding{Tokens: [][]int64{{100_256}}},
			"input", "invalid_token",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wire, err := embed.Dialects[c.op].EncodeEmbedding(&c.in, dialect.Target{Model: c.model})
			if err == nil {
				t.Fatalf("it was written: %s", wire.Body)
			}
			if e := asError(t, err); e.Status() != 400 || e.Param != c.param || e.Code != c.code {
				t.Errorf("got %d, param %q, code %q: %s", e.Status(), e.Param, e.Code, e.Message)
			}
		})
	}
}

func TestDecodeEmbeddingRefuses(t *testing.T) {
	t.Parallel()
	bodies := []string{
		``, `null`, `{}`, `[]`, `<html>busy</html>`, `{"embedding":`, `{"embedding":{}}`, `{"embedding":null}`,
		`{"embedding":[]}`, `{"embedding":["1"]}`, `{"embedding":[0.1,null]}`, `{"embedding":[NaN]}`, `{"embedding":[1e39]}`,
		`{"embedding":[true]}`, `{"embeddings":[]}`, `{"embeddings":{}}`, `{"embeddings":{"int8":[[1]]}}`, `{"embeddings":[[0.1],[]]}`,
		`{"embeddings":[[0.1],[0.1,0.2]]}`,
		`{"embeddings":[{"values":[]}]}`, `{"embeddings":[{"values":[1]},{"values":[1,2]}]}`, `{"embeddings":[{}]}`, `{"embeddings":[null]}`,
		`{"embeddings":{"float":[["Infinity"]]}}`, `{"embeddings":"x"}`, `{"embeddings":null}`, `{"embeddings":[[[1]]]}`,
		`{"predictions":[]}`, `{"predictions":[{}]}`, `{"predictions":[{"embeddings":{"values":[1e999]}}]}`,
		`{"predictions":[{"embeddings":{"values":[1]}},{"embeddings":{"values":null}}]}`, `{"embedding":{"values":[1,{}]}}`,
	}
	for op, d := range embed.Dialects {
		for _, body := range bodies {
			v, err := d.DecodeEmbedding([]byte(body))
			if err == nil {
				t.Errorf("%s reads %s as %v", op, body, v.Values)
				continue
			}
			if e := asError(t, err); e.Kind != gateway.KindUpstream || e.Code != dialect.CodeInvalidAnswer {
				t.Errorf("%s says of %s: %d %s %s", op, body, e.Status(), e.Code, e.Message)
			}
		}
	}
}

// Usage that makes no sense is none.
func TestUsageIsBelievedOrNot(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]gateway.Usage{
		`{"embedding":[1],"inputTextTokenCount":7}`:            used(7),
		`{"embedding":[1],"inputTextTokenCount":0}`:            used(0),
		`{"embedding":[1],"inputTextTokenCount":-1}`:           {},
		`{"embedding":[1],"inputTextTokenCount":null}`:         {},
		`{"embedding":[1],"inputTextTokenCount":"7"}`:          {},
		`{"embedding":[1],"inputTextTokenCount":1.5}`:          {},
		`{"embedding":[1],"inputTextTokenCount":999999999999}`: {},
		`{"embedding":[1]}`:                                    {},
	} {
		v, err := embed.Titan{}.DecodeEmbedding([]byte(body))
		if err != nil || v.Usage != want {
			t.Errorf("the usage of %s is %+v, %v; want %+v", body, v.Usage, err, want)
		}
	}
	for value, want := range map[string]gateway.Usage{"42": used(42), "": {}, "-1": {}, "x": {}, "99999999999": {}} {
		if got := embed.HeaderUsage(http.Header{"X-Amzn-Bedrock-Input-Token-Count": {value}}); got != want {
			t.Errorf("the header %q is %+v, want %+v", value, got, want)
		}
	}
}

func TestDecodeError(t *testing.T) {
	t.Parallel()
	type told struct {
		Status int
		Kind   gateway.Kind
		Code   string
		Param  string
		Wait   time.Duration
	}
	for _, c := range []struct {
		name   string
		op     gateway.Op
		status int
		class  string // Bedrock's header
		body   string
		text   string // a part of the message
		want   told
	}{
		{
			"too long for Titan", gateway.OpTitanEmbed, 400, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
			"bedrock_too_long.error", "Too many input tokens",
			told{400, gateway.KindInvalid, dialect.CodeContextLength, "input", 0},
		},
		{
			"too long for Cohere", gateway.OpCohereEmbed, 400, "ValidationException",
			`{"message":"Malformed input request: #/texts/0: expected maxLength: 2048, actual: 3000, please reformat your input and try again."}`,
			"maxLength", told{400, gateway.KindInvalid, dialect.CodeContextLength, "input", 0},
		},
		{
			"throttled", gateway.OpCohereEmbed, 429, "ThrottlingException", `{"message":"Too many requests"}`, "Too many requests",
			told{429, gateway.KindRateLimited, "", "", 0},
		},
		{
			"a quota", gateway.OpTitanEmbed, 400, "",
			`{"__type":"com.amazon.coral.service#ServiceQuotaExceededException","Message":"Too many tokens per day"}`, "per day",
			told{429, gateway.KindRateLimited, "", "", 0},
		},
		{"the model failed", gateway.OpTitanEmbed, 424, "ModelErrorException", `{}`, "failed", told{502, gateway.KindUpstream, "", "", 0}},
		{"no JSON", gateway.OpTitanEmbed, 503, "", `<html>`, "failed", told{503, gateway.KindUpstream, "", "", 0}},
		{"under a good status", gateway.OpTitanEmbed, 0, "", `{"message":"x"}`, "x", told{502, gateway.KindUpstream, "", "", 0}},
		{
			"a bad key is the gateway's", gateway.OpGeminiEmbed, 400, "", "gemini_key.error", "API key not valid",
			told{401, gateway.KindUpstream, "", "", 0},
		},
		{
			"a wait", gateway.OpGeminiEmbed, 429, "", "gemini_quota.error", "current quota",
			told{429, gateway.KindRateLimited, "", "", 34500 * time.Millisecond},
		},
		{
			"a wait beyond belief", gateway.OpGeminiEmbed, 429, "", `{"error":{"details":[{"retryDelay":"99999s"}]}}`, "rate limit",
			told{429, gateway.KindRateLimited, "", "", 10 * time.Minute},
		},
		{
			"too long for Vertex", gateway.OpVertexPredict, 400, "", "vertex_too_long.error", "token count is 3001",
			told{400, gateway.KindInvalid, dialect.CodeContextLength, "input", 0},
		},
		{
			"Google's word for a status", gateway.OpVertexPredict, 0, "", `{"error":{"status":"UNAVAILABLE","message":"busy"}}`, "busy",
			told{503, gateway.KindUpstream, "", "", 0},
		},
		{
			"Google's number for a status", gateway.OpVertexPredict, 0, "", `{"error":{"code":404}}`, "does not know",
			told{404, gateway.KindNotFound, "", "", 0},
		},
		{"an empty list", gateway.OpVertexPredict, 500, "", `[]`, "failed", told{500, gateway.KindUpstream, "", "", 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := []byte(c.body)
			if strings.HasSuffix(c.body, ".error") {
				body = recording(t, c.body)
			}
			h := http.Header{}
			if c.class != "" {
				h.Set("X-Amzn-Errortype", c.class)
			}
			e := embed.Dialects[c.op].DecodeError(c.status, h, body)
			if diff := cmp.Diff(told{e.Status(), e.Kind, e.Code, e.Param, e.RetryAfter}, c.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
			if !strings.Contains(e.Message, c.text) {
				t.Errorf("the message is %q", e.Message)
			}
		})
	}
}

// The image model tells errors under a good status.
func TestTitanImageError(t *testing.T) {
	t.Parallel()
	_, err := embed.Titan{}.DecodeEmbedding(recording(t, "titan_image_error.answer"))
	if err == nil || !strings.Contains(asError(t, err).Message, "too long") {
		t.Errorf("got %v", err)
	}
}
