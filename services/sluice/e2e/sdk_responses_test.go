package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

// responsesFinishes are a response's status, with the reason where it is incomplete.
var responsesFinishes = map[string]string{
	"stop": "completed", "length": "incomplete max_output_tokens", "tools": "completed", "filter": "incomplete content_filter",
}

var (
	responsesSDK = sdk{name: "responses", open: openResponses(false), fault: openaiFault, finishes: responsesFinishes}
	// storedSDK goes on from the response before by its id, which the gateway keeps.
	storedSDK = sdk{name: "stored responses", open: openResponses(true), fault: openaiFault, finishes: responsesFinishes}
)

type responsesTalk struct {
	client responses.ResponseService
	params responses.ResponseNewParams
	stored bool
}

func openResponses(stored bool) func(testing.TB, *sluice, string, wish) talk {
	return func(_ testing.TB, g *sluice, key string, w wish) talk {
		p := responses.ResponseNewParams{Model: w.model, Store: openai.Bool(stored)}
		if w.limit > 0 {
			p.MaxOutputTokens = openai.Int(int64(w.limit))
		}
		if w.system != "" {
			p.Instructions = openai.String(w.system)
		}
		for _, name := range w.tools {
			p.Tools = append(p.Tools, responses.ToolParamOfFunction(name, cityOf, true))
		}
		if w.force {
			p.ToolChoice.OfToolChoiceMode = param.NewOpt(responses.ToolChoiceOptionsRequired)
		}
		if w.schema != nil {
			p.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("person", w.schema)
		}
		if w.think {
			p.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto}
			if !stored {
				p.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
			}
		}
		return &responsesTalk{official(g, key).Responses, p, stored}
	}
}

func (c *responsesTalk) add(items ...responses.ResponseInputItemUnionParam) {
	c.params.Input.OfInputItemList = append(c.params.Input.OfInputItemList, items...)
}

func (c *responsesTalk) say(text string, image ...byte) {
	content := responses.ResponseInputMessageContentListParam{responses.ResponseInputContentParamOfInputText(text)}
	if len(image) > 0 {
		content = append(content, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{
			ImageURL: openai.String(dataURL(image)), Detail: responses.ResponseInputImageDetailAuto,
		}})
	}
	c.add(responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser))
}

func (c *responsesTalk) answer(calls []toolCall, results ...string) {
	for i, call := range calls {
		item := responses.ResponseInputItemParamOfFunctionCallOutput(results[i])
		item.OfFunctionCallOutput.CallID = openai.String(call.id)
		c.add(item)
	}
}

func (c *responsesTalk) run(ctx context.Context, each func()) (r reply, err error) {
	got, err := c.ask(ctx, each)
	if err != nil {
		return r, err
	}
	if c.stored {
		c.params.PreviousResponseID = openai.String(got.ID)
		c.params.Input.OfInputItemList = nil
	}
	r = reply{
		text: got.OutputText(), finish: string(got.Status), model: got.Model, in: got.Usage.InputTokens, out: got.Usage.OutputTokens,
	}
	if why := got.IncompleteDetails.Reason; why != "" {
		r.finish += " " + why
	}
	for _, item := range got.Output {
		if !c.stored {
			c.add(param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
		}
		switch it := item.AsAny().(type) {
		case responses.ResponseFunctionToolCall:
			r.calls = append(r.calls, toolCall{id: it.CallID, name: it.Name, args: it.Arguments})
		case responses.ResponseReasoningItem:
			for _, s := range it.Summary {
				r.thoughts += s.Text
			}
		}
	}
	return r, nil
}

func (c *responsesTalk) ask(ctx context.Context, each func()) (*responses.Response, error) {
	if each == nil {
		return c.client.New(ctx, c.params)
	}
	stream := c.client.NewStreaming(ctx, c.params)
	var said heard
	var whole *responses.Response
	for stream.Next() {
		event := stream.Current()
		if err := said.hear(event); err != nil {
			return nil, err
		}
		switch e := event.AsAny().(type) {
		case responses.ResponseCompletedEvent:
			whole = &e.Response
		case responses.ResponseIncompleteEvent:
			whole = &e.Response
		case responses.ResponseFailedEvent:
			return nil, errors.New("the response failed: " + e.Response.Error.Message)
		case responses.ResponseErrorEvent:
			return nil, errors.New("an error event: " + e.Message)
		}
		each()
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		return nil, err
	}
	if whole == nil {
		return nil, errUnfinished
	}
	return whole, said.agrees(whole)
}

func TestResponsesSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, everyVendor)
	key := g.newKey(t, nil)
	for _, c := range []sdk{responsesSDK, storedSDK} {
		t.Run(c.name, func(t *testing.T) {
			playAll(t, g, key, c)
			checkFaults(t, g, key, c)
			checkBreaks(t, g, key, c)
			checkCancel(t, g, c)
			moveOn(t, g, key, c, func(c talk, model string) { c.(*responsesTalk).params.Model = model })
		})
	}
	g.checkVendorBooks(t)
}
