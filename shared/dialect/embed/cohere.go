package embed

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// Cohere is the format of Cohere's embeddings on Bedrock (user guide, read 2026-11). What was used stands in a header of the answer: see
// HeaderUsage.
type Cohere struct{}

var _ Dialect = Cohere{}

// MaxInputs is 96 (Bedrock user guide, read 2026-11).
func (Cohere) MaxInputs(string) int { return 96 }

// MaxBytes is 0.
func (Cohere) MaxBytes(string) int { return 0 }

// EncodeEmbedding writes an InvokeModel request. Without a purpose the texts are documents of a search: the format demands one. Truncate
// is left at NONE, so that a text that is too long is an error, as it is with OpenAI. The third version has one number of dimensions.
func (d Cohere) EncodeEmbedding(e *dialect.Embedding, t dialect.Target) (w dialect.Wire, err error) {
	can := dimensions | purpose
	if strings.Contains(t.Model, "embed-english-v3") || strings.Contains(t.Model, "embed-multilingual-v3") {
		can = purpose
	}
	o, err := fit(e, t, can, d.MaxInputs(t.Model))
	if err != nil {
		return w, err
	}
	if o.purpose == "" {
		o.purpose = SearchDocument
	}
	body := []byte(`{"texts":[`)
	for i, text := range o.texts {
		if i > 0 {
			body = append(body, ',')
		}
		body = jsonedit.AppendQuote(body, text)
	}
	body = append(append(body, `],"input_type":"`...), o.purpose...)
	body = append(body, `","embedding_types":["float"]`...)
	if o.dimensions != 0 {
		body = strconv.AppendInt(append(body, `,"output_dimension":`...), o.dimensions, 10)
	}
	return dialect.Wire{Path: invoke(t.Model), Body: append(body, '}'), Dropped: o.dropped}, nil
}

// floats are Cohere's vectors: by their type if types were asked for, else bare.
type floats []vector

func (f *floats) UnmarshalJSON(raw []byte) error {
	byType := [...]jsonedit.Field{{Name: "float"}}
	if raw[0] == '{' && jsonedit.Find(raw, byType[:]) {
		raw = byType[0].Raw
	}
	for element := range jsonedit.Elements(raw) { // what is no list has no vectors
		var v vector
		if err := v.UnmarshalJSON(element); err != nil {
			return err
		}
		*f = append(*f, v)
	}
	return nil
}

// DecodeEmbedding reads the answer.
func (Cohere) DecodeEmbedding(body []byte) (*dialect.Vectors, error) {
	var a struct {
		Embeddings floats `json:"embeddings"`
	}
	if err := read(body, &a); err != nil {
		return nil, err
	}
	return made(a.Embeddings, gateway.Usage{})
}

// DecodeError reads Bedrock's error answer.
func (Cohere) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return bedrockError(status, h, body)
}
