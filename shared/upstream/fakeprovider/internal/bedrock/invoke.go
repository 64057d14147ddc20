package bedrock

import (
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// invoke is InvokeModel with the bodies of models that embed: Amazon's Titan, which takes one text, and Cohere's, which take a list
// (guide "Inference request parameters", read 2026-11).
type invoke struct{ errors }

var titan = wire.Fields{
	"inputText!": wire.Filled, "dimensions": titanDimensions, "normalize": wire.Bool,
	"embeddingTypes": wire.List(1, wire.Enum("float", "binary")),
}

func titanDimensions(at wire.Path, v any) *wire.Fault {
	for _, n := range []int64{256, 512, 1024} {
		if wire.Integer(n, n)(at, v) == nil {
			return nil
		}
	}
	return &wire.Fault{At: at, Want: "256, 512 or 1024"}
}

const maxTexts = 96 // of one request to Cohere's models

var cohere = wire.Fields{
	"texts!": texts, "input_type!": wire.Enum("search_document", "search_query", "classification", "clustering"),
	"truncate": wire.Enum("NONE", "START", "END", "LEFT", "RIGHT"), "output_dimension": wire.Integer(1, 1536),
	"embedding_types": wire.List(1, wire.Enum("float", "int8", "uint8", "binary", "ubinary")), "max_tokens": wire.Integer(1, 128000),
}

func texts(at wire.Path, v any) *wire.Fault {
	if list, ok := v.([]any); ok && len(list) > maxTexts {
		return &wire.Fault{At: at, Want: "a list of at most 96 texts"}
	}
	return wire.List(1, wire.Filled)(at, v)
}

// Parse implements wire.Format.
func (invoke) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	rules, list := titan, "inputText"
	if r.Fields["texts"] != nil {
		rules, list = cohere, "texts"
	}
	if no := complain(wire.Closed(rules)(nil, r.Fields)); no != nil {
		return nil, no
	}
	c := wire.NewCall("embeddings", r)
	for _, text := range wire.Strings(r.Fields, list) {
		c.Inputs = append(c.Inputs, text)
		c.Prompt.Price(text)
		c.Prompt.Repeat(text)
	}
	c.Dimensions = wire.Count(r.Fields, "dimensions", wire.Count(r.Fields, "output_dimension", c.Dimensions))
	c.Memo = list
	return c, nil
}

// Headers implements wire.Header: where InvokeModel reports usage.
func (invoke) Headers(r *wire.Reply, h http.Header) {
	if r.Usage() != nil {
		h.Set("X-Amzn-Bedrock-Input-Token-Count", strconv.FormatInt(r.Call.Prompt.Tokens(), 10))
	}
}

// Whole implements wire.Format.
func (invoke) Whole(r *wire.Reply) any {
	vectors := r.Call.Vectors()
	if r.Call.Memo == "texts" {
		return object{"id": "emb-" + r.ID, "response_type": "embeddings_floats", "embeddings": vectors, "texts": r.Call.Inputs}
	}
	a := object{"embedding": vectors[0], "embeddingsByType": object{"float": vectors[0]}}
	if r.Usage() != nil {
		a["inputTextTokenCount"] = r.Call.Prompt.Tokens()
	}
	return a
}

// Stream implements wire.Format: there is none.
func (invoke) Stream(*wire.Reply) wire.Stream { return nil }

// Usage implements wire.Format.
func (invoke) Usage(_ *wire.Call, t wire.Tokens) any { return object{"inputTextTokenCount": t.Prompt} }
