package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sashabaranov/go-openai"
	"github.com/spf13/cobra"
)

// maxPromptBytes is the longest prompt that is read from standard input: the gateway's own limit for a body.
const maxPromptBytes = 32 << 20

func chatCommand(a *app) *cobra.Command {
	var system string
	var usage bool
	c := &cobra.Command{
		Use: "chat MODEL [PROMPT...]", Short: "Ask a model and stream its answer", Args: cobra.MinimumNArgs(1),
		Long: "Asks a model and streams its answer to standard output. Without a prompt it is read from standard input.\nA prompt that begins with a dash goes after --.",
		RunE: func(cmd *cobra.Command, args []string) error {
			prompt, err := a.prompt(cmd, args[1:])
			if err != nil {
				return err
			}
			request := openai.ChatCompletionRequest{Model: args[0], StreamOptions: &openai.StreamOptions{IncludeUsage: usage}}
			if !usage {
				request.StreamOptions = nil
			}
			if system != "" {
				request.Messages = append(request.Messages, openai.ChatCompletionMessage{Role: "system", Content: system})
			}
			request.Messages = append(request.Messages, openai.ChatCompletionMessage{Role: "user", Content: prompt})
			return a.chat(cmd, request)
		},
	}
	c.Flags().StringVar(&system, "system", "", "instructions to the model")
	c.Flags().BoolVar(&usage, "usage", false, "say afterwards how many tokens it took")
	return c
}

// prompt is the words of the command line, or standard input.
func (a *app) prompt(cmd *cobra.Command, words []string) (string, error) {
	if len(words) > 0 {
		return strings.Join(words, " "), nil
	}
	if f, ok := cmd.InOrStdin().(*os.File); ok && a.IsTerminal(f) {
		fmt.Fprintln(cmd.ErrOrStderr(), "type the prompt, end it with Ctrl-D")
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxPromptBytes+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxPromptBytes:
		return "", fmt.Errorf("the prompt is longer than %d bytes", maxPromptBytes)
	case strings.TrimSpace(string(text)) == "":
		return "", errors.New("there is no prompt")
	}
	return string(text), nil
}

// chat streams the answer. A stream that ends without a finish reason was cut off, and that is an error.
func (a *app) chat(cmd *cobra.Command, request openai.ChatCompletionRequest) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	stream, err := cl.openai().CreateChatCompletionStream(ctx, request)
	if err != nil {
		return cl.fromOpenAI(ctx, err)
	}
	defer stream.Close()
	out := cmd.OutOrStdout()
	if a.IsTerminal(out) {
		out = newCleaner(out)
	}
	usage, err := cl.copyAnswer(ctx, out, stream)
	if _, lineEnd := io.WriteString(out, "\n"); err == nil {
		err = lineEnd
	}
	if err == nil && usage != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d tokens in, %d out, %d in all\n", usage.PromptTokens, usage.CompletionTokens, usage.TotalTokens)
	}
	return err
}

func (c *client) copyAnswer(ctx context.Context, out io.Writer, stream *openai.ChatCompletionStream) (*openai.Usage, error) {
	var usage *openai.Usage
	finished := false
	for {
		chunk, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && finished:
			return usage, nil
		case errors.Is(err, io.EOF):
			return usage, errors.New("the answer was cut off")
		case err != nil:
			return usage, c.fromOpenAI(ctx, err)
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
		for _, choice := range chunk.Choices {
			finished = finished || choice.FinishReason != ""
			if _, err := io.WriteString(out, choice.Delta.Content+choice.Delta.Refusal); err != nil {
				return usage, err
			}
		}
	}
}

// openai is the public client for the same gateway and key.
func (c *client) openai() *openai.Client {
	config := openai.DefaultConfig(c.key.Reveal())
	config.BaseURL, config.HTTPClient = c.base+"/v1", c.http
	return openai.NewClientWithConfig(config)
}

// fromOpenAI turns that client's errors, which repeat bodies and addresses, into ours.
func (c *client) fromOpenAI(ctx context.Context, err error) error {
	var refusal *openai.APIError
	var other *openai.RequestError
	switch {
	case errors.As(err, &other): // before the next: it may wrap one that is empty
		return c.refused(other.HTTPStatusCode, other.Body)
	case errors.As(err, &refusal):
		return &apiError{refusal.HTTPStatusCode, first(refusal.Message, "the gateway refused without a reason")}
	default:
		return c.lost(ctx, err)
	}
}
