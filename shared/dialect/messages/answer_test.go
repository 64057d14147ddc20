package messages_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// What Anthropic answers.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: messages.Outbound{}}.Run(t)
}

func TestInvalidAnswers(t *testing.T) {
	t.Parallel()
	r := peek(t, gateway.OpMessages, `{"model":"m",`+hello+`}`)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"html":       {"<html>", 502},
		"empty":      {"", 502},
		"cut":        {`{"type":"message","content":[{"type":"te`, 502},
		"list":       {`[1]`, 502},
		"no content": {`{"type":"message","usage":{"input_tokens":1,"output_tokens":1}}`, 502},
		"text":       {`{"type":"message","content":"hi"}`, 502},
		"error":      {`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, 529},
	} {
		_, err := messages.Outbound{}.DecodeResponse([]byte(c.body))
		if e := gateway.AsError(err); err == nil || e.Status() != c.status {
			t.Errorf("%s, decoded: %v, want %d", name, err, c.status)
		}
		_, err = r.Native.Answer([]byte(c.body))
		if e := gateway.AsError(err); err == nil || e.Status() != c.status {
			t.Errorf("%s, passed on: %v, want %d", name, err, c.status)
		}
	}
}

const begin = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"x\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n" +
	"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
	"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hel\"}}\n\n"

// manyBlocks begin, and do not end.
func manyBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "data: {\"type\":\"content_block_start\",\"index\":%d,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n", i+1)
	}
	return b.String()
}

func TestBadStreams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream string
		status int // 0: it was cut
	}{
		"cut":             {begin, 0},
		"empty":           {"", 0},
		"overloaded":      {begin + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", 529},
		"rate limit":      {begin + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"Slow\"}}\n\n", 429},
		"no type":         {begin + "data: {\"error\":{\"code\":503,\"message\":\"away\"}}\n\n", 503},
		"rubbish":         {begin + "data: <html>\n\n", 502},
		"not begun":       {"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\"}}\n\n", 502},
		"no such block":   {begin + "data: {\"type\":\"content_block_delta\",\"index\":5,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n", 502},
		"block twice":     {begin + "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\"}}\n\n", 502},
		"many blocks":     {begin + manyBlocks(300), 502},
		"bad index":       {begin + "data: {\"type\":\"content_block_stop\",\"index\":1e99}\n\n", 502},
		"bad message":     {"data: {\"type\":\"message_start\",\"message\":[]}\n\n", 502},
		"block of a kind": {begin + "data: {\"type\":\"content_block_start\",\"index\":\"x\"}\n\n", 502},
	} {
		_, err := dialecttest.Replay(messages.Outbound{}, strings.NewReader(c.stream))
		if e := gateway.AsError(err); err == nil || c.status != 0 && e.Status() != c.status || c.status == 0 && !errors.Is(err, dialecttest.ErrCut) {
			t.Errorf("%s: %v, want %d", name, err, c.status)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status            int
		body              string
		want              int
		kind              gateway.Kind
		code, param, text string
	}{
		"invalid": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: bad block"},"request_id":"req_1"}`, 400,
			gateway.KindInvalid, "", "messages.1.content.0", "messages.1.content.0: bad block"},
		"key":        {401, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}`, 401, gateway.KindUpstream, "", "", "invalid x-api-key"},
		"billing":    {402, `{"type":"error","error":{"type":"billing_error","message":"pay"}}`, 402, gateway.KindUpstream, "", "", "pay"},
		"forbidden":  {403, `{"type":"error","error":{"type":"permission_error","message":"no"}}`, 403, gateway.KindUpstream, "", "", "no"},
		"not found":  {404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}`, 404, gateway.KindNotFound, "", "model", "model: claude-9"},
		"large":      {413, `{"type":"error","error":{"type":"request_too_large","message":"too large"}}`, 413, gateway.KindTooLarge, "", "", "too large"},
		"limit":      {429, `{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}`, 429, gateway.KindRateLimited, "", "", "slow"},
		"failed":     {500, `{"type":"error","error":{"type":"api_error","message":"oops"}}`, 500, gateway.KindUpstream, "", "", "oops"},
		"overloaded": {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, 529, gateway.KindUpstream, "", "", "Overloaded"},
		"in band":    {0, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, 529, gateway.KindUpstream, "", "", "Overloaded"},
		"too long": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200001 tokens > 200000 maximum"}}`, 400,
			gateway.KindInvalid, dialect.CodeContextLength, "", "prompt is too long: 200001 tokens > 200000 maximum"},
		"limit and input": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"input length and ` + "`max_tokens`" + ` exceed context limit: 1 + 2 > 2"}}`, 400,
			gateway.KindInvalid, dialect.CodeContextLength, "", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"},
		"filter": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}`, 400,
			gateway.KindInvalid, dialect.CodeContentFilter, "", "Output blocked by content filtering policy"},
		"vertex":         {429, `[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}]`, 429, gateway.KindRateLimited, "", "", "Quota exceeded"},
		"vertex in band": {0, `{"error":{"code":503,"message":"away","status":"UNAVAILABLE"}}`, 503, gateway.KindUpstream, "", "", "away"},
		"html":           {502, `<html>`, 502, gateway.KindUpstream, "", "", "The provider failed."},
		"empty":          {503, ``, 503, gateway.KindUpstream, "", "", "The provider failed."},
		"bare":           {400, `{"error":"nope"}`, 400, gateway.KindInvalid, "", "", "nope"},
	} {
		e := messages.Outbound{}.DecodeError(c.status, nil, []byte(c.body))
		if e.Status() != c.want || e.Kind != c.kind || e.Code != c.code || e.Param != c.param || e.Message != c.text {
			t.Errorf("%s: got %d kind %d code %q param %q %q", name, e.Status(), e.Kind, e.Code, e.Param, e.Message)
		}
	}
}

func TestEncodeError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    *gateway.Error
		want string
	}{
		{gateway.Invalid("x", "x is bad."), `{"type":"error","error":{"type":"invalid_request_error","message":"x is bad."}}`},
		{gateway.Errorf(gateway.KindUnauthenticated, "who?"), `{"type":"error","error":{"type":"authentication_error","message":"who?"}}`},
		{gateway.Errorf(gateway.KindForbidden, "no"), `{"type":"error","error":{"type":"permission_error","message":"no"}}`},
		{gateway.Errorf(gateway.KindNotFound, "none"), `{"type":"error","error":{"type":"not_found_error","message":"none"}}`},
		{gateway.Errorf(gateway.KindTooLarge, "big"), `{"type":"error","error":{"type":"request_too_large","message":"big"}}`},
		{gateway.Errorf(gateway.KindBudget, "spent"), `{"type":"error","error":{"type":"rate_limit_error","message":"spent"}}`},
		{gateway.Errorf(gateway.KindUpstream, "<oops>"), `{"type":"error","error":{"type":"api_error","message":"<oops>"}}`},
		{gateway.Errorf(gateway.KindTimeout, "late"), `{"type":"error","error":{"type":"timeout_error","message":"late"}}`},
		{gateway.Errorf(gateway.KindUnavailable, "away"), `{"type":"error","error":{"type":"overloaded_error","message":"away"}}`},
		{&gateway.Error{Kind: gateway.KindUpstream, HTTPStatus: 529, Message: "busy"}, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`},
		{&gateway.Error{Kind: gateway.KindInvalid, Code: dialect.CodeContextLength, Message: "8193 > 8192"}, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 8193 > 8192"}}`},
	} {
		if got := string(messages.EncodeError(c.e)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// Overlapping parts of another vendor come one after the other, and each whole.
func TestOverlap(t *testing.T) {
	t.Parallel()
	call := func(id string) llm.Part { return llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: id, Name: "f"}} }
	events := []llm.Event{
		{Type: llm.Begin, ID: "chatcmpl-1", Model: "m"},
		{Type: llm.PartBegin, Index: 0, Part: call("a:0")}, {Type: llm.PartBegin, Index: 1, Part: call("b")},
		{Type: llm.Delta, Index: 1, Text: `{"b":`}, {Type: llm.Delta, Index: 0, Text: `{"a":`}, {Type: llm.PartBegin, Index: 2, Part: llm.Part{Kind: llm.Text}},
		{Type: llm.Delta, Index: 2, Text: "hi"}, {Type: llm.PartEnd, Index: 2}, {Type: llm.Delta, Index: 0, Text: `1}`}, {Type: llm.PartEnd, Index: 0},
		{Type: llm.Delta, Index: 1, Text: `2}`}, {Type: llm.PartBegin, Index: 3, Part: llm.Part{Kind: llm.Text}}, {Type: llm.PartEnd, Index: 1}, {Type: llm.PartEnd, Index: 3},
		{Type: llm.End, Finish: llm.FinishStop}, {Type: llm.Spent, Usage: &gateway.Usage{InputTokens: 1, OutputTokens: 2, Source: gateway.UsageReported}},
	}
	out := peek(t, gateway.OpMessages, `{"model":"m","stream":true,`+hello+`}`).In.EncodeStream()
	var text []byte
	for i := range events {
		text = out.Encode(text, &events[i])
	}
	text = out.End(text)
	for i, name := range []string{"message_start", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"} {
		if frames := strings.Split(string(text), "\n\n"); !strings.HasPrefix(frames[i], "event: "+name) {
			t.Errorf("event %d is %s, want %s", i, frames[i], name)
		}
	}
	got, err := dialecttest.Replay(messages.Outbound{}, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.Part{call(llm.FitID("a:0", 32)), call("b"), llm.TextPart("hi")}
	want[0].Call.Arguments, want[1].Call.Arguments = `{"a":1}`, `{"b":2}`
	if diff := cmp.Diff(want, got.Choices[0].Parts); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, text)
	}
	if got.Choices[0].Finish != llm.FinishTools {
		t.Errorf("finish is %q: callers look there for tools", got.Choices[0].Finish)
	}
}
