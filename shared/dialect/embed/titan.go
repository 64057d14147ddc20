package embed

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Titan is the format of Amazon Titan's embeddings on Bedrock (user guide, read 2026-11), texts only.
type Titan struct{}

var _ Dialect = Titan{}

// MaxInputs is 1: Titan has no lists.
func (Titan) MaxInputs(string) int { return 1 }

// MaxBytes is 0.
func (Titan) MaxBytes(string) int { return 0 }

// EncodeEmbedding writes an InvokeModel request. The second version's vectors come normalized, as OpenAI's are: that is its default. The
// models know no purposes.
func (Titan) EncodeEmbedding(e *dialect.Embedding, t dialect.Target) (w dialect.Wire, err error) {
	isImage, can := strings.Contains(t.Model, "titan-embed-image"), dimensions
	if strings.Contains(t.Model, "titan-embed-text-v1") || strings.Contains(t.Model, "titan-embed-g1-text") {
		can = 0
	}
	o, err := fit(e, t, can, 1)
	if err != nil {
		return w, err
	}
	body := jsonedit.AppendQuote([]byte(`{"inputText":`), o.texts[0])
	switch {
	case o.dimensions == 0:
	case isImage:
		body = strconv.AppendInt(append(body, `,"embeddingConfig":{"outputEmbeddingLength":`...), o.dimensions, 10)
		body = append(body, '}')
	default:
		body = strconv.AppendInt(append(body, `,"dimensions":`...), o.dimensions, 10)
	}
	return dialect.Wire{Path: invoke(t.Model), Body: append(body, '}'), Dropped: o.dropped}, nil
}

// DecodeEmbedding reads the answer of any of the models. The one for images tells errors in it.
func (d Titan) DecodeEmbedding(body []byte) (*dialect.Vectors, error) {
	var a struct {
		Embedding *vector `json:"embedding"`
		ByType    struct {
			Float *vector `json:"float"`
		} `json:"embeddingsByType"`
		Tokens  *count  `json:"inputTextTokenCount"`
		Message *string `json:"message"`
	}
	if err := read(body, &a); err != nil {
		return nil, err
	}
	if a.Embedding == nil {
		a.Embedding = a.ByType.Float
	}
	switch {
	case a.Embedding != nil:
		return made([]vector{*a.Embedding}, a.Tokens.usage())
	case a.Message != nil:
		return nil, d.DecodeError(0, nil, body)
	}
	return made(nil, gateway.Usage{})
}

// DecodeError reads Bedrock's error answer.
func (Titan) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return bedrockError(status, h, body)
}
