package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

var anthropicSDK = sdk{
	name: "anthropic-sdk-go", open: openAnthropic, fault: anthropicFault,
	finishes: map[string]string{"stop": "end_turn", "length": "max_tokens", "tools": "tool_use", "filter": "refusal"},
}

func anthropicClient(g *sluice, key string, opts ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{
		option.WithBaseURL(g.url), option.WithAPIKey(key), option.WithMaxRetries(0),
	}, opts...)...)
}

type anthropicTalk struct {
	client anthropic.Client
	params anthropic.MessageNewParams
}

func openAnthropic(_ testing.TB, g *sluice, key string, w wish) talk {
	p := anthropic.MessageNewParams{Model: w.model, MaxTokens: 4096}
	if w.limit > 0 {
		p.MaxTokens = int64(w.limit)
	}
	if w.system != "" {
		p.System = []anthropic.TextBlockParam{{Text: w.system, CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	}
	for _, name := range w.tools {
		p.Tools = append(p.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
			Name: name, Description: anthropic.String("Tells something of a city."),
			InputSchema: anthropic.ToolInputSchemaParam{Properties: cityOf["properties"], Required: []string{"city"}},
		}})
	}
	if w.force {
		p.ToolChoice = anthropic.ToolChoiceUnionParam{OfAny: &anthropic.ToolChoiceAnyParam{}}
	}
	if w.schema != nil {
		p.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: w.schema}}
	}
	if w.think {
		p.Thinking = anthropic.ThinkingConfigParamOfEnabled(1024)
	}
	if w.stop != "" {
		p.StopSequences = []string{w.stop}
	}
	return &anthropicTalk{anthropicClient(g, key), p}
}

func (a *anthropicTalk) say(text string, image ...byte) {
	blocks := []anthropic.ContentBlockParamUnion{anthropic.NewTextBlock(text)}
	if len(image) > 0 {
		blocks = append(blocks, anthropic.NewImageBlockBase64("image/png", base64.StdEncoding.EncodeToString(image)))
	}
	a.params.Messages = append(a.params.Messages, anthropic.NewUserMessage(blocks...))
}

func (a *anthropicTalk) answer(calls []toolCall, results ...string) {
	var blocks []anthropic.ContentBlockParamUnion
	for i, c := range calls {
		blocks = append(blocks, anthropic.NewToolResultBlock(c.id, results[i], false))
	}
	a.params.Messages = append(a.params.Messages, anthropic.NewUserMessage(blocks...))
}

func (a *anthropicTalk) run(ctx context.Context, each func()) (reply, error) {
	m, err := a.ask(ctx, each)
	if err != nil {
		return reply{}, err
	}
	a.params.Messages = append(a.params.Messages, m.ToParam())
	return anthropicReply(m), nil
}

func (a *anthropicTalk) ask(ctx context.Context, each func()) (*anthropic.Message, error) {
	if each == nil {
		return a.client.Messages.New(ctx, a.params)
	}
	stream := a.client.Messages.NewStreaming(ctx, a.params)
	m, stopped := anthropic.Message{}, false
	for stream.Next() {
		event := stream.Current()
		if err := m.Accumulate(event); err != nil {
			return nil, err
		}
		stopped = stopped || event.Type == "message_stop"
		each()
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		return nil, err
	}
	if !stopped {
		return nil, errUnfinished
	}
	return &m, nil
}

// errUnfinished is for a stream that ended without an error and without what its API ends streams with.
var errUnfinished = errors.New("the stream has no end")

func anthropicReply(m *anthropic.Message) reply {
	r := reply{
		finish: string(m.StopReason), model: m.Model, out: m.Usage.OutputTokens,
		in: m.Usage.InputTokens + m.Usage.CacheReadInputTokens + m.Usage.CacheCreationInputTokens,
	}
	for _, block := range m.Content {
		switch b := block.AsAny().(type) {
		case anthropic.TextBlock:
			r.text += b.Text
		case anthropic.ThinkingBlock:
			r.thoughts += b.Thinking
		case anthropic.ToolUseBlock:
			r.calls = append(r.calls, toolCall{id: b.ID, name: b.Name, args: string(b.Input)})
		}
	}
	return r
}

func anthropicFault(err error) refusal {
	var e *anthropic.Error
	if !errors.As(err, &e) {
		return refusal{message: "not the SDK's error: " + err.Error()}
	}
	f := refusal{status: e.StatusCode, kind: string(e.Type()), message: e.RawJSON()}
	if e.Response != nil {
		f.retryAfter = e.Response.Header.Get("Retry-After")
	}
	return f
}

// TestBudgetIsNotTriedAgain counts what an SDK with its usual settings makes of a budget that is used up: one request.
func TestBudgetIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, map[string]any{"max_budget": 0.00000001})
	requests := 0
	count := func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		requests++
		return next(r)
	}
	c := anthropic.NewClient(option.WithBaseURL(g.url), option.WithAPIKey(key), option.WithMiddleware(count))
	_, err := c.Messages.New(t.Context(), anthropic.MessageNewParams{
		Model: vendors[0].model(), MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("x"))},
	})
	if f := anthropicFault(err); f.status != http.StatusTooManyRequests || requests != 1 {
		t.Errorf("%d requests, and then %v", requests, err)
	}
}

func TestAnthropicSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	t.Run("all", func(t *testing.T) {
		playAll(t, g, key, anthropicSDK)
		checkFaults(t, g, key, anthropicSDK)
		checkBreaks(t, g, key, anthropicSDK)
		checkCancel(t, g, anthropicSDK)
		moveOn(t, g, key, anthropicSDK, func(c talk, model string) { c.(*anthropicTalk).params.Model = model })
	})
	g.checkVendorBooks(t)
}
