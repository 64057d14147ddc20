package embed

import (
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Gemini is the format of embeddings in Google AI Studio: batchEmbedContents of the Gemini API (API reference, read 2026-11).
type Gemini struct{}

var _ Dialect = Gemini{}

// MaxInputs is 100: "at most 100 requests can be in one batch" is the vendor's error for more (read 2026-11).
func (Gemini) MaxInputs(string) int { return 100 }

// MaxBytes leaves room below 4 MiB, the most that a request's payload may have by the vendor's error message (read 2026-11).
func (Gemini) MaxBytes(string) int { return 2 << 20 }

// EncodeEmbedding writes a batch of one request for each text.
func (d Gemini) EncodeEmbedding(e *dialect.Embedding, t dialect.Target) (w dialect.Wire, err error) {
	o, err := fit(e, t, dimensions|purpose, d.MaxInputs(t.Model))
	if err != nil {
		return w, err
	}
	model := "models/" + bare(t.Model)
	taskType, prefix := purposeFor(model, o.purpose)
	body := []byte(`{"requests":[`)
	for i, text := range o.texts {
		if i > 0 {
			body = append(body, ',')
		}
		body = jsonedit.AppendQuote(append(body, `{"model":`...), model)
		body = jsonedit.AppendQuote(append(body, `,"content":{"parts":[{"text":`...), prefix+text)
		body = append(body, `}]}`...)
		if taskType != "" {
			body = jsonedit.AppendQuote(append(body, `,"taskType":`...), taskType)
		}
		if o.dimensions != 0 {
			body = strconv.AppendInt(append(body, `,"outputDimensionality":`...), o.dimensions, 10)
		}
		body = append(body, '}')
	}
	return dialect.Wire{Path: method(t.Model, "batchEmbedContents"), Body: append(body, `]}`...), Dropped: o.dropped}, nil
}

// DecodeEmbedding reads the answer. Only newer models tell what was used.
func (Gemini) DecodeEmbedding(body []byte) (*dialect.Vectors, error) {
	var a struct {
		Embeddings []struct {
			Values vector `json:"values"`
		} `json:"embeddings"`
		Usage struct {
			Tokens *count `json:"promptTokenCount"`
		} `json:"usageMetadata"`
	}
	if err := read(body, &a); err != nil {
		return nil, err
	}
	values := make([]vector, len(a.Embeddings))
	for i := range a.Embeddings {
		values[i] = a.Embeddings[i].Values
	}
	return made(values, a.Usage.Tokens.usage())
}

// DecodeError reads Google's error answer.
func (Gemini) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return googleError(status, h, body)
}
