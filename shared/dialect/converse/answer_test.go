package converse_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const usage = `"usage":{"inputTokens":30,"outputTokens":6,"totalTokens":36}`

func TestNoAnswers(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{
		"": 502, "<html>": 502, "{}": 502, `{"output":{}}`: 502, `{"output":{"message":{"content":3}}}`: 502, `{"output":{"message":{"content":[`: 502,
		`{"__type":"com.amazon.coral.availability#ThrottlingException","message":"slow"}`: 429, `{"message":"The security token is invalid"}`: 502,
	} {
		_, err := out.DecodeResponse([]byte(body))
		var e *gateway.Error
		if !errors.As(err, &e) || e.Status() != status {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		kind   string
		body   string
		want   int
		as     gateway.Kind
		code   string
	}{
		{"throttled", 429, "ThrottlingException:http://internal.amazon.com/coral/",
			`{"message":"Too many tokens, please wait before trying again."}`, 429, gateway.KindRateLimited, ""},
		{"invalid", 400, "ValidationException", `{"message":"The text field is blank."}`, 400, gateway.KindInvalid, ""},
		{"denied", 403, "AccessDeniedException", `{"Message":"You don't have access to the model."}`, 403, gateway.KindUpstream, ""},
		{"expired", 403, "ExpiredTokenException",
			`{"message":"The security token included in the request is expired"}`, 401, gateway.KindUpstream, ""},
		{"unknown client", 403, "UnrecognizedClientException", `{"message":"invalid"}`, 401, gateway.KindUpstream, ""},
		{"not found", 404, "ResourceNotFoundException", `{"message":"Model not found."}`, 404, gateway.KindNotFound, ""},
		{"no such model", 400, "ValidationException", `{"message":"The provided model identifier is invalid."}`, 404, gateway.KindNotFound, ""},
		{"model timeout", 408, "ModelTimeoutException", `{"message":"slow"}`, 408, gateway.KindTimeout, ""},
		{"model error", 424, "ModelErrorException", `{"message":"bad","originalStatusCode":500}`, 502, gateway.KindUpstream, ""},
		{"another 424", 424, "", `{}`, 502, gateway.KindUpstream, ""},
		{"not ready", 429, "ModelNotReadyException", `{"message":"wait"}`, 429, gateway.KindRateLimited, ""},
		{"quota", 400, "ServiceQuotaExceededException", `{"message":"quota"}`, 429, gateway.KindRateLimited, ""},
		{"internal", 500, "InternalServerException", `{"message":"oops"}`, 500, gateway.KindUpstream, ""},
		{"unavailable", 503, "ServiceUnavailableException", `{"message":"later"}`, 503, gateway.KindUpstream, ""},
		{"type in the body", 400, "", `{"__type":"ns#ThrottlingException","message":"x"}`, 429, gateway.KindRateLimited, ""},
		{"type as code", 400, "", `{"code":"ThrottlingException","message":"x"}`, 429, gateway.KindRateLimited, ""},
		{"too long", 400, "ValidationException",
			`{"message":"Input is too long for requested model."}`, 400, gateway.KindInvalid, dialect.CodeContextLength},
		{"too long for Claude", 400, "ValidationException",
			`{"message":"The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum"}`, 400, gateway.KindInvalid, dialect.CodeContextLength},
		{"too long in a stream", 0, "validationException",
			`{"message":"Input is too long for requested model."}`, 400, gateway.KindInvalid, dialect.CodeContextLength},
		{"filtered", 400, "ValidationException",
			`{"message":"Output blocked by content filtering policy"}`, 400, gateway.KindInvalid, dialect.CodeContentFilter},
		{"in a stream", 0, "modelStreamErrorException", `{"originalMessage":"gone","originalStatusCode":500}`, 502, gateway.KindUpstream, ""},
		{"no JSON", 502, "", "<html>", 502, gateway.KindUpstream, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Retry-After": {"2"}}
			if tt.kind != "" {
				h.Set("X-Amzn-Errortype", tt.kind)
			}
			e := out.DecodeError(tt.status, h, []byte(tt.body))
			if e.Status() != tt.want || e.Kind != tt.as || e.Code != tt.code || e.RetryAfter.Seconds() != 2 || e.HTTPStatus == 0 || e.Message == "" {
				t.Errorf("got %d, kind %d, code %q, after %v: %q", e.Status(), e.Kind, e.Code, e.RetryAfter, e.Message)
			}
		})
	}
}

// Exceptions and errors in a stream end it, with the status of the same error outside.
func TestExceptions(t *testing.T) {
	t.Parallel()
	for line, status := range map[string]int{
		`exception:throttlingException {"message":"slow"}`: 429, `exception:validationException {"message":"bad"}`: 400,
		`exception:internalServerException {"message":"oops"}`: 500, `exception:modelStreamErrorException {"message":"gone"}`: 502,
		`exception:serviceUnavailableException {"message":"away"}`: 503, `exception:modelTimeoutException {"message":"late"}`: 408,
		`exception:newException {"message":"new"}`: 502, `error:ThrottlingException slow down`: 429, `contentBlockDelta {"delta":`: 502,
		`contentBlockDelta {"delta":{"toolUse":{"input":"{"}}}`: 502, `messageStart []`: 502,
	} {
		events, progress, err := replay(strings.NewReader(string(dialecttest.EventStream(t, line))))
		var e *gateway.Error
		if !errors.As(err, &e) || e.Status() != status || progress != dialect.Open {
			t.Errorf("%s: %v %d %v", line, events, progress, err)
		}
	}
	over := dialecttest.EventStream(t, "messageStart {}\nmessageStop {\"stopReason\":\"end_turn\"}\ncontentBlockDelta {\"delta\":{\"text\":\"more\"}}")
	if _, _, err := replay(strings.NewReader(string(over))); gateway.AsError(err).Code != dialect.CodeInvalidAnswer {
		t.Errorf("content after the end: %v", err)
	}
	early := dialecttest.EventStream(t, "metadata {"+usage+"}\nmessageStop {\"stopReason\":\"end_turn\"}\nmetadata {}")
	if events, progress, _ := replay(strings.NewReader(string(early))); progress != dialect.Done || events[len(events)-1].Type != llm.Spent {
		t.Errorf("early usage: %d %s", progress, dialecttest.Show(events, progress, nil))
	}
}

// A stream that opens blocks without end is refused before it takes much memory.
func TestManyBlocks(t *testing.T) {
	t.Parallel()
	decoder := out.DecodeStream()
	var err error
	for i := 0; i < 1000 && err == nil; i++ {
		data := []byte(`{"contentBlockIndex":` + strings.Repeat("1", i%15+1) + strconv.Itoa(i) + `,"delta":{"text":"x"}}`)
		_, err = decoder.Decode(nil, dialect.Frame{Name: "contentBlockDelta", Data: data})
	}
	if gateway.AsError(err).Code != dialect.CodeInvalidAnswer {
		t.Error(err)
	}
	decoder, err = out.DecodeStream(), nil
	long := []byte(`{"delta":{"reasoningContent":{"signature":"` + strings.Repeat("x", 1<<20) + `"}}}`)
	for i := 0; i < 100 && err == nil; i++ {
		_, err = decoder.Decode(nil, dialect.Frame{Name: "contentBlockDelta", Data: long})
	}
	if gateway.AsError(err).Code != dialect.CodeInvalidAnswer {
		t.Error(err)
	}
}
