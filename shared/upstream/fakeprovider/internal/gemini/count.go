package gemini

import "github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"

// count is countTokens: of contents alone or, outside Vertex AI, of a whole generateContentRequest.
type count struct{ Generate }

// Parse implements wire.Format.
func (f count) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	r.Fields, _ = camel(r.Fields).(map[string]any)
	inner := wire.Sub(r.Fields, "generateContentRequest")
	switch {
	case f.Vertex:
		delete(r.Fields, "model")
	case inner != nil && r.Fields["contents"] != nil:
		return nil, invalid("contents and generate_content_request are mutually exclusive")
	case inner != nil && inner["model"] != "models/"+r.Model:
		return nil, invalid("* CountTokensRequest.generateContentRequest.model: must be models/" + r.Model)
	case inner != nil:
		r.Fields = inner
		delete(r.Fields, "model")
	default:
		for name := range r.Fields {
			if name != "contents" {
				return nil, invalid(`Invalid JSON payload received. Unknown name "` + name + `": Cannot find field.`)
			}
		}
	}
	return f.Generate.Parse(r)
}

// Whole implements wire.Format.
func (count) Whole(r *wire.Reply) any {
	n := r.Call.Prompt.Tokens()
	return object{"totalTokens": n, "promptTokensDetails": details(n, r.Call.Prompt.Audio())}
}

// Stream implements wire.Format: there is none.
func (count) Stream(*wire.Reply) wire.Stream { return nil }
