package openai

import (
	"net/http"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// AzureTarget finds the operation of an Azure path: /openai/deployments/NAME/OPERATION, where the name is the model and an
// api-version must be given, or /openai/v1/OPERATION (Azure OpenAI REST reference, read 2026-11).
func AzureTarget(r *http.Request, deployment, path string) *wire.Target {
	t := Format(path, true)
	if t == nil {
		return nil
	}
	t.Model = deployment
	if deployment != "" && r.URL.Query().Get("api-version") == "" {
		t.Format = unversioned{t.Format}
	}
	return t
}

// unversioned refuses what lacks its api-version.
type unversioned struct{ wire.Format }

func (unversioned) Parse(*wire.Request) (*wire.Call, *wire.Refusal) {
	return nil, &wire.Refusal{Status: http.StatusNotFound, Code: "404", Message: "Resource not found"}
}

// azureMessages are what Azure's front says by status.
var azureMessages = map[int]struct{ code, message string }{
	401: {"401", "Access denied due to invalid subscription key or wrong API endpoint."},
	404: {"DeploymentNotFound", "The API deployment for this resource does not exist."},
	429: {"429", "Requests to the ChatCompletions_Create Operation have exceeded call rate limit of your current pricing tier."},
	500: {"InternalServerError", "Internal server error"},
	503: {"ServiceUnavailable", "The service is temporarily unable to process your request."},
}

// azureError is an error in Azure's own words, or nil where it passes on OpenAI's.
func azureError(no *wire.Refusal) any {
	if no.Code == wire.CodeBlocked {
		return map[string]any{"error": map[string]any{
			"message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. " +
				"Please modify your prompt and retry.",
			"type": nil, "param": "prompt", "code": "content_filter", "status": 400,
			"innererror": map[string]any{"code": "ResponsibleAIPolicyViolation", "content_filter_result": verdicts("violence", true)},
		}}
	}
	known, ok := azureMessages[no.Status]
	if !ok {
		return nil
	}
	return map[string]any{"error": map[string]any{
		"code": wire.First(no.Code, known.code, strconv.Itoa(no.Status)), "message": wire.First(no.Message, known.message),
	}}
}

// verdicts is what Azure's filter finds in a text; only on prompts it looks for jailbreaks.
func verdicts(filtered string, prompt bool) map[string]any {
	found := map[string]any{}
	for _, category := range []string{"hate", "self_harm", "sexual", "violence"} {
		found[category] = map[string]any{"filtered": false, "severity": "safe"}
	}
	if filtered != "" {
		found[filtered] = map[string]any{"filtered": true, "severity": "high"}
	}
	if prompt {
		found["jailbreak"] = map[string]any{"filtered": false, "detected": false}
	}
	return found
}

func promptVerdicts() any {
	return []any{map[string]any{"prompt_index": 0, "content_filter_results": verdicts("", true)}}
}
