package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	community "github.com/sashabaranov/go-openai"
)

// chatFinishes are the words of OpenAI's chat.
var chatFinishes = map[string]string{"stop": "stop", "length": "length", "tools": "tool_calls", "filter": "content_filter"}

var (
	openaiSDK = sdk{name: "openai-go", open: openChat, fault: openaiFault, finishes: chatFinishes, quiet: true}
	goopenSDK = sdk{name: "go-openai", open: openCommunity, fault: communityFault, finishes: chatFinishes, meek: true}
)

func dataURL(image []byte) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(image)
}

type chatTalk struct {
	client openai.Client
	params openai.ChatCompletionNewParams
}

func openChat(_ testing.TB, g *sluice, key string, w wish) talk {
	p := openai.ChatCompletionNewParams{Model: w.model}
	if w.limit > 0 {
		p.MaxCompletionTokens = openai.Int(int64(w.limit))
	}
	if w.system != "" {
		p.Messages = append(p.Messages, openai.SystemMessage(w.system))
	}
	for _, name := range w.tools {
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: name, Description: openai.String("Tells something of a city."), Parameters: cityOf,
		}))
	}
	if w.force {
		p.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("required")}
	}
	if w.schema != nil {
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "person", Schema: w.schema, Strict: openai.Bool(true)},
		}
	}
	if w.think {
		p.ReasoningEffort = shared.ReasoningEffortLow
	}
	if w.stop != "" {
		p.Stop.OfString = openai.String(w.stop)
	}
	return &chatTalk{official(g, key), p}
}

func (c *chatTalk) say(text string, image ...byte) {
	parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(text)}
	if len(image) > 0 {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: dataURL(image)}))
	}
	c.params.Messages = append(c.params.Messages, openai.UserMessage(parts))
}

func (c *chatTalk) answer(calls []toolCall, results ...string) {
	for i, call := range calls {
		c.params.Messages = append(c.params.Messages, openai.ToolMessage(results[i], call.id))
	}
}

func (c *chatTalk) run(ctx context.Context, each func()) (reply, error) {
	got, err := c.ask(ctx, each)
	if err != nil {
		return reply{}, err
	}
	m := got.Choices[0].Message
	c.params.Messages = append(c.params.Messages, m.ToParam())
	r := reply{
		text: m.Content, finish: got.Choices[0].FinishReason, model: got.Model, in: got.Usage.PromptTokens, out: got.Usage.CompletionTokens,
	}
	for _, call := range m.ToolCalls {
		r.calls = append(r.calls, toolCall{id: call.ID, name: call.Function.Name, args: call.Function.Arguments})
	}
	return r, nil
}

func (c *chatTalk) ask(ctx context.Context, each func()) (*openai.ChatCompletion, error) {
	if each == nil {
		return c.client.Chat.Completions.New(ctx, c.params)
	}
	p := c.params
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.client.Chat.Completions.NewStreaming(ctx, p)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			return nil, errors.New("a chunk does not fit: " + stream.Current().RawJSON())
		}
		each()
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		return nil, err
	}
	if len(all.Choices) == 0 || all.Choices[0].FinishReason == "" {
		return nil, errUnfinished
	}
	return &all.ChatCompletion, nil
}

func openaiFault(err error) refusal {
	var e *openai.Error
	if !errors.As(err, &e) {
		return refusal{message: "not the SDK's error: " + err.Error()}
	}
	f := refusal{status: e.StatusCode, kind: e.Type, message: e.Message}
	if e.Response != nil {
		f.retryAfter = e.Response.Header.Get("Retry-After")
	}
	return f
}

type communityTalk struct {
	client  *community.Client
	request community.ChatCompletionRequest
}

func openCommunity(_ testing.TB, g *sluice, key string, w wish) talk {
	r := community.ChatCompletionRequest{Model: w.model, MaxCompletionTokens: w.limit}
	if w.system != "" {
		r.Messages = append(r.Messages, community.ChatCompletionMessage{Role: "system", Content: w.system})
	}
	for _, name := range w.tools {
		r.Tools = append(r.Tools, community.Tool{Type: community.ToolTypeFunction, Function: &community.FunctionDefinition{
			Name: name, Description: "Tells something of a city.", Parameters: cityOf,
		}})
	}
	if w.force {
		r.ToolChoice = "required"
	}
	if w.schema != nil {
		text, _ := json.Marshal(w.schema) // is one of ours
		r.ResponseFormat = &community.ChatCompletionResponseFormat{
			Type:       community.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &community.ChatCompletionResponseFormatJSONSchema{Name: "person", Schema: json.RawMessage(text), Strict: true},
		}
	}
	if w.think {
		r.ReasoningEffort = "low"
	}
	if w.stop != "" {
		r.Stop = []string{w.stop}
	}
	return &communityTalk{goOpenAI(g, key), r}
}

func (c *communityTalk) say(text string, image ...byte) {
	m := community.ChatCompletionMessage{Role: "user", Content: text}
	if len(image) > 0 {
		m.Content, m.MultiContent = "", []community.ChatMessagePart{
			{Type: community.ChatMessagePartTypeText, Text: text},
			{Type: community.ChatMessagePartTypeImageURL, ImageURL: &community.ChatMessageImageURL{URL: dataURL(image)}},
		}
	}
	c.request.Messages = append(c.request.Messages, m)
}

func (c *communityTalk) answer(calls []toolCall, results ...string) {
	for i, call := range calls {
		c.request.Messages = append(c.request.Messages, community.ChatCompletionMessage{Role: "tool", Content: results[i], ToolCallID: call.id})
	}
}

func (c *communityTalk) run(ctx context.Context, each func()) (r reply, err error) {
	m := community.ChatCompletionMessage{Role: "assistant"}
	if each == nil {
		var got community.ChatCompletionResponse
		if got, err = c.client.CreateChatCompletion(ctx, c.request); err == nil {
			m = got.Choices[0].Message
			r.finish, r.model = string(got.Choices[0].FinishReason), got.Model
			r.in, r.out = int64(got.Usage.PromptTokens), int64(got.Usage.CompletionTokens)
		}
	} else {
		err = c.stream(ctx, each, &r, &m)
	}
	if err != nil {
		return r, err
	}
	c.request.Messages = append(c.request.Messages, m)
	r.text, r.thoughts = m.Content, m.ReasoningContent
	for _, call := range m.ToolCalls {
		r.calls = append(r.calls, toolCall{id: call.ID, name: call.Function.Name, args: call.Function.Arguments})
	}
	return r, nil
}

// stream puts the chunks together as the users of this SDK do: it has nothing for that.
func (c *communityTalk) stream(ctx context.Context, each func(), r *reply, m *community.ChatCompletionMessage) error {
	request := c.request
	request.StreamOptions = &community.StreamOptions{IncludeUsage: true}
	stream, err := c.client.CreateChatCompletionStream(ctx, request)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		chunk, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && r.finish == "":
			return errUnfinished
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		each()
		r.model = chunk.Model
		if chunk.Usage != nil {
			r.in, r.out = int64(chunk.Usage.PromptTokens), int64(chunk.Usage.CompletionTokens)
		}
		for _, choice := range chunk.Choices {
			m.Content += choice.Delta.Content
			m.ReasoningContent += choice.Delta.ReasoningContent
			for _, call := range choice.Delta.ToolCalls {
				if *call.Index == len(m.ToolCalls) {
					m.ToolCalls = append(m.ToolCalls, community.ToolCall{
						ID: call.ID, Type: call.Type, Function: community.FunctionCall{Name: call.Function.Name},
					})
				}
				m.ToolCalls[*call.Index].Function.Arguments += call.Function.Arguments
			}
			if choice.FinishReason != "" {
				r.finish = string(choice.FinishReason)
			}
		}
	}
}

func communityFault(err error) refusal {
	var e *community.APIError
	if !errors.As(err, &e) {
		return refusal{message: "not the SDK's error: " + err.Error()}
	}
	return refusal{status: e.HTTPStatusCode, kind: e.Type, message: e.Message}
}

func TestChatSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	t.Run("openai-go", func(t *testing.T) {
		playAll(t, g, key, openaiSDK)
		checkFaults(t, g, key, openaiSDK)
		checkBreaks(t, g, key, openaiSDK)
		checkCancel(t, g, openaiSDK)
		moveOn(t, g, key, openaiSDK, func(c talk, model string) { c.(*chatTalk).params.Model = model })
	})
	t.Run("go-openai", func(t *testing.T) {
		playAll(t, g, key, goopenSDK)
		checkFaults(t, g, key, goopenSDK)
		checkBreaks(t, g, key, goopenSDK)
		checkCancel(t, g, goopenSDK)
		moveOn(t, g, key, goopenSDK, func(c talk, model string) { c.(*communityTalk).request.Model = model })
	})
	g.checkVendorBooks(t)
}
