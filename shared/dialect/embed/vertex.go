package embed

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Vertex is the format of embeddings in Vertex AI: predict, and embedContent for newer models (API reference, read 2026-11). Its paths
// are below a publisher, such as .../projects/p/locations/l/publishers/google.
type Vertex struct{}

var _ Dialect = Vertex{}

// embedsContent reports whether a model is called by embedContent: all of Gemini's but the first, and open models that are hosted (as
// Google's own SDK for Go has it, v1.77).
func embedsContent(model string) bool {
	return strings.Contains(model, "gemini") && !strings.Contains(model, "gemini-embedding-001") || strings.HasSuffix(model, "-maas")
}

// MaxInputs is 250, and 1 for models of Gemini's line (guide to text embeddings, read 2026-11).
func (Vertex) MaxInputs(model string) int {
	model = bare(model)
	if embedsContent(model) || strings.Contains(model, "gemini-embedding") || strings.Contains(model, "text-embedding-large") {
		return 1
	}
	return 250
}

// MaxBytes keeps a request below 20,000 tokens, which is the limit (guide to text embeddings, read 2026-11): two bytes a token are few.
func (Vertex) MaxBytes(string) int { return 40_000 }

// EncodeEmbedding writes a request. A text that is too long is an error, as it is with OpenAI: by default it would be cut silently.
func (d Vertex) EncodeEmbedding(e *dialect.Embedding, t dialect.Target) (w dialect.Wire, err error) {
	o, err := fit(e, t, dimensions|purpose, d.MaxInputs(t.Model))
	if err != nil {
		return w, err
	}
	w.Dropped = o.dropped
	taskType, prefix := purposeFor(bare(t.Model), o.purpose)
	if embedsContent(bare(t.Model)) {
		w.Path, w.Body = method(t.Model, "embedContent"), content(prefix+o.texts[0], taskType, o.dimensions)
		return w, nil
	}
	body := []byte(`{"instances":[`)
	for i, text := range o.texts {
		if i > 0 {
			body = append(body, ',')
		}
		body = jsonedit.AppendQuote(append(body, `{"content":`...), text)
		if taskType != "" {
			body = jsonedit.AppendQuote(append(body, `,"task_type":`...), taskType)
		}
		body = append(body, '}')
	}
	body = append(body, `],"parameters":{"autoTruncate":false`...)
	body = append(appendDimensions(body, o.dimensions), "}}"...)
	w.Path, w.Body = method(t.Model, "predict"), body
	return w, nil
}

// content is the body of embedContent.
func content(text, taskType string, dimensions int64) []byte {
	body := jsonedit.AppendQuote([]byte(`{"content":{"role":"user","parts":[{"text":`), text)
	body = append(body, `}]},"embedContentConfig":{"autoTruncate":false`...)
	if taskType != "" {
		body = jsonedit.AppendQuote(append(body, `,"taskType":`...), taskType)
	}
	return append(appendDimensions(body, dimensions), "}}"...)
}

func appendDimensions(body []byte, n int64) []byte {
	if n == 0 {
		return body
	}
	return strconv.AppendInt(append(body, `,"outputDimensionality":`...), n, 10)
}

// vertexAnswer is what either method answers.
type vertexAnswer struct {
	Predictions []struct {
		Embeddings struct {
			Values     vector `json:"values"`
			Statistics struct {
				Tokens *count `json:"token_count"`
			} `json:"statistics"`
		} `json:"embeddings"`
	} `json:"predictions"`
	Embedding *struct {
		Values vector `json:"values"`
	} `json:"embedding"`
	Usage struct {
		Tokens *count `json:"promptTokenCount"`
	} `json:"usageMetadata"`
}

// DecodeEmbedding reads the answer of either method. The usage of predict is the sum of all inputs', if each is told.
func (Vertex) DecodeEmbedding(body []byte) (*dialect.Vectors, error) {
	var a vertexAnswer
	if err := read(body, &a); err != nil {
		return nil, err
	}
	if a.Embedding != nil {
		return made([]vector{a.Embedding.Values}, a.Usage.Tokens.usage())
	}
	values := make([]vector, len(a.Predictions))
	sum := gateway.Usage{Source: gateway.UsageReported}
	for i := range a.Predictions {
		p := &a.Predictions[i].Embeddings
		values[i] = p.Values
		u := p.Statistics.Tokens.usage()
		if u.Source == "" {
			sum.Source = ""
		}
		sum.InputTokens += u.InputTokens
	}
	if sum.Source == "" {
		sum = gateway.Usage{}
	}
	return made(values, sum)
}

// DecodeError reads Google's error answer.
func (Vertex) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return googleError(status, h, body)
}
