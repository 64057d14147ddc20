package embed

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// taskTypes are Google's words for purposes (API reference, read 2026-11).
var taskTypes = map[string]string{
	SearchDocument: "RETRIEVAL_DOCUMENT", SearchQuery: "RETRIEVAL_QUERY", Classification: "CLASSIFICATION", Clustering: "CLUSTERING",
}

// prefixes say a purpose in the text itself, which is how Google's guide has it for the second generation of Gemini's embeddings: those
// models take no task type (Gemini API's guide to embeddings, read 2026-11).
var prefixes = map[string]string{
	SearchDocument: "title: none | text: ", SearchQuery: "task: search result | query: ",
	Classification: "task: classification | query: ", Clustering: "task: clustering | query: ",
}

// isPrompted reports whether the model wants its purpose in the text.
func isPrompted(model string) bool { return strings.Contains(model, "gemini-embedding-2") }

// purposeFor tells how a purpose is said to a model: as a task type, or as a prefix of each text.
func purposeFor(model, word string) (taskType, prefix string) {
	if isPrompted(model) {
		return "", prefixes[word]
	}
	return taskTypes[word], ""
}

// bare is a model's name without the collection that it is in.
func bare(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }

// method is the path of a model's method.
func method(model, name string) string { return "/models/" + url.PathEscape(bare(model)) + ":" + name }

// statuses maps Google's canonical codes to HTTP's, for errors that come without (google.rpc.Code, read 2026-11).
var statuses = map[string]int{
	"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
	"NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNKNOWN": 500, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}

// googleBody is an error answer. Details are of several types; these are the fields of two.
type googleBody struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Status  string `json:"status"`
		Details []struct {
			Reason     string `json:"reason"`     // of ErrorInfo
			RetryDelay string `json:"retryDelay"` // of RetryInfo
		} `json:"details"`
	} `json:"error"`
}

// maxWait is the longest wait that is believed.
const maxWait = 10 * time.Minute

// googleError reads Google's error answer, alone or as the one element of a list.
func googleError(status int, h http.Header, body []byte) *gateway.Error {
	var b googleBody
	for first := range jsonedit.Elements(body) {
		body = first
		break
	}
	_ = json.Unmarshal(body, &b) // what is no JSON tells nothing
	if known := statuses[b.Error.Status]; status == 0 && known != 0 {
		status = known
	}
	if code := b.Error.Code; status == 0 && code >= 400 && code < 600 {
		status = code
	}
	wait := time.Duration(0)
	for _, detail := range b.Error.Details {
		if detail.Reason == "API_KEY_INVALID" { // comes as 400, but the caller's request is not at fault
			status = http.StatusUnauthorized
		}
		if d, err := time.ParseDuration(detail.RetryDelay); err == nil {
			wait = max(wait, min(d, maxWait))
		}
	}
	e := dialect.VendorError(status, h, b.Error.Message)
	if e.RetryAfter == 0 {
		e.RetryAfter = wait
	}
	return tooLong(e, b.Error.Message)
}
