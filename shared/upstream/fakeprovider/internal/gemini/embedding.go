package gemini

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// embedding is batchEmbedContents of the Gemini API.
type embedding struct{ Generate }

var (
	taskType = wire.Enum("TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
		"CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")
	dimensions = wire.Integer(1, 3072)

	batchFields = wire.Fields{"requests!": wire.List(1, wire.Closed(wire.Fields{
		"model!": wire.Match(`^models/.+`), "content!": wire.Closed(wire.Fields{"role": wire.String, "parts!": wire.List(1, part)}),
		"taskType": taskType, "title": wire.String, "outputDimensionality": dimensions,
	}))}
)

// Parse implements wire.Format.
func (embedding) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	r.Fields, _ = camel(r.Fields).(map[string]any)
	if no := complain(wire.Closed(batchFields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	c := wire.NewCall("embeddings", r)
	for _, one := range wire.Items(r.Fields, "requests") {
		if one["model"] != "models/"+r.Model {
			return nil, invalid("* BatchEmbedContentsRequest.requests[].model: must be models/" + r.Model)
		}
		text := ""
		for _, p := range wire.Items(wire.Sub(one, "content"), "parts") {
			text += wire.Text(p, "text")
		}
		add(c, text)
		c.Dimensions = wire.Count(one, "outputDimensionality", c.Dimensions)
	}
	return c, nil
}

func add(c *wire.Call, text string) {
	c.Inputs = append(c.Inputs, text)
	c.Prompt.Price(text)
	c.Prompt.Repeat(text)
}

// Whole implements wire.Format.
func (embedding) Whole(r *wire.Reply) any {
	list := []any{}
	for _, v := range r.Call.Vectors() {
		list = append(list, object{"values": v})
	}
	a := struct {
		Embeddings []any           `json:"embeddings"`
		Usage      json.RawMessage `json:"usageMetadata,omitempty"`
		Extra      json.RawMessage `json:"x_unknown,omitempty"`
	}{list, r.Usage(), r.Extra}
	return a
}

// Stream implements wire.Format: there is none.
func (embedding) Stream(*wire.Reply) wire.Stream { return nil }

// Usage implements wire.Format.
func (embedding) Usage(_ *wire.Call, t wire.Tokens) any { return object{"promptTokenCount": t.Prompt} }

// prediction is predict of Vertex AI, for models that embed.
type prediction struct{ Generate }

var predictFields = wire.Fields{
	"instances!": wire.List(1, wire.Closed(wire.Fields{"content!": wire.Filled, "task_type": taskType, "title": wire.String})),
	"parameters": wire.Closed(wire.Fields{"outputDimensionality": dimensions, "autoTruncate": wire.Bool}),
}

// Parse implements wire.Format.
func (prediction) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if no := complain(wire.Closed(predictFields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	c := wire.NewCall("embeddings", r)
	for _, one := range wire.Items(r.Fields, "instances") {
		add(c, wire.Text(one, "content"))
	}
	c.Dimensions = wire.Count(wire.Sub(r.Fields, "parameters"), "outputDimensionality", c.Dimensions)
	return c, nil
}

// Whole implements wire.Format. There is no report of usage but the tokens of each input.
func (prediction) Whole(r *wire.Reply) any {
	list, characters := []any{}, 0
	report := r.Usage()
	for i, v := range r.Call.Vectors() {
		text, _ := r.Call.Inputs[i].(string)
		characters += len([]rune(text))
		e := object{"values": v}
		if report != nil {
			e["statistics"] = object{"token_count": wire.PromptTokens(text), "truncated": false}
		}
		list = append(list, object{"embeddings": e})
	}
	return object{"predictions": list, "metadata": object{"billableCharacterCount": characters}}
}

// Stream implements wire.Format: there is none.
func (prediction) Stream(*wire.Reply) wire.Stream { return nil }
