package fakeprovider

import (
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/anthropic"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/bedrock"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/gemini"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/responses"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// vendor is a wire with its routes and its credential.
type vendor struct {
	name        string
	match       func(*http.Request) *wire.Target // nil if the route is not the vendor's
	credentials []credential
	own         []string // of forbiddenHeaders, those that this vendor takes
	signed      bool     // may be signed by SigV4
	service     string   // that signatures are for
	headers     map[string]string
	idHeader    string
}

var (
	openAIHeaders = map[string]string{
		"Openai-Version": "2020-10-01", "X-Ratelimit-Limit-Requests": "10000", "X-Ratelimit-Remaining-Requests": "9999",
	}
	azureHeaders = map[string]string{
		"X-Ms-Region": "East US", "X-Ratelimit-Limit-Requests": "10000", "X-Ratelimit-Remaining-Requests": "9999",
	}
	anthropicHeaders = map[string]string{
		"Anthropic-Organization-Id": "org-fake", "Anthropic-Ratelimit-Requests-Limit": "4000", "Anthropic-Ratelimit-Requests-Remaining": "3999",
	}
	googleHeaders = map[string]string{"Server-Timing": "gfet4t7; dur=1", "Vary": "Origin"}
)

// vendorsOf is the table of wires; Wires is its catalogue.
func vendorsOf(key string) []vendor {
	store := responses.NewStore()
	azure := []credential{{"Api-Key", key}, bearer(FakeToken)}
	google := []credential{bearer(FakeToken)}
	return []vendor{
		{
			name: "openai", match: post(unversioned(func(path string) *wire.Target { return openai.Format(path, false) })),
			credentials: []credential{bearer(key)}, own: []string{"Authorization", "Openai-"}, headers: openAIHeaders, idHeader: "X-Request-Id",
		},
		{
			name: "responses", match: func(r *http.Request) *wire.Target { return store.Target(r.Method, unversion(r.URL.Path), false) },
			credentials: []credential{bearer(key)}, own: []string{"Authorization", "Openai-"}, headers: openAIHeaders, idHeader: "X-Request-Id",
		},
		{
			name: "azure", match: post(matchAzure), credentials: azure, own: []string{"Authorization", "Api-Key"},
			headers: azureHeaders, idHeader: "Apim-Request-Id",
		},
		{
			name: "azure-responses", match: func(r *http.Request) *wire.Target {
				path, ok := strings.CutPrefix(r.URL.Path, "/openai/v1")
				if !ok {
					return nil
				}
				return store.Target(r.Method, path, true)
			},
			credentials: azure, own: []string{"Authorization", "Api-Key"}, headers: azureHeaders, idHeader: "Apim-Request-Id",
		},
		{
			name: "anthropic", match: post(unversioned(anthropic.Target)), credentials: []credential{{"X-Api-Key", key}},
			own: []string{"X-Api-Key", "Anthropic-"}, headers: anthropicHeaders, idHeader: "Request-Id",
		},
		{
			name: "vertex-anthropic", match: post(matchVertex("anthropic", func(_ *http.Request, name string) *wire.Target {
				return anthropic.VertexTarget(name)
			})),
			credentials: google, own: []string{"Authorization", "X-Goog-User-Project", "X-Goog-Api-Client", "Anthropic-"},
			headers: googleHeaders, idHeader: "Request-Id",
		},
		{
			name: "gemini", match: post(matchGemini), credentials: []credential{{"X-Goog-Api-Key", key}},
			own: []string{"X-Goog-Api-Key", "X-Goog-Api-Client"}, headers: googleHeaders, idHeader: "X-Request-Id",
		},
		{
			name: "vertex", match: post(matchVertex("google", func(r *http.Request, name string) *wire.Target {
				return gemini.Target(r, name, true)
			})),
			credentials: google, own: []string{"Authorization", "X-Goog-User-Project", "X-Goog-Api-Client"},
			headers: googleHeaders, idHeader: "X-Request-Id",
		},
		{
			name: "bedrock", match: post(func(r *http.Request) *wire.Target { return bedrock.Target(r.URL.EscapedPath()) }),
			credentials: []credential{bearer(key)}, own: []string{"Authorization", "X-Amz-", "X-Amzn-"}, signed: true, service: "bedrock",
			idHeader: "X-Amzn-Requestid",
		},
	}
}

func post(match func(*http.Request) *wire.Target) func(*http.Request) *wire.Target {
	return func(r *http.Request) *wire.Target {
		if r.Method != http.MethodPost {
			return nil
		}
		return match(r)
	}
}

// unversion takes /v1 off a path: OpenAI's and Anthropic's routes answer with and without it.
func unversion(path string) string { return strings.TrimPrefix(path, "/v1") }

func unversioned(match func(string) *wire.Target) func(*http.Request) *wire.Target {
	return func(r *http.Request) *wire.Target { return match(unversion(r.URL.Path)) }
}

func matchAzure(r *http.Request) *wire.Target {
	if path, ok := strings.CutPrefix(r.URL.Path, "/openai/v1"); ok {
		return openai.AzureTarget(r, "", path)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/openai/deployments/")
	deployment, path, found := strings.Cut(rest, "/")
	if !ok || !found {
		return nil
	}
	return openai.AzureTarget(r, deployment, "/"+path)
}

func matchGemini(r *http.Request) *wire.Target {
	name, ok := strings.CutPrefix(r.URL.Path, "/v1beta/models/")
	if !ok {
		return nil
	}
	return gemini.Target(r, name, false)
}

// matchVertex finds /v1/projects/P/locations/L/publishers/PUBLISHER/models/NAME.
func matchVertex(publisher string, find func(*http.Request, string) *wire.Target) func(*http.Request) *wire.Target {
	return func(r *http.Request) *wire.Target {
		place, name, found := strings.Cut(r.URL.Path, "/publishers/"+publisher+"/models/")
		steps := strings.Split(place, "/")
		if !found || len(steps) != 6 || (steps[1] != "v1" && steps[1] != "v1beta1") || steps[2] != "projects" || steps[4] != "locations" {
			return nil
		}
		return find(r, name)
	}
}
