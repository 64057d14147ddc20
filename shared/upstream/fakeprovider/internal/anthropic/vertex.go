package anthropic

import (
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/google"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// vertexVersion must be in the body on Vertex AI ("Claude on Vertex AI", read 2026-11).
const vertexVersion = "vertex-2023-10-16"

// VertexTarget finds the operation of MODEL:METHOD under publishers/anthropic/models, or nil.
func VertexTarget(name string) *wire.Target {
	model, method, _ := strings.Cut(name, ":")
	switch {
	case model == "count-tokens" && method == "rawPredict":
		return &wire.Target{Op: "count_tokens", Format: vertex{Format: count{}, counts: true}, Free: true}
	case method == "rawPredict":
		return &wire.Target{Op: "messages", Format: vertex{Format: Messages{}}, Model: model}
	case method == "streamRawPredict":
		return &wire.Target{Op: "messages", Format: vertex{Format: Messages{}}, Model: model, Stream: true}
	}
	return nil
}

// vertex is a format as Vertex AI serves it: version in the body, model in the path.
type vertex struct {
	wire.Format
	counts bool // the model is in the body all the same
}

// Parse implements wire.Format.
func (v vertex) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	switch {
	case r.Fields["anthropic_version"] == nil:
		return nil, invalid("anthropic_version: Field required")
	case r.Fields["anthropic_version"] != vertexVersion:
		return nil, invalid("anthropic_version: Input should be '" + vertexVersion + "'")
	case r.Fields["model"] != nil && !v.counts:
		return nil, invalid("model: Extra inputs are not permitted")
	case wire.Flag(r.Fields, "stream") != r.Stream:
		return nil, invalid("stream: does not fit the method that was called")
	}
	delete(r.Fields, "anthropic_version")
	r.Fields["model"] = r.Model
	r.Header = http.Header{"Anthropic-Version": {"2023-06-01"}}
	betas, _ := r.Fields["anthropic_beta"].([]any)
	for _, beta := range betas {
		name, _ := beta.(string)
		r.Header.Add("Anthropic-Beta", name)
	}
	delete(r.Fields, "anthropic_beta")
	return v.Format.Parse(r)
}

// Refuse implements wire.Format: what the front of Vertex AI refuses, it refuses in Google's words.
func (v vertex) Refuse(no *wire.Refusal, h http.Header) []byte {
	if no.Status == http.StatusBadRequest || no.Status == 529 {
		return v.Format.Refuse(no, h)
	}
	return google.Refuse(no, h)
}
