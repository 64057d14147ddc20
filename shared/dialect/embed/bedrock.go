package embed

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// invoke is the path of Bedrock's InvokeModel. A model may be an ARN, with slashes; Amazon's own clients escape the colon too.
func invoke(model string) string {
	return "/model/" + strings.ReplaceAll(url.PathEscape(model), ":", "%3A") + "/invoke"
}

// HeaderUsage is the usage that Bedrock tells in an answer's header, whatever the model; its Source is empty if it tells none. Cohere's
// models tell it nowhere else.
func HeaderUsage(h http.Header) gateway.Usage {
	n, err := strconv.ParseInt(h.Get("X-Amzn-Bedrock-Input-Token-Count"), 10, 64)
	if err != nil {
		return gateway.Usage{}
	}
	u, _ := dialect.CheckUsage(gateway.Usage{InputTokens: n})
	return u
}

// exceptions maps Bedrock's errors to statuses (InvokeModel in the API reference, read 2026-11). Two differ from the status that they
// come under: a quota is 400 there, and a model's own failure 424.
var exceptions = map[string]int{
	"ValidationException":           http.StatusBadRequest,
	"UnrecognizedClientException":   http.StatusForbidden,
	"AccessDeniedException":         http.StatusForbidden,
	"ExpiredTokenException":         http.StatusForbidden,
	"ResourceNotFoundException":     http.StatusNotFound,
	"ModelTimeoutException":         http.StatusRequestTimeout,
	"ServiceQuotaExceededException": http.StatusTooManyRequests,
	"ThrottlingException":           http.StatusTooManyRequests,
	"ModelNotReadyException":        http.StatusTooManyRequests,
	"InternalServerException":       http.StatusInternalServerError,
	"ModelErrorException":           http.StatusBadGateway,
	"ServiceUnavailableException":   http.StatusServiceUnavailable,
}

// bedrockError reads Bedrock's error answer: the type in a header, the message in the body.
func bedrockError(status int, h http.Header, body []byte) *gateway.Error {
	var b struct {
		Message string `json:"message"`
		Type    string `json:"__type"`
	}
	_ = json.Unmarshal(body, &b) // what is no JSON tells nothing
	name := h.Get("X-Amzn-Errortype")
	if name == "" {
		name = b.Type
	}
	name, _, _ = strings.Cut(name, ":") // ValidationException:http://internal.amazon.com/...
	name = name[strings.LastIndexByte(name, '#')+1:]
	if known, ok := exceptions[name]; ok {
		status = known
	}
	return tooLong(dialect.VendorError(status, h, b.Message), b.Message)
}

// longWords are what vendors say of an input that is longer than the model takes: Titan, Cohere, Bedrock in front of both, Google.
var longWords = []string{
	"too many input tokens", "too many tokens", "tokens in the input", "expected maxlength", "input is too long", "input token count",
	"maximum number of tokens",
}

// tooLong tells callers in OpenAI's words of an input that is too long.
func tooLong(e *gateway.Error, message string) *gateway.Error {
	if e.Kind != gateway.KindInvalid {
		return e
	}
	message = strings.ToLower(message)
	for _, words := range longWords {
		if strings.Contains(message, words) {
			e.Code, e.Param = dialect.CodeContextLength, "input"
			return e
		}
	}
	return e
}
