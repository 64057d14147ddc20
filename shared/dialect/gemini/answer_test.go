package gemini_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/dialect/gemini"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// What Google answers.
func TestRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Recordings{Out: gemini.Outbound{}}.Run(t)
}

// A response goes out to a caller of this dialect and comes in again as it was.
func TestResponseRoundTrip(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "answers/*.json", func(t *testing.T, _, text string) {
		want, err := gemini.Outbound{}.DecodeResponse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		in := thoughtful(t)
		body, err := in.EncodeResponse(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gemini.Outbound{}.DecodeResponse(body)
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		want.Model, want.Created, got.Created = "gemini", 0, 0
		if want.Tier == "scale" { // not a word that a caller is told
			want.Tier = got.Tier
		}
		if diff := cmp.Diff(comparable(want), comparable(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// comparable leaves out what an answer to a caller does not say again: quotes, and offsets in a text of several parts; ids are packed.
func comparable(r *llm.Response) *llm.Response {
	for c := range r.Choices {
		for i := range r.Choices[c].Parts {
			p := &r.Choices[c].Parts[i]
			for k := range p.Citations {
				p.Citations[k].Quote = ""
			}
			if p.Call != nil {
				p.Call.ID, _ = llm.Unpack(p.Call.ID)
			}
		}
	}
	return r
}

// thoughtful is the side of a caller who asks for thoughts.
func thoughtful(t *testing.T) dialect.Inbound {
	t.Helper()
	r := peek(t, `{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`, dialect.Hint{Model: "gemini"})
	if _, err := r.In.DecodeRequest(); err != nil {
		t.Fatal(err)
	}
	return r.In
}

// A stream cut at any byte is no whole one, unless all that tells its end is there; and no cut makes a panic.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	dialecttest.Each(t, "streams/*.txt", func(t *testing.T, _, text string) {
		last := max(strings.LastIndex(text, "inishReason"), strings.LastIndex(text, "blockReason"))
		for n := range text {
			_, progress, _ := dialecttest.Read(gemini.Outbound{}, strings.NewReader(text[:n]))
			if n < last && progress != dialect.Open {
				t.Fatalf("cut at %d of %d: progress %d", n, len(text), progress)
			}
		}
	})
}

func TestInvalidAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"html":       {`<html>`, 502, dialect.CodeInvalidAnswer},
		"empty":      {``, 502, dialect.CodeInvalidAnswer},
		"truncated":  {`{"candidates":[{"content":{"parts":[{"text":"hal`, 502, dialect.CodeInvalidAnswer},
		"shape":      {`{"candidates":"none"}`, 502, dialect.CodeInvalidAnswer},
		"nothing":    {`{}`, 502, dialect.CodeInvalidAnswer},
		"list":       {`[]`, 502, dialect.CodeInvalidAnswer},
		"index":      {`{"candidates":[{"index":64}]}`, 502, dialect.CodeInvalidAnswer},
		"negative":   {`{"candidates":[{"index":-1}]}`, 502, dialect.CodeInvalidAnswer},
		"error":      {`{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}`, 429, "RESOURCE_EXHAUSTED"},
		"error list": {`[{"error":{"code":503,"message":"slow","status":"UNAVAILABLE"}}]`, 503, "UNAVAILABLE"},
	} {
		_, err := gemini.Outbound{}.DecodeResponse([]byte(c.body))
		if e := gateway.AsError(err); err == nil || e.Status() != c.status || e.Code != c.code {
			t.Errorf("%s: %v (status %d, code %q)", name, err, e.Status(), e.Code)
		}
		r := peek(t, hello, dialect.Hint{Model: "gemini"})
		_, err = r.Native.Answer([]byte(c.body))
		if e := gateway.AsError(err); name != "shape" && name != "index" && name != "negative" && (err == nil || e.Status() != c.status || e.Code != c.code) {
			t.Errorf("%s, native: %v (status %d, code %q)", name, err, e.Status(), e.Code)
		}
	}
}

const hello = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`

func TestDecodeError(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		http, status int
		kind         gateway.Kind
		code, param  string
		wait         time.Duration
	}{
		"api_key":         {400, 401, gateway.KindUpstream, "INVALID_ARGUMENT", "", 0},
		"quota":           {429, 429, gateway.KindRateLimited, "RESOURCE_EXHAUSTED", "", 22500 * time.Millisecond},
		"quota_list":      {429, 429, gateway.KindRateLimited, "RESOURCE_EXHAUSTED", "", 0},
		"too_long":        {400, 400, gateway.KindInvalid, dialect.CodeContextLength, "", 0},
		"too_long_vertex": {400, 400, gateway.KindInvalid, dialect.CodeContextLength, "", 0},
		"field":           {400, 400, gateway.KindInvalid, "INVALID_ARGUMENT", "generation_config", 0},
		"location":        {400, 403, gateway.KindUpstream, "FAILED_PRECONDITION", "", 0},
		"permission":      {403, 403, gateway.KindUpstream, "PERMISSION_DENIED", "", 0},
		"credential":      {401, 401, gateway.KindUpstream, "UNAUTHENTICATED", "", 0},
		"model":           {404, 404, gateway.KindNotFound, "NOT_FOUND", "", 0},
		"overloaded":      {503, 503, gateway.KindUpstream, "UNAVAILABLE", "", 0},
		"deadline":        {504, 504, gateway.KindUpstream, "DEADLINE_EXCEEDED", "", 0},
		"internal":        {500, 500, gateway.KindUpstream, "INTERNAL", "", 0},
		"filter":          {400, 400, gateway.KindInvalid, dialect.CodeContentFilter, "", 0},
	} {
		dialecttest.Each(t, "errors/"+file+".json", func(t *testing.T, _, text string) {
			for _, status := range [...]int{c.http, 0} { // as an answer, and inside a stream
				e := gemini.DecodeError(status, http.Header{}, []byte(text))
				if e.Status() != c.status || e.Kind != c.kind || e.Code != c.code || e.Param != c.param || e.RetryAfter != c.wait {
					t.Errorf("status %d: %+v, want %+v", status, e, c)
				}
			}
		})
	}
}

func TestDecodeErrorOddities(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                                     "The provider refused the request.",
		`<html>bad gateway</html>`:             "The provider refused the request.",
		`{"error":"plain"}`:                    "plain",
		`{"error":{"message":"m","code":"x"}}`: "m",
		`[]`:                                   "The provider refused the request.",
		`[1]`:                                  "The provider refused the request.",
	} {
		if e := gemini.DecodeError(400, nil, []byte(body)); e.Message != want || e.Status() != 400 {
			t.Errorf("%s: %q, status %d", body, e.Message, e.Status())
		}
	}
	header := http.Header{"Retry-After": {"3"}}
	body := `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"x","retryDelay":"1e30s"}]}}`
	if e := gemini.DecodeError(429, header, []byte(body)); e.RetryAfter != 3*time.Second {
		t.Errorf("the header must count more: %v", e.RetryAfter)
	}
	if e := gemini.DecodeError(429, nil, []byte(body)); e.RetryAfter != 10*time.Minute {
		t.Errorf("an absurd delay is not capped: %v", e.RetryAfter)
	}
}

func TestEncodeError(t *testing.T) {
	t.Parallel()
	e := gateway.Invalid("contents[0].parts", "bad")
	e.RetryAfter = 1500 * time.Millisecond
	const want = `{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",` +
		`"reason":"400","domain":"sluice","metadata":{"type":"invalid_request_error"}},{"@type":"type.googleapis.com/google.rpc.BadRequest",` +
		`"fieldViolations":[{"field":"contents[0].parts"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}`
	if got := string(gemini.EncodeError(e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for kind, want := range map[gateway.Kind]string{
		gateway.KindUnauthenticated: "UNAUTHENTICATED", gateway.KindForbidden: "PERMISSION_DENIED", gateway.KindNotFound: "NOT_FOUND",
		gateway.KindMethod: "FAILED_PRECONDITION", gateway.KindBudget: "RESOURCE_EXHAUSTED", gateway.KindUnavailable: "UNAVAILABLE",
		gateway.KindTimeout: "DEADLINE_EXCEEDED", gateway.KindInternal: "INTERNAL", gateway.KindStorageFull: "INTERNAL",
	} {
		var got struct{ Error struct{ Status string } }
		if err := json.Unmarshal(gemini.EncodeError(gateway.Errorf(kind, "x")), &got); err != nil || got.Error.Status != want {
			t.Errorf("kind %d: %q, want %q", kind, got.Error.Status, want)
		}
	}
}
