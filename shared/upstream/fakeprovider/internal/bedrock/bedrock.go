// Package bedrock is the wire of Amazon Bedrock's Converse, and of the models that InvokeModel embeds with (Bedrock Runtime API
// reference, read 2026-11).
package bedrock

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// maker signs thoughts: they are those of Anthropic's models.
const maker = "claude"

// Target finds the operation of a path /model/ID/OPERATION, or nil. The id may have escaped slashes.
func Target(escapedPath string) *wire.Target {
	rest, ok := strings.CutPrefix(escapedPath, "/model/")
	id, operation, found := strings.Cut(rest, "/")
	model, err := url.PathUnescape(id)
	if !ok || !found || err != nil {
		return nil
	}
	switch operation {
	case "converse":
		return &wire.Target{Op: "converse", Format: converse{}, Model: model}
	case "converse-stream":
		return &wire.Target{Op: "converse", Format: converse{}, Model: model, Stream: true}
	case "count-tokens":
		return &wire.Target{Op: "count_tokens", Format: count{}, Model: model, Free: true}
	case "invoke":
		return &wire.Target{Op: "embeddings", Format: invoke{}, Model: model}
	}
	return nil
}

// kinds are the exceptions by status.
var kinds = map[int]struct{ kind, message string }{
	400: {"ValidationException", "The input fails to satisfy the constraints specified by Amazon Bedrock."},
	403: {"AccessDeniedException", "You don't have access to the model with the specified model ID."},
	404: {"ResourceNotFoundException", "The specified resource ARN was not found."},
	408: {"ModelTimeoutException", "The request took too long to process. Processing time exceeded the model timeout length."},
	424: {"ModelErrorException", "The request failed due to an error while processing the model."},
	429: {"ThrottlingException", "Too many requests, please wait before trying again."},
	500: {"InternalServerException", "An internal server error occurred."},
	503: {"ServiceUnavailableException", "Bedrock is unable to process your request."},
}

// errors says what AWS does not like.
type errors struct{}

// Refuse implements wire.Format: the exception's name is in a header.
func (errors) Refuse(no *wire.Refusal, h http.Header) []byte {
	if no.Key {
		no.Status, no.Message = http.StatusForbidden, "Authentication failed: Please make sure your API Key is valid."
	}
	known := kinds[no.Status]
	byClass := "ValidationException"
	if no.Status >= 500 || no.Status < 400 {
		byClass = "InternalServerException"
	}
	kind := wire.First(no.Code, known.kind, byClass)
	h.Set("X-Amzn-Errortype", kind+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	h.Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	return wire.JSON(map[string]string{"message": wire.First(no.Message, known.message, "An error occurred.")})
}

func invalid(message string) *wire.Refusal { return wire.Invalid("", "%s", message) }

// model says what Anthropic's API would, which Bedrock passes on.
func model(message string) *wire.Refusal {
	return invalid("The model returned the following errors: " + message)
}

// complain says what is wrong with a request. AWS ignores fields that it does not know; the fake does not, since what is ignored
// is lost.
func complain(f *wire.Fault) *wire.Refusal {
	if f == nil {
		return nil
	}
	at := f.At.Dots()
	switch {
	case f.Missing:
		return invalid("1 validation error detected: Value null at '" + at + "' failed to satisfy constraint: Member must not be null")
	case f.Unknown:
		return invalid("1 validation error detected: '" + at + "' is not a known member")
	}
	return invalid("1 validation error detected: Value at '" + at + "' failed to satisfy constraint: Member must be " + f.Want)
}
