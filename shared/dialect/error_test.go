package dialect_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func TestVendorError(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		kind   gateway.Kind
		name   string
		status int
	}{
		400: {gateway.KindInvalid, "invalid_request_error", 400}, 401: {gateway.KindUpstream, "authentication_error", 401}, 403: {gateway.KindUpstream, "permission_error", 403},
		404: {gateway.KindNotFound, "invalid_request_error", 404}, 408: {gateway.KindTimeout, "timeout", 408}, 413: {gateway.KindTooLarge, "invalid_request_error", 413},
		418: {gateway.KindInvalid, "invalid_request_error", 418}, 422: {gateway.KindInvalid, "invalid_request_error", 422}, 429: {gateway.KindRateLimited, "throttling_error", 429},
		500: {gateway.KindUpstream, "internal_server_error", 500}, 529: {gateway.KindUpstream, "internal_server_error", 529}, 599: {gateway.KindUpstream, "internal_server_error", 599},
		0: {gateway.KindUpstream, "server_error", 502}, 200: {gateway.KindUpstream, "server_error", 502}, 302: {gateway.KindUpstream, "server_error", 502}, 600: {gateway.KindUpstream, "server_error", 502},
	} {
		e := dialect.VendorError(status, nil, "")
		if e.Kind != want.kind || e.Type() != want.name || e.Status() != want.status || e.Message == "" {
			t.Errorf("%d: kind %d, type %s, status %d, %q", status, e.Kind, e.Type(), e.Status(), e.Message)
		}
	}
}

// Of a vendor's text a capped message goes on, in valid UTF-8.
func TestVendorText(t *testing.T) {
	t.Parallel()
	long := dialect.VendorError(400, nil, strings.Repeat("é", 2000)).Message
	if len(long) > 1100 || !utf8.ValidString(long) || !strings.HasSuffix(long, "...") {
		t.Errorf("%d bytes, %.20q", len(long), long[len(long)-20:])
	}
	if got := dialect.VendorError(400, nil, "a\xffb").Message; got != "a?b" {
		t.Errorf("%q", got)
	}
}

func TestVendorHeaders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0.5": 500 * time.Millisecond, "-1": 0, "soon": 0, "1e300": 10 * time.Minute, "NaN": 0, "Inf": 10 * time.Minute,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0, time.Now().Add(24 * time.Hour).UTC().Format(http.TimeFormat): 10 * time.Minute,
	} {
		if got := dialect.VendorError(429, http.Header{"Retry-After": {text}}, "").RetryAfter; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]*bool{"true": new(true), "false": new(false), "maybe": nil, "": nil} {
		got := dialect.VendorError(500, http.Header{"X-Should-Retry": {text}}, "").Retry
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestInvalidAnswer(t *testing.T) {
	t.Parallel()
	if e := dialect.InvalidAnswer("odd"); e.Status() != 502 || e.Code != dialect.CodeInvalidAnswer || !strings.Contains(e.Message, "odd") {
		t.Errorf("%+v", e)
	}
}

func TestCheckUsage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given, want gateway.Usage
		ok          bool
	}{
		"none":       {gateway.Usage{}, gateway.Usage{}, true},
		"usual":      {gateway.Usage{InputTokens: 10, CachedTokens: 4, OutputTokens: 5, ReasoningTokens: 2}, gateway.Usage{InputTokens: 10, CachedTokens: 4, OutputTokens: 5, ReasoningTokens: 2}, true},
		"parts":      {gateway.Usage{InputTokens: 10, CachedTokens: 6, CacheWriteTokens: 3, CacheWrite1hTokens: 3, AudioInputTokens: 3, ImageInputTokens: 3}, gateway.Usage{InputTokens: 10, CachedTokens: 6, CacheWriteTokens: 3, CacheWrite1hTokens: 1}, true},
		"output":     {gateway.Usage{OutputTokens: 5, ReasoningTokens: 9, AudioOutputTokens: 4, ImageOutputTokens: 4}, gateway.Usage{OutputTokens: 5, ReasoningTokens: 5, AudioOutputTokens: 4, ImageOutputTokens: 1}, true},
		"negative":   {gateway.Usage{InputTokens: 10, CachedTokens: -1}, gateway.Usage{}, false},
		"negative 2": {gateway.Usage{OutputTokens: -1}, gateway.Usage{}, false},
		"huge":       {gateway.Usage{InputTokens: 1 << 31}, gateway.Usage{}, false},
		"huge part":  {gateway.Usage{InputTokens: 1, ImageOutputTokens: 1 << 62}, gateway.Usage{}, false},
	} {
		if c.ok {
			c.want.Source = gateway.UsageReported
		}
		got, ok := dialect.CheckUsage(c.given)
		if diff := cmp.Diff(c.want, got); diff != "" || ok != c.ok {
			t.Errorf("%s: %t (-want +got):\n%s", name, ok, diff)
		}
	}
}

func TestFraming(t *testing.T) {
	t.Parallel()
	frames := dialect.SSE.Open(strings.NewReader(": hi\n\nevent: content_block_delta\ndata: a\n\nevent: other\ndata: b\ndata: c\n\ndata: [DO"))
	defer frames.Close()
	var got []string
	for {
		f, err := frames.Next()
		if err != nil {
			got = append(got, err.Error(), string(frames.Tail().Data))
			break
		}
		got = append(got, f.Name+"|"+string(f.Data))
	}
	if diff := cmp.Diff([]string{"|", "content_block_delta|a", "other|b\nc", "unexpected EOF", "[DO"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
