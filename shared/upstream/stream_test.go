package upstream_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// thinker is a vendor that says no more for minutes than that it lives. Each Read brings one piece, and the time passes that it took.
type thinker struct {
	now    time.Time
	pieces []piece
}

type piece struct {
	after time.Duration
	text  string
}

func (th *thinker) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(th)}, nil
}

func (th *thinker) Read(p []byte) (int, error) {
	if len(th.pieces) == 0 {
		return 0, io.EOF
	}
	next := th.pieces[0]
	th.pieces = th.pieces[1:]
	th.now = th.now.Add(next.after)
	return copy(p, next.text), nil
}

// wire is how a vendor begins, how it says that it lives, and how it says the rest.
type wire struct{ begin, alive, rest string }

var (
	anthropic = wire{
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"x\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
		"event: ping\ndata: {\"type\":\"ping\"}\n\n",
		"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hi\"}}\n\n" +
			"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
	}
	openrouter = wire{
		": OPENROUTER PROCESSING\n\n", ": OPENROUTER PROCESSING\n\n",
		"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
	}
)

// While a model thinks and its vendor says no more than that, a caller of another dialect hears so from time to time. A caller of the same
// dialect hears what the vendor says.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	const comment, chat = ": keep-alive\n\n", `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`
	for name, c := range map[string]struct {
		op       gateway.Op
		body     string
		provider string
		says     wire
		want     string
		times    int
	}{
		"chat":             {gateway.OpChat, chat, "anthropic", anthropic, comment, 2},
		"responses":        {gateway.OpResponses, `{"model":"m","stream":true,"input":"x"}`, "anthropic", anthropic, comment, 2},
		"messages":         {gateway.OpMessages, `{"max_tokens":9,` + chat[1:], "openrouter", openrouter, anthropic.alive, 2},
		"gemini":           {gateway.OpGemini, `{"contents":[{"role":"user","parts":[{"text":"x"}]}]}`, "anthropic", anthropic, comment, 0},
		"chat, native":     {gateway.OpChat, chat, "openrouter", openrouter, openrouter.alive, 5},
		"messages, native": {gateway.OpMessages, `{"max_tokens":9,` + chat[1:], "anthropic", anthropic, anthropic.alive, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vendor := &thinker{now: time.Unix(1_800_000_000, 0), pieces: []piece{
				{0, c.says.begin}, {time.Second, c.says.alive}, {time.Minute, c.says.alive}, {time.Second, c.says.alive}, {time.Minute, c.says.alive},
				{time.Second, c.says.rest},
			}}
			client := upstream.New(nil, func() time.Time { return vendor.now }, slog.New(slog.DiscardHandler))
			client.Local[c.provider] = vendor
			request, err := all.Of(c.op).Peek(c.op, []byte(c.body), dialect.Hint{Model: "m", Stream: true})
			if err != nil {
				t.Fatal(err)
			}
			d := routing.Deployment{Model: "m", Provider: c.provider, VendorModel: "claude-sonnet-4-5", BaseURL: "https://example.com/v1"}
			if c.provider == "anthropic" {
				d.Speaks = []gateway.Op{gateway.OpMessages}
			}
			call := &upstream.Call{ID: "c", AttemptID: "c", Request: request}
			s, err := client.Stream(t.Context(), call, routing.Plan{d}, budget.Held(gateway.Principal{}, 0))
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for err == nil {
				var text []byte
				text, err = s.Next()
				got += string(text)
			}
			if closed := s.Close(); !errors.Is(err, io.EOF) || closed != nil || !strings.Contains(got, "Hi") {
				t.Fatalf("%v, %v after %s", err, closed, got)
			}
			if n := strings.Count(got, c.want); n != c.times {
				t.Errorf("%d times %q in %s", n, c.want, got)
			}
			if seen := call.Attempts[0]; seen.Usage.OutputTokens == 0 {
				t.Errorf("the entry has %+v", seen.Usage)
			}
		})
	}
}
