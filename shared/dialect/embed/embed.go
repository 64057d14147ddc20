// Package embed translates embeddings: the request and answer of OpenAI's POST /v1/embeddings for callers, and the formats of vendors
// that have their own. Where the vendor speaks OpenAI's format too, nothing is translated: see package chat.
//
//	e, unknown, err := embed.Decode(body)
//	e, err = embed.Detokenize(e)
//	for _, part := range embed.Parts(d, e, target.Model) {
//		wire, err := d.EncodeEmbedding(&part, target)
//		...
//		v, err := d.DecodeEmbedding(answer)
//		err = embed.Check(&part, v)
//		if v.Usage.Source == "" {
//			v.Usage = embed.HeaderUsage(header)
//		}
//	}
//	answer := embed.Encode(model, embed.Join(vectors), e.Base64)
package embed

import (
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Dialect is an embeddings format of an upstream, and how much one request of it takes.
type Dialect interface {
	dialect.Embedder
	// MaxInputs is how many inputs one request to the model may have, at least 1.
	MaxInputs(model string) int
	// MaxBytes is how much text one request to the model should have at most, if it has more than one input; 0: any.
	MaxBytes(model string) int
}

// Dialects are all formats that embeddings are translated to.
var Dialects = map[gateway.Op]Dialect{
	gateway.OpTitanEmbed:    Titan{},
	gateway.OpCohereEmbed:   Cohere{},
	gateway.OpGeminiEmbed:   Gemini{},
	gateway.OpVertexPredict: Vertex{},
}

// Purposes: what vectors are for, in Cohere's words.
const (
	SearchDocument = "search_document"
	SearchQuery    = "search_query"
	Classification = "classification"
	Clustering     = "clustering"
)

// ability is what besides texts a model's format can carry.
type ability uint8

const (
	dimensions ability = 1 << iota
	purpose
)

// outgoing is what an encoder writes.
type outgoing struct {
	texts      []string
	dimensions int64
	purpose    string
	dropped    []string
}

// fit makes of e what a target can carry. Dimensions and input_type change the vectors: a target without them gets them left out only if
// that is allowed. User changes nothing, and no format here has it.
func fit(e *dialect.Embedding, t dialect.Target, can ability, most int) (o outgoing, err error) {
	text, err := Detokenize(e)
	if err != nil {
		return o, err
	}
	if n := len(text.Inputs); n == 0 || n > most {
		return o, gateway.Invalid("input", "input must have 1 to %d elements in one request to this model's provider.", most)
	}
	o = outgoing{texts: text.Inputs, dimensions: e.Dimensions, purpose: e.Purpose}
	if o.dimensions != 0 && can&dimensions == 0 {
		o.dimensions, o.dropped = 0, append(o.dropped, "dimensions")
	}
	if o.purpose != "" && can&purpose == 0 {
		o.purpose, o.dropped = "", append(o.dropped, "input_type")
	}
	if err := Unknown(o.dropped, t.Drop); err != nil {
		return o, err
	}
	if e.User != "" {
		o.dropped = append(o.dropped, "user")
	}
	return o, nil
}

// Unknown refuses the first of the fields that must not be left out. It is for fields of the caller's that no vendor's format has a
// place for.
func Unknown(fields []string, drop func(field string) bool) error {
	for _, name := range fields {
		if drop == nil || !drop(name) {
			const text = "%s cannot be carried to this model's provider. Leave it out, or set drop_params to have such fields left out."
			e := gateway.Invalid(name, text, name)
			e.Code = "unsupported_parameter"
			return e
		}
	}
	return nil
}
