package fakeprovider

import (
	"net/url"
	"slices"
	"strings"
)

// Wire is one way to generate that the fake speaks, for tests that go through all of them.
type Wire struct {
	Name   string // as in Line.Wire
	Base   string // what a client's base URL has after the provider's
	Header string // of the credential
	Value  string // of that header; requests to Bedrock may be signed with FakeAccessKey and FakeSecretKey instead

	whole, streamed string // paths after Base; MODEL stands for the model
}

// googlePlace is where Google's cloud serves, here.
const googlePlace = "/v1/projects/fake-project/locations/us-central1"

var catalogue = []Wire{
	{"openai", "/v1", "Authorization", "Bearer " + DefaultKey, "/chat/completions", "/chat/completions"},
	{"responses", "/v1", "Authorization", "Bearer " + DefaultKey, "/responses", "/responses"},
	{
		"azure", "/openai", "Api-Key", DefaultKey, "/deployments/MODEL/chat/completions?api-version=2024-10-21",
		"/deployments/MODEL/chat/completions?api-version=2024-10-21",
	},
	{"azure-responses", "/openai/v1", "Api-Key", DefaultKey, "/responses", "/responses"},
	{"anthropic", "/v1", "X-Api-Key", DefaultKey, "/messages", "/messages"},
	{
		"vertex-anthropic", googlePlace, "Authorization", "Bearer " + FakeToken, "/publishers/anthropic/models/MODEL:rawPredict",
		"/publishers/anthropic/models/MODEL:streamRawPredict",
	},
	{"gemini", "/v1beta", "X-Goog-Api-Key", DefaultKey, "/models/MODEL:generateContent", "/models/MODEL:streamGenerateContent?alt=sse"},
	{
		"vertex", googlePlace, "Authorization", "Bearer " + FakeToken, "/publishers/google/models/MODEL:generateContent",
		"/publishers/google/models/MODEL:streamGenerateContent?alt=sse",
	},
	{"bedrock", "", "Authorization", "Bearer " + DefaultKey, "/model/MODEL/converse", "/model/MODEL/converse-stream"},
}

// Wires lists them all.
func Wires() []Wire { return slices.Clone(catalogue) }

// Path is where a generation by the model is asked for, from the provider's root, with the query that must be there.
func (w Wire) Path(model string, stream bool) string {
	path := w.whole
	if stream {
		path = w.streamed
	}
	return w.Base + strings.ReplaceAll(path, "MODEL", url.PathEscape(model))
}
