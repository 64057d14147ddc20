package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"google.golang.org/genai"
)

var genaiSDK = sdk{
	name: "genai", open: openGenAI, fault: genaiFault,
	finishes: map[string]string{"stop": "STOP", "length": "MAX_TOKENS", "tools": "STOP", "filter": "SAFETY"},
}

func genaiClient(t testing.TB, g *sluice, key string) *genai.Client {
	t.Helper()
	once := int32(1) // no tries again
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: g.url, RetryOptions: &genai.HTTPRetryOptions{Attempts: &once}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// genaiTalk is one of the SDK's chats, which keeps what was said.
type genaiTalk struct {
	client  *genai.Client
	model   string
	config  genai.GenerateContentConfig
	history []*genai.Content
	next    []*genai.Part
}

func openGenAI(t testing.TB, g *sluice, key string, w wish) talk {
	g1 := &genaiTalk{client: genaiClient(t, g, key), model: w.model}
	c := &g1.config
	c.MaxOutputTokens = int32(w.limit)
	if w.system != "" {
		c.SystemInstruction = genai.NewContentFromText(w.system, genai.RoleUser)
	}
	for _, name := range w.tools {
		c.Tools = append(c.Tools, &genai.Tool{FunctionDeclarations: []*genai.FunctionDeclaration{{
			Name: name, Description: "Tells something of a city.", Parameters: &genai.Schema{
				Type: genai.TypeObject, Required: []string{"city"}, Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}},
			},
		}}})
	}
	if w.force {
		c.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny}}
	}
	if w.schema != nil {
		c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", w.schema
	}
	if w.think {
		budget := int32(1024)
		c.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: &budget}
	}
	if w.stop != "" {
		c.StopSequences = []string{w.stop}
	}
	return g1
}

func (c *genaiTalk) say(text string, image ...byte) {
	c.next = []*genai.Part{genai.NewPartFromText(text)}
	if len(image) > 0 {
		c.next = append(c.next, genai.NewPartFromBytes(image, "image/png"))
	}
}

func (c *genaiTalk) answer(calls []toolCall, results ...string) {
	c.next = nil
	for i, call := range calls {
		f := call.native.(*genai.FunctionCall)
		c.next = append(c.next, &genai.Part{FunctionResponse: &genai.FunctionResponse{
			ID: f.ID, Name: f.Name, Response: map[string]any{"output": results[i]},
		}})
	}
}

func (c *genaiTalk) run(ctx context.Context, each func()) (r reply, err error) {
	chat, err := c.client.Chats.Create(ctx, c.model, &c.config, c.history)
	if err != nil {
		return r, err
	}
	if each == nil {
		whole, err := chat.Send(ctx, c.next...)
		if err != nil {
			return r, err
		}
		genaiReply(&r, whole)
	} else {
		for chunk, err := range chat.SendStream(ctx, c.next...) {
			if err != nil {
				return r, err
			}
			genaiReply(&r, chunk)
			each()
		}
		if r.finish == "" {
			return r, errUnfinished
		}
	}
	before := len(c.history)
	if c.history = chat.History(true); len(c.history) < before+2 {
		return r, errors.New("the chat has not kept the turn")
	}
	return r, nil
}

// genaiReply adds an answer, or a part of one.
func genaiReply(r *reply, g *genai.GenerateContentResponse) {
	if u := g.UsageMetadata; u != nil {
		r.in, r.out = int64(u.PromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount)
	}
	r.model = g.ModelVersion
	if len(g.Candidates) == 0 {
		return
	}
	if reason := g.Candidates[0].FinishReason; reason != "" {
		r.finish = string(reason)
	}
	if g.Candidates[0].Content == nil {
		return
	}
	for _, p := range g.Candidates[0].Content.Parts {
		switch {
		case p.FunctionCall != nil:
			args, _ := json.Marshal(p.FunctionCall.Args) // came from JSON
			id := p.FunctionCall.ID
			if id == "" { // Google's older models give none, and the order counts
				id = string(rune('a' + len(r.calls)))
			}
			r.calls = append(r.calls, toolCall{id: id, name: p.FunctionCall.Name, args: string(args), native: p.FunctionCall})
		case p.Thought:
			r.thoughts += p.Text
		default:
			r.text += p.Text
		}
	}
}

func genaiFault(err error) refusal {
	var e genai.APIError
	if !errors.As(err, &e) {
		return refusal{message: "not the SDK's error: " + err.Error()}
	}
	f := refusal{status: e.Code, kind: e.Status, message: e.Message}
	for _, d := range e.Details {
		if wait, ok := d["retryDelay"].(string); ok {
			f.retryAfter = wait
		}
	}
	return f
}

func TestGenAISDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	t.Run("all", func(t *testing.T) {
		playAll(t, g, key, genaiSDK)
		checkFaults(t, g, key, genaiSDK)
		checkBreaks(t, g, key, genaiSDK)
		checkCancel(t, g, genaiSDK)
		moveOn(t, g, key, genaiSDK, func(c talk, model string) { c.(*genaiTalk).model = model })
	})
	g.checkVendorBooks(t)
}
