package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// kinds are an SDK's words for errors, by ours.
type kinds map[string]string

// sdkKinds are what each SDK's vendor calls an error. OpenAI's callers get LiteLLM's words where it has some.
var sdkKinds = map[string]kinds{
	"anthropic-sdk-go": {
		"key": "authentication_error", "model": "invalid_request_error", "denied": "permission_error", "rate": "rate_limit_error",
		"bad": "invalid_request_error", "down": "overloaded_error", "budget": "rate_limit_error",
	},
	"genai": {
		"key": "UNAUTHENTICATED", "model": "INVALID_ARGUMENT", "denied": "PERMISSION_DENIED", "rate": "RESOURCE_EXHAUSTED",
		"bad": "INVALID_ARGUMENT", "down": "UNAVAILABLE", "budget": "RESOURCE_EXHAUSTED",
	},
	"openai": {
		"key": "token_not_found_in_db", "model": "invalid_request_error", "denied": "key_model_access_denied", "rate": "throttling_error",
		"bad": "invalid_request_error", "down": "internal_server_error", "budget": "budget_exceeded",
	},
}

func (c sdk) kinds() kinds {
	if k, found := sdkKinds[c.name]; found {
		return k
	}
	return sdkKinds["openai"]
}

// sdkFaults is the table of errors, which are the same plain and streamed.
var sdkFaults = map[string]struct {
	model      string // on each vendor, if it is a behaviour
	key        string // whose call it is: key, narrow, poor or nobody
	status     int
	kind       string
	retryAfter string
}{
	"unknown key":        {model: "anthropic/claude-sonnet-4-5", key: "nobody", status: http.StatusUnauthorized, kind: "key"},
	"unknown model":      {model: "no-such-model", key: "key", status: http.StatusBadRequest, kind: "model"},
	"model not allowed":  {model: "anthropic/claude-sonnet-4-5", key: "narrow", status: http.StatusForbidden, kind: "denied"},
	"budget is used up":  {model: "anthropic/claude-sonnet-4-5", key: "poor", status: http.StatusTooManyRequests, kind: "budget"},
	"vendor's 400":       {model: "+400", key: "key", status: http.StatusBadRequest, kind: "bad"},
	"vendor's 429":       {model: "+429+retry-after-30", key: "key", status: http.StatusTooManyRequests, kind: "rate", retryAfter: "30"},
	"vendor is down":     {model: "+503+retry-after-30", key: "key", status: http.StatusServiceUnavailable, kind: "down"},
	"error in an answer": {model: "+error-in-200", key: "key", kind: ""},
}

// keysFor are the virtual keys that the table names.
func keysFor(t testing.TB, g *sluice, key string) map[string]string {
	return map[string]string{
		"key": key, "nobody": "sk-nobody-0123456789abc", "narrow": g.newKey(t, map[string]any{"models": []string{"echo"}}),
		"poor": g.newKey(t, map[string]any{"max_budget": 0.00000001}),
	}
}

// checkFaults plays the table with an SDK.
func checkFaults(t *testing.T, g *sluice, key string, c sdk) {
	keys := keysFor(t, g, key)
	for name, f := range sdkFaults {
		models := []string{f.model}
		if f.model[0] == '+' {
			models = nil
			for _, v := range vendors {
				models = append(models, v.model(f.model[1:]))
			}
		}
		for _, model := range models {
			for _, mode := range []string{"plain", "streamed"} {
				t.Run(strings.Join([]string{name, model, mode}, "/"), func(t *testing.T) {
					t.Parallel()
					s := c.open(t, g, keys[f.key], wish{model: model})
					s.say("hello there")
					var each func()
					if mode == "streamed" {
						each = func() { t.Error("an event came") }
					}
					r, err := s.run(t.Context(), each)
					if err == nil {
						t.Fatalf("got %+v", r)
					}
					got := c.fault(err)
					if f.status != 0 && (got.status != f.status || got.kind != c.kinds()[f.kind]) || got.message == "" {
						t.Errorf("status %d, type %q, message %q; want %d, %q", got.status, got.kind, got.message, f.status, c.kinds()[f.kind])
					}
					if got.status < 400 {
						t.Errorf("status %d: %v", got.status, err)
					}
					if f.retryAfter != "" && strings.TrimSuffix(got.retryAfter, "s") != f.retryAfter && c.name != "go-openai" {
						t.Errorf("to be tried again after %q, want %q", got.retryAfter, f.retryAfter)
					}
				})
			}
		}
	}
}

// breaks are ways in which a stream ends badly after it has begun.
var breaks = []string{"cut-after-2", "reset-after-2", "cut-before-finish", "error-after-2"}

// checkBreaks wants every stream that a vendor broke off to be an error of the SDK's, on every vendor.
func checkBreaks(t *testing.T, g *sluice, key string, c sdk) {
	for _, v := range vendors {
		for _, how := range breaks {
			t.Run(fmt.Sprint(how, "/", v.name), func(t *testing.T) {
				t.Parallel()
				s := c.open(t, g, key, wish{model: v.model(how)})
				s.say("one two three four")
				events := 0
				r, err := s.run(t.Context(), func() { events++ })
				if err == nil || errors.Is(err, errUnfinished) {
					t.Errorf("after %d events: %+v, %v; want an error of the SDK's", events, r, err)
				}
			})
		}
	}
}

// checkCancel hangs up in the middle of a stream: the call is on the bill and in the ledger once, as a part.
func checkCancel(t *testing.T, g *sluice, c sdk) {
	for _, v := range vendors {
		t.Run("hangs up/"+v.name, func(t *testing.T) {
			t.Parallel()
			key := g.newKey(t, nil)
			s := c.open(t, g, key, wish{model: v.model("words-2000", "slow-5ms")})
			s.say("word")
			ctx, cancel := context.WithCancel(t.Context())
			events := 0
			r, err := s.run(ctx, func() {
				if events++; events == 8 {
					cancel()
				}
			})
			if err == nil {
				t.Errorf("got %+v", r)
			}
			var e entry
			eventually(t, bookLimit, "the call is in the ledger", func() error {
				list := g.ledger(t, key)
				if len(list) != 1 {
					return fmt.Errorf("there are %d entries", len(list))
				}
				e = list[0]
				return nil
			})
			line := fakeprovider.Line{}
			eventually(t, bookLimit, "the call is on the bill", func() error {
				for _, l := range g.provider.Bill() {
					if l.RequestID == e.ID {
						line = l
						return nil
					}
				}
				return errors.New("it is not")
			})
			if e.Outcome != gateway.BilledPartial || line.Outcome != fakeprovider.Partial || line.ClientGone == nil {
				t.Errorf("the entry is %+v, the line %+v", e, line)
			}
			if e.CompletionTokens < 1 || e.CompletionTokens > line.CompletionTokens || e.cost(t) == 0 {
				t.Errorf("the entry has %d tokens for %s, the line %d", e.CompletionTokens, e.Spend, line.CompletionTokens)
			}
		})
	}
}
