package e2e_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"google.golang.org/genai"
)

// TestCountTokensSDK has the SDKs that can count tokens count them on every vendor. The vendor's own count is the one that the call has
// in the end; of others it is an estimate. Nothing is booked.
func TestCountTokensSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	const text = "How many tokens are in this?"
	counters := map[string]func(t *testing.T, model string) (int64, error){
		"anthropic": func(t *testing.T, model string) (int64, error) {
			c := anthropicClient(g, key)
			n, err := c.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
				Model: model, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
			})
			if err != nil {
				return 0, err
			}
			return n.InputTokens, nil
		},
		"anthropic beta": func(t *testing.T, model string) (int64, error) {
			c := anthropicClient(g, key)
			n, err := c.Beta.Messages.CountTokens(t.Context(), anthropic.BetaMessageCountTokensParams{
				Model: model, Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock(text))},
				Betas: []anthropic.AnthropicBeta{anthropic.AnthropicBetaTokenCounting2024_11_01},
			})
			if err != nil {
				return 0, err
			}
			return n.InputTokens, nil
		},
		"gemini": func(t *testing.T, model string) (int64, error) {
			n, err := genaiClient(t, g, key).Models.CountTokens(t.Context(), model, genai.Text(text), nil)
			if err != nil {
				return 0, err
			}
			return int64(n.TotalTokens), nil
		},
	}
	native := map[string][]string{
		"anthropic": {"anthropic", "vertex-claude"}, "anthropic beta": {"anthropic", "vertex-claude"}, "gemini": {"gemini", "vertex"},
	}
	for name, count := range counters {
		for _, v := range vendors {
			n, err := count(t, v.model())
			if err != nil {
				t.Errorf("%s, %s: %v", name, v.name, err)
				continue
			}
			if exact := slices.Contains(native[name], v.name); exact && n != 10 || n < 5 || n > 60 { // estimates include the JSON around the text
				t.Errorf("%s, %s: %d tokens", name, v.name, n)
			}
		}
		if n, err := count(t, "echo"); err != nil || n < 5 || n > 60 {
			t.Errorf("%s, echo: %d tokens, %v", name, n, err)
		}
		if _, err := count(t, "no-such-model"); err == nil {
			t.Errorf("%s: an unknown model is counted", name)
		}
	}
	if n := len(g.ledger(t, masterKey)); n > 0 || len(g.provider.Bill()) > 0 {
		t.Errorf("%d entries and %d lines for what costs nothing", n, len(g.provider.Bill()))
	}
}

// TestAnthropicBeta is how Claude Code and others call: the beta routes, with a bearer token.
func TestAnthropicBeta(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	c := anthropic.NewClient(option.WithBaseURL(g.url), option.WithAuthToken(g.newKey(t, nil)), option.WithMaxRetries(0))
	for _, v := range vendors {
		for _, version := range []string{"2023-06-01", "2026-10-21"} { // that of the SDK's first major version, and of its second
			t.Run(v.name+"/"+version, func(t *testing.T) { betaMessages(t, c, v, option.WithHeader("anthropic-version", version)) })
		}
	}
	g.checkVendorBooks(t)
}

func betaMessages(t *testing.T, c anthropic.Client, v vendor, version option.RequestOption) {
	p := anthropic.BetaMessageNewParams{
		Model: v.model("cached"), MaxTokens: 100,
		Betas:    []anthropic.AnthropicBeta{"prompt-caching-2024-07-31", "fine-grained-tool-streaming-2025-05-14"},
		Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("one two three"))},
		System: []anthropic.BetaTextBlockParam{{
			Text:         strings.Repeat("You are terse. ", 400),
			CacheControl: anthropic.BetaCacheControlEphemeralParam{TTL: anthropic.BetaCacheControlEphemeralTTLTTL1h},
		}},
		Metadata: anthropic.BetaMetadataParam{UserID: anthropic.String("user-1")},
	}
	got, err := c.Beta.Messages.New(t.Context(), p, version)
	if err != nil {
		t.Fatal(err)
	}
	stream := c.Beta.Messages.NewStreaming(t.Context(), p, version)
	var streamed anthropic.BetaMessage
	for stream.Next() {
		if err := streamed.Accumulate(stream.Current()); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*anthropic.BetaMessage{got, &streamed} {
		if len(m.Content) != 1 || m.Content[0].Text != "one two three" || m.StopReason != "end_turn" || m.Usage.OutputTokens != 3 {
			t.Errorf("got %s", m.RawJSON())
		}
	}
}

// TestThreadsAreRefused is what the tool runners of Anthropic's SDKs try first: a conversation that the vendor keeps. All callers share
// the vendor's account, and what a turn costs cannot be told from what it sends; so there are none, and the error is the one upon which
// these SDKs go on by sending the whole conversation (message threads, Anthropic's guide, read 2026-11).
func TestThreadsAreRefused(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	c := anthropicClient(g, g.newKey(t, nil))
	for _, v := range vendors {
		for _, thread := range []map[string]string{{"type": "create"}, {"type": "continue", "previous_message_id": "msg_somebody_elses"}} {
			_, err := c.Beta.Messages.New(t.Context(), anthropic.BetaMessageNewParams{
				Model: v.model(), MaxTokens: 100, Betas: []anthropic.AnthropicBeta{"message-threads-2026-08-12"},
				Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("x"))},
			}, option.WithJSONSet("thread", thread))
			var e *anthropic.Error
			var body struct {
				Error struct {
					Details struct {
						Code string `json:"error_code"`
					}
				}
			}
			if !errors.As(err, &e) || e.StatusCode != 400 || json.Unmarshal([]byte(e.RawJSON()), &body) != nil ||
				body.Error.Details.Code != "thread_unsupported_request" {
				t.Errorf("%s, %s: %v; want details.error_code thread_unsupported_request", v.name, thread["type"], err)
			}
		}
	}
	if n := len(g.provider.Seen()); n > 0 {
		t.Errorf("%d of them reached the provider", n)
	}
}

// TestModelsSDK lists the models as each SDK does.
func TestModelsSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	t.Run("anthropic", func(t *testing.T) {
		c := anthropicClient(g, key)
		page, err := c.Models.List(t.Context(), anthropic.ModelListParams{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(page.Data, func(m anthropic.ModelInfo) bool { return m.ID == "echo" }) {
			t.Errorf("echo is not among %s", page.RawJSON())
		}
		m, err := c.Models.Get(t.Context(), "echo", anthropic.ModelGetParams{})
		if err != nil || m.ID != "echo" {
			t.Errorf("got %+v, %v", m, err)
		}
	})
	t.Run("genai", func(t *testing.T) {
		c := genaiClient(t, g, key)
		found := false
		for m, err := range c.Models.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			found = found || m.Name == "models/echo" && slices.Contains(m.SupportedActions, "generateContent")
		}
		if !found {
			t.Error("echo is not listed")
		}
		m, err := c.Models.Get(t.Context(), "echo", nil)
		if err != nil || m.Name != "models/echo" {
			t.Errorf("got %+v, %v", m, err)
		}
		if _, err := c.Models.Get(t.Context(), "no-such-model", nil); genaiFault(err).status != 404 || genaiFault(err).kind != "NOT_FOUND" {
			t.Errorf("an unknown model: %v", err)
		}
		if _, err := c.Models.GenerateContent(t.Context(), "echo", genai.Text(strings.Repeat("x ", 3)), nil); err != nil {
			t.Error(err)
		}
	})
}
