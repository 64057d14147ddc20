package chat_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Errors of every vendor's shape, with a status and inside a stream.
func TestErrorShapes(t *testing.T) {
	t.Parallel()
	const filtered = "content_policy_violation"
	for name, c := range map[string]struct {
		status  int
		body    string
		want    int
		code    string
		param   string
		message string
	}{
		"openai":            {400, `{"error":{"message":"bad","type":"invalid_request_error","param":"n","code":"invalid_value"}}`, 400, "invalid_value", "n", "bad"},
		"openai, too long":  {400, `{"error":{"message":"This model's maximum context length is 128000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, 400, "context_length_exceeded", "messages", "This model's maximum context length is 128000 tokens."},
		"openai, filter":    {400, `{"error":{"message":"Your request was rejected","type":"invalid_request_error","param":null,"code":"content_policy_violation"}}`, 400, filtered, "", "Your request was rejected"},
		"openai, quota":     {429, `{"error":{"message":"You exceeded your quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, 429, "insufficient_quota", "", "You exceeded your quota"},
		"azure, filter":     {400, `{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true}}}}}`, 400, filtered, "prompt", "The response was filtered"},
		"azure, inner":      {400, `{"error":{"message":"x","code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, 400, filtered, "", "x"},
		"azure, deployment": {404, `{"error":{"code":"DeploymentNotFound","message":"gone"}}`, 404, "DeploymentNotFound", "", "gone"},
		"azure, 401":        {401, `{"statusCode":401,"message":"Unauthorized"}`, 401, "", "", "Unauthorized"},
		"tgi":               {422, `{"error":"Input validation error: ` + "`inputs` tokens + `max_new_tokens` must be <= 4096" + `","error_type":"validation"}`, 400, "context_length_exceeded", "", "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"},
		"tgi, in stream":    {0, `{"error":"Model is overloaded","error_type":"overloaded"}`, 429, "", "", "Model is overloaded"},
		"vllm, older":       {400, `{"object":"error","message":"bad n","type":"BadRequestError","param":"n","code":400}`, 400, "", "n", "bad n"},
		"vllm, in stream":   {0, `{"error":{"object":"error","message":"oom","type":"InternalServerError","param":null,"code":500}}`, 500, "", "", "oom"},
		"vllm, number":      {0, `{"object":"error","message":"x","code":"404"}`, 404, "", "", "x"},
		"mistral":           {422, `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","foo"],"msg":"Extra inputs are not permitted","input":1}]},"type":"invalid_request_error","param":null,"code":null}`, 422, "", "", "Extra inputs are not permitted"},
		"mistral, code":     {429, `{"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}`, 429, "", "", "Requests rate limit exceeded"},
		"fastapi":           {422, `{"detail":[{"loc":["body"],"msg":"field required","type":"value_error"}]}`, 422, "", "", "field required"},
		"fastapi, text":     {404, `{"detail":"Not Found"}`, 404, "", "", "Not Found"},
		"xai":               {400, `{"code":"Client specified an invalid argument","error":"No such model"}`, 400, "Client specified an invalid argument", "", "No such model"},
		"google":            {400, `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]`, 400, "", "", "bad"},
		"google, in stream": {0, `[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`, 503, "", "", "busy"},
		"openrouter":        {0, `{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"x"}},"user_id":"u"}`, 502, "", "", "Provider returned error"},
		"cohere":            {400, `{"id":"1","message":"too many tokens"}`, 400, "", "", "too many tokens"},
		"groq, too long":    {413, `{"error":{"message":"Request too large for model with 6000","type":"tokens","code":"rate_limit_exceeded"}}`, 400, "context_length_exceeded", "", "Request too large for model with 6000"},
		"anthropic":         {0, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, 529, "", "", "Overloaded"},
		"type only":         {0, `{"error":{"type":"server_error"}}`, 500, "", "", "The provider failed."},
		"unknown type":      {0, `{"error":{"type":"odd","message":"x"}}`, 502, "", "", "x"},
		"filter, in stream": {0, `{"error":{"code":"content_filter","message":"x"}}`, 400, filtered, "", "x"},
		"long words":        {400, `{"error":{"message":"x","param":"` + strings.Repeat("p", 70) + `","code":"` + strings.Repeat("c", 70) + `"}}`, 400, "", "", "x"},
		"wrong types":       {400, `{"error":{"message":5,"param":{},"code":[],"type":true}}`, 400, "", "", "The provider refused the request."},
		"deep":              {400, strings.Repeat(`{"message":`, 50) + `"x"` + strings.Repeat(`}`, 50), 400, "", "", "The provider refused the request."},
		"list of lists":     {400, `[[[[[[["x"]]]]]]]`, 400, "", "", "The provider refused the request."},
		"empty list":        {400, `[]`, 400, "", "", "The provider refused the request."},
		"null":              {500, `null`, 500, "", "", "The provider failed."},
		"500 that filters":  {500, `{"error":{"message":"context window","code":"content_filter"}}`, 500, "content_filter", "", "context window"},
	} {
		e := chat.DecodeError(c.status, nil, []byte(c.body))
		if e.Status() != c.want || e.Code != c.code || e.Param != c.param || e.Message != c.message {
			t.Errorf("%s: %d %q %q %q", name, e.Status(), e.Code, e.Param, e.Message)
		}
		if (c.code == filtered || c.code == "context_length_exceeded") && (e.Kind != gateway.KindInvalid || e.Type() != "invalid_request_error") {
			t.Errorf("%s: kind %d, type %s", name, e.Kind, e.Type())
		}
	}
}

func TestDecodeError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		header  http.Header
		body    string
		want    int
		typ     string
		message string
		wait    time.Duration
	}{
		"openai":       {400, nil, `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":null}}`, 400, "invalid_request_error", "bad n", 0},
		"401":          {401, nil, `{"error":{"message":"wrong key"}}`, 401, "authentication_error", "wrong key", 0},
		"429":          {429, http.Header{"Retry-After": {"7"}}, `{"error":{"message":"slow down"}}`, 429, "throttling_error", "slow down", 7 * time.Second},
		"429 absurd":   {429, http.Header{"Retry-After": {"1e300"}}, `{}`, 429, "throttling_error", "The provider's rate limit is reached.", 10 * time.Minute},
		"429 rubbish":  {429, http.Header{"Retry-After": {"soon"}}, `{}`, 429, "throttling_error", "The provider's rate limit is reached.", 0},
		"500 html":     {500, nil, `<html>trace</html>`, 500, "internal_server_error", "The provider failed.", 0},
		"529":          {529, nil, ``, 529, "internal_server_error", "The provider failed.", 0},
		"bare string":  {422, nil, `{"error":"nope"}`, 422, "invalid_request_error", "nope", 0},
		"message":      {404, nil, `{"message":"gone"}`, 404, "invalid_request_error", "gone", 0},
		"redirect":     {302, nil, ``, 502, "server_error", "The provider failed.", 0},
		"long message": {400, nil, `{"error":{"message":"` + strings.Repeat("x", 5000) + `"}}`, 400, "invalid_request_error", strings.Repeat("x", 1000) + "...", 0},
	} {
		e := chat.DecodeError(c.status, c.header, []byte(c.body))
		if e.Status() != c.want || e.Type() != c.typ || e.Message != c.message || e.RetryAfter != c.wait {
			t.Errorf("%s: %d %s %.60q %v", name, e.Status(), e.Type(), e.Message, e.RetryAfter)
		}
	}
}

func TestEncodeErrorHasAllFourKeys(t *testing.T) {
	t.Parallel()
	got := string(chat.EncodeError(gateway.Invalid("n", `say "1"`)))
	if want := `{"error":{"message":"say \"1\"","type":"invalid_request_error","param":"n","code":"400"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = string(chat.EncodeError(gateway.Errorf(gateway.KindUpstream, "x")))
	if want := `{"error":{"message":"x","type":"server_error","param":null,"code":"502"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
