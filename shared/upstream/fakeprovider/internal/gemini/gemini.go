// Package gemini is the wire of Google's Gemini API (API reference v1beta, read 2026-11), also as Vertex AI serves it.
package gemini

import (
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/google"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// maker signs thoughts.
const maker = "gemini"

// Target finds the operation of MODEL:METHOD under models, or nil.
func Target(r *http.Request, name string, vertex bool) *wire.Target {
	at := strings.LastIndexByte(name, ':')
	if at < 0 {
		return nil
	}
	f := Generate{vertex}
	t := &wire.Target{Op: "generate", Format: f, Model: name[:at]}
	switch name[at+1:] {
	case "generateContent":
	case "streamGenerateContent":
		t.Stream = true
		if r.URL.Query().Get("alt") != "sse" {
			t.Format = inArray{f}
		}
	case "countTokens":
		t.Op, t.Format, t.Free = "count_tokens", count{f}, true
	case "batchEmbedContents":
		t.Op, t.Format = "embeddings", embedding{f}
	case "predict":
		t.Op, t.Format = "embeddings", prediction{f}
	default:
		return nil
	}
	if _, predicts := t.Format.(prediction); predicts != vertex && t.Op == "embeddings" {
		return nil
	}
	return t
}

// inArray refuses streams in the form of one JSON array, which nobody here needs.
type inArray struct{ Generate }

func (inArray) Parse(*wire.Request) (*wire.Call, *wire.Refusal) {
	return nil, wire.Invalid("", "This fake streams only with alt=sse.")
}

// Refuse implements wire.Format. The Gemini API calls a wrong key a bad argument.
func (f Generate) Refuse(no *wire.Refusal, h http.Header) []byte {
	if no.Key && !f.Vertex {
		no.Status, no.Message = http.StatusBadRequest, "API key not valid. Please pass a valid API key."
		no.Detail = map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
		}
	}
	return google.Refuse(no, h)
}

func invalid(message string) *wire.Refusal { return wire.Invalid("", "%s", message) }

// complain says what is wrong with a request.
func complain(f *wire.Fault) *wire.Refusal {
	if f == nil {
		return nil
	}
	at := f.At.Brackets()
	switch {
	case f.Missing:
		return invalid("* GenerateContentRequest." + at + ": required field is missing")
	case f.Unknown:
		parent, name := f.At[:len(f.At)-1].Brackets(), f.At[len(f.At)-1].(string)
		if parent != "" {
			parent = " at '" + parent + "'"
		}
		return invalid(`Invalid JSON payload received. Unknown name "` + name + `"` + parent + ": Cannot find field.")
	}
	return invalid("Invalid value at '" + at + "': expected " + f.Want)
}
