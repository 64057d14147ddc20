package recordings_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/sluice-gateway/sluice/shared/dialect/converse"
	"github.com/sluice-gateway/sluice/shared/dialect/dialecttest"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestBedrock(t *testing.T) {
	(&shelf{
		op: converse.Dialect.Op, folder: "converse", ask: askBedrock,
		load: dialecttest.EventStream,
		finishes: map[string]llm.Finish{
			"end_turn": llm.FinishStop, "tool_use": llm.FinishTools, "max_tokens": llm.FinishLength, "stop_sequence": llm.FinishStopSeq,
			"content_filtered": llm.FinishFilter, "guardrail_intervened": llm.FinishFilter, "model_context_window_exceeded": llm.FinishLength,
			"malformed_tool_use": llm.FinishLength,
		},
		apart: map[string][]string{
			"the gateway believes no usage that cannot be":   {"answer/usage_beyond_belief", "stream/sealed"},
			"the gateway takes a new stop reason for an end": {"answer/new_reason"},
		},
	}).run(t)
}

func bedrockAt(url string) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "A", SecretAccessKey: "S"}, nil
		}),
	})
}

func askBedrock(ctx context.Context, url string, stream bool) (h heard, err error) {
	client := bedrockAt(url)
	if stream {
		return bedrockStream(ctx, client)
	}
	o, err := client.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String("m")})
	if err != nil {
		return h, err
	}
	s := h.choice(0)
	s.vendor = string(o.StopReason)
	h.spent(o.Usage)
	m, ok := o.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return h, errUnfinished
	}
	for _, block := range m.Value.Content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			s.Text += b.Value
		case *types.ContentBlockMemberCitationsContent:
			for _, c := range b.Value.Content {
				if text, ok := c.(*types.CitationGeneratedContentMemberText); ok {
					s.Text += text.Value
				}
			}
		case *types.ContentBlockMemberReasoningContent:
			if r, ok := b.Value.(*types.ReasoningContentBlockMemberReasoningText); ok {
				s.Thoughts += aws.ToString(r.Value.Text)
			}
		case *types.ContentBlockMemberToolUse:
			if b.Value.Type == "" { // else the vendor runs it
				s.Calls = append(s.Calls, call{aws.ToString(b.Value.ToolUseId), aws.ToString(b.Value.Name), documentText(b.Value.Input)})
			}
		}
	}
	return h, nil
}

func documentText(d document.Interface) string {
	if d == nil {
		return ""
	}
	text, err := d.MarshalSmithyDocument()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (h *heard) spent(u *types.TokenUsage) {
	if u == nil {
		return
	}
	h.Input = int64(aws.ToInt32(u.InputTokens) + aws.ToInt32(u.CacheReadInputTokens) + aws.ToInt32(u.CacheWriteInputTokens))
	h.Output = int64(aws.ToInt32(u.OutputTokens))
}

func bedrockStream(ctx context.Context, client *bedrockruntime.Client) (h heard, err error) {
	o, err := client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		return h, err
	}
	s, calls := h.choice(0), map[int32]int{} // places in s.Calls, by block
	for event := range o.GetStream().Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			if tool, ok := e.Value.Start.(*types.ContentBlockStartMemberToolUse); ok && tool.Value.Type == "" {
				calls[aws.ToInt32(e.Value.ContentBlockIndex)] = len(s.Calls)
				s.Calls = append(s.Calls, call{ID: aws.ToString(tool.Value.ToolUseId), Name: aws.ToString(tool.Value.Name)})
			}
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				s.Text += d.Value
			case *types.ContentBlockDeltaMemberReasoningContent:
				if thought, ok := d.Value.(*types.ReasoningContentBlockDeltaMemberText); ok {
					s.Thoughts += thought.Value
				}
			case *types.ContentBlockDeltaMemberToolUse:
				if at, ours := calls[aws.ToInt32(e.Value.ContentBlockIndex)]; ours {
					s.Calls[at].Arguments += aws.ToString(d.Value.Input)
				}
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			s.vendor = string(e.Value.StopReason)
		case *types.ConverseStreamOutputMemberMetadata:
			h.spent(e.Value.Usage)
		}
	}
	if err := o.GetStream().Err(); err != nil {
		return h, err
	}
	if s.vendor == "" {
		return h, errUnfinished
	}
	return h, nil
}
