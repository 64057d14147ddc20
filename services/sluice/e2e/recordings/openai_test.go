package recordings_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func openaiAt(url string) openai.Client {
	return openai.NewClient(option.WithBaseURL(url), option.WithAPIKey("sk-x"), option.WithMaxRetries(0))
}

func TestChat(t *testing.T) {
	(&shelf{
		op: gateway.OpChat, folder: "chat", ask: askChat,
		finishes: map[string]llm.Finish{
			"stop": llm.FinishStop, "length": llm.FinishLength, "tool_calls": llm.FinishTools, "function_call": llm.FinishTools,
			"content_filter": llm.FinishFilter,
		},
		noThoughts: true,
		strange: []string{
			"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "images", "cost", "is_byok", "provider", "error", "prefix",
			"prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "provider_specific_fields", "extra_content", "content_filter_results",
			"prompt_filter_results", "annotations", "file", "native_finish_reason",
		},
		apart: map[string][]string{
			"the SDK has left out function_call, which tools replaced":              {"answer/function_call", "stream/function_call"},
			"Mistral's content is a list":                                           {"answer/mistral", "stream/mistral", "stream/list"},
			"some hosts' tool calls have no ids, or objects for arguments":          {"answer/objects"},
			"some hosts give all tool calls one index":                              {"stream/whole_calls", "stream/same_index"},
			"some hosts leave the finish reason out":                                {"answer/nulls", "stream/no_finish", "stream/empty_finish"},
			"some hosts send chunks after the one that ends":                        {"stream/after_finish", "stream/openrouter_keepalive"},
			"Azure's filter adds chunks without an id":                              {"stream/azure"},
			"some hosts tell the usage so far in each chunk, which the SDK adds up": {"stream/usage_in_each"},
			"the gateway believes no usage that cannot be":                          {"answer/no_usage"},
			"xAI does not count reasoning among the output":                         {"answer/xai"},
			"a null error is one to the SDK":                                        {"stream/nulls"},
			"the SDK misses errors that are not OpenAI's":                           {"stream/error_vllm", "stream/error_choice", "stream/error_capacity"},
			"the SDK asks for no [DONE], and for no choice":                         {"stream/cut_after_usage", "stream/no_choices", "stream/only_done"},
			"the gateway mends what is no UTF-8":                                    {"stream/bad_utf8"},
		},
	}).run(t)
}

func askChat(ctx context.Context, url string, stream bool) (heard, error) {
	client := openaiAt(url)
	params := openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("x")}}
	if !stream {
		c, err := client.Chat.Completions.New(ctx, params)
		if err != nil {
			return heard{}, err
		}
		return chatHeard(c), nil
	}
	chunks := client.Chat.Completions.NewStreaming(ctx, params)
	var whole openai.ChatCompletionAccumulator
	var names []string
	for chunks.Next() {
		chunk := chunks.Current()
		names = append(names, strange(chunk)...)
		if !whole.AddChunk(chunk) {
			return heard{}, errors.New("a chunk does not fit: " + chunk.RawJSON())
		}
	}
	if err := errors.Join(chunks.Err(), chunks.Close()); err != nil {
		return heard{}, err
	}
	h := chatHeard(&whole.ChatCompletion)
	h.strange = names
	for _, c := range h.Choices {
		if c.vendor == "" {
			return h, errUnfinished
		}
	}
	return h, nil
}

func chatHeard(c *openai.ChatCompletion) heard {
	h := heard{Input: c.Usage.PromptTokens, Output: c.Usage.CompletionTokens, strange: strange(*c)}
	for i := range c.Choices {
		from, s := &c.Choices[i], h.choice(i)
		s.vendor = from.FinishReason
		s.Text, s.Refusal = from.Message.Content, from.Message.Refusal
		for _, tool := range from.Message.ToolCalls {
			s.Calls = append(s.Calls, call{tool.ID, tool.Function.Name, tool.Function.Arguments})
		}
	}
	return h
}

func TestResponses(t *testing.T) {
	(&shelf{
		op: gateway.OpResponses, folder: "responses", ask: askResponses,
		finishes: map[string]llm.Finish{
			"completed": llm.FinishStop, "max_output_tokens": llm.FinishLength, "content_filter": llm.FinishFilter,
		},
		strange: []string{"store", "obfuscation", "bytes", "name"}, // of which the API's reference knows
		apart: map[string][]string{
			"an imitator's last event does not repeat the output": {"stream/imitator"},
		},
	}).run(t)
}

func askResponses(ctx context.Context, url string, stream bool) (heard, error) {
	client := openaiAt(url)
	params := responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("x")}}
	if !stream {
		r, err := client.Responses.New(ctx, params)
		if err != nil {
			return heard{}, err
		}
		return responsesHeard(r)
	}
	events := client.Responses.NewStreaming(ctx, params)
	var names []string
	h, err := heard{}, errUnfinished
	for events.Next() {
		e := events.Current()
		names = append(names, strange(e)...)
		switch e := e.AsAny().(type) {
		case responses.ResponseCompletedEvent:
			h, err = responsesHeard(&e.Response)
		case responses.ResponseIncompleteEvent:
			h, err = responsesHeard(&e.Response)
		case responses.ResponseFailedEvent:
			_, err = responsesHeard(&e.Response)
		case responses.ResponseErrorEvent:
			err = errors.New(e.Message)
		}
	}
	if failed := errors.Join(events.Err(), events.Close()); failed != nil {
		err = failed
	}
	h.strange = names
	return h, err
}

func responsesHeard(r *responses.Response) (heard, error) {
	if r.Status == responses.ResponseStatusFailed {
		return heard{}, errors.New(r.Error.Message)
	}
	h := heard{Input: r.Usage.InputTokens, Output: r.Usage.OutputTokens, strange: strange(*r)}
	s := h.choice(0)
	if s.vendor = r.IncompleteDetails.Reason; s.vendor == "" {
		s.vendor = string(r.Status)
	}
	for _, item := range r.Output {
		switch it := item.AsAny().(type) {
		case responses.ResponseFunctionToolCall:
			s.Calls = append(s.Calls, call{it.CallID, it.Name, it.Arguments})
		case responses.ResponseReasoningItem:
			var summary []string
			for _, part := range it.Summary {
				summary = append(summary, part.Text)
			}
			s.Thoughts += strings.Join(summary, "\n\n")
		case responses.ResponseOutputMessage:
			for _, part := range it.Content {
				s.Text += part.Text
				s.Refusal += part.Refusal
			}
		}
	}
	return h, nil
}
