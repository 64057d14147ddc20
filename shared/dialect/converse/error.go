package converse

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// statuses are the statuses for Amazon's error types, which come before the answer's own: so that the gateway's credential, a quota
// and a failing model are never the caller's fault (vendor API reference and "Troubleshooting Amazon Bedrock API error codes", read
// 2026-11). 424 is a model that failed.
var statuses = map[string]int{
	"ThrottlingException": 429, "TooManyRequestsException": 429, "ServiceQuotaExceededException": 429, "ModelNotReadyException": 429,
	"ValidationException": 400, "ValidationError": 400, "InternalServerException": 500, "InternalFailure": 500,
	"ServiceUnavailableException": 503, "ServiceUnavailable": 503, "ModelTimeoutException": 408, "RequestTimeoutException": 408,
	"ModelErrorException": 502, "ModelStreamErrorException": 502, "AccessDeniedException": 403, "NotAuthorized": 403, "OptInRequired": 403,
	"FTUFormNotFilled": 403, "ResourceNotFoundException": 404, "UnknownOperationException": 404, "ExpiredTokenException": 401,
	"ExpiredToken": 401, "UnrecognizedClientException": 401, "InvalidClientTokenId": 401, "InvalidSignatureException": 401,
	"SignatureDoesNotMatch": 401, "IncompleteSignature": 401, "IncompleteSignatureException": 401, "MissingAuthenticationToken": 401,
	"MissingAuthenticationTokenException": 401, "RequestExpired": 401, "RequestEntityTooLargeException": 413,
}

// failure is an error of Bedrock's.
type failure struct {
	kind    string // the error's type, without what is around it
	message string
}

// decodeError reads an error answer, or an exception inside a stream, whose type is the header's as well.
func decodeError(status int, h http.Header, body []byte) *gateway.Error {
	f, _ := readFailure(body)
	if kind := h.Get("X-Amzn-Errortype"); kind != "" {
		f.kind = bareType(kind)
	}
	return f.toError(status, h)
}

// readFailure reads an error object.
func readFailure(body []byte) (f failure, found bool) {
	var fields struct {
		Type     string `json:"__type"`
		Code     any    `json:"code"`
		Message  string `json:"message"` // Message too: names compare without case
		Original string `json:"originalMessage"`
	}
	if json.Unmarshal(body, &fields) != nil {
		return f, false
	}
	f = failure{kind: bareType(fields.Type), message: fields.Message}
	if code, ok := fields.Code.(string); ok && f.kind == "" {
		f.kind = bareType(code)
	}
	if f.message == "" {
		f.message = fields.Original
	}
	return f, f.kind != "" || f.message != ""
}

// bareType takes off a namespace before the type and an address behind it, and writes the types of streams as those of answers.
func bareType(kind string) string {
	if i := strings.LastIndexByte(kind, '#'); i >= 0 {
		kind = kind[i+1:]
	}
	kind, _, _ = strings.Cut(kind, ":")
	if kind = strings.TrimSpace(kind); kind == "" || len(kind) > 64 {
		return ""
	}
	return strings.ToUpper(kind[:1]) + kind[1:]
}

func (f failure) toError(status int, h http.Header) *gateway.Error {
	if known, found := statuses[f.kind]; found {
		status = known
	} else if status == http.StatusFailedDependency {
		status = http.StatusBadGateway
	}
	e := dialect.VendorError(status, h, f.message)
	lower := strings.ToLower(f.message)
	if status == 0 {
		status = http.StatusBadRequest // for what only the message tells
	}
	if status != http.StatusBadRequest {
		return e
	}
	for i := range refusals {
		if r := &refusals[i]; contains(lower, r.words) {
			told := dialect.VendorError(r.status, h, f.message)
			told.Code = r.code
			return told
		}
	}
	return e
}

// refusals are what the messages of refused requests tell. A message of too many tokens is about the prompt only here: throttled
// requests have one too.
var refusals = []struct {
	status int
	code   string
	words  []string
}{
	{400, dialect.CodeContextLength, []string{
		"input is too long", "prompt is too long", "too many tokens", "too many input tokens", "input tokens exceed", "context length",
		"context limit", "context window", "maximum input", "max input tokens", "exceeds maximum length",
	}},
	{400, dialect.CodeContentFilter, []string{"content filtering policy", "content filter", "responsible ai", "blocked by our content"}},
	{404, "", []string{"model identifier is invalid"}},
}

func contains(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
