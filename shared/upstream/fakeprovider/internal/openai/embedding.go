package openai

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// embedding is POST embeddings.
type embedding struct{ Vendor }

var embeddingFields = wire.Fields{
	"model": wire.String, "input!": anyText, "dimensions": wire.Integer(1, 3072), "encoding_format": wire.Enum("float", "base64"),
	"user": wire.String,
}

// Parse implements wire.Format.
func (embedding) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if r.Model == "" {
		return nil, wire.Invalid("model", "you must provide a model parameter")
	}
	if no := Complain(wire.Open(embeddingFields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	c := wire.NewCall("embeddings", r)
	c.Inputs = inputs(r.Fields["input"])
	price(&c.Prompt, c.Inputs)
	said, _ := c.Inputs[0].(string)
	c.Prompt.Repeat(said)
	c.Dimensions = wire.Count(r.Fields, "dimensions", c.Dimensions)
	c.Base64 = r.Fields["encoding_format"] == "base64"
	return c, nil
}

type vector struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // []float32, or base64 of them in little endian
}

// Whole implements wire.Format.
func (embedding) Whole(r *wire.Reply) any {
	list := []vector{}
	for i, v := range r.Call.Vectors() {
		if r.Call.Base64 {
			list = append(list, vector{"embedding", i, wire.Encoded(v)})
			continue
		}
		list = append(list, vector{"embedding", i, v})
	}
	return struct {
		Object string          `json:"object"`
		Model  string          `json:"model"`
		Data   []vector        `json:"data"`
		Usage  json.RawMessage `json:"usage,omitempty"`
		Extra  json.RawMessage `json:"x_unknown,omitempty"`
	}{"list", r.Call.Model, list, r.Usage(), r.Extra}
}

// Stream implements wire.Format: there is none.
func (embedding) Stream(*wire.Reply) wire.Stream { return nil }

// Usage implements wire.Format.
func (embedding) Usage(_ *wire.Call, t wire.Tokens) any {
	return map[string]int64{"prompt_tokens": t.Prompt, "total_tokens": t.Prompt}
}
