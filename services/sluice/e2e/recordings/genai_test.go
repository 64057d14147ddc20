package recordings_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

func TestGenAI(t *testing.T) {
	(&shelf{
		op: gateway.OpGemini, folder: "gemini", ask: askGenAI,
		finishes: map[string]llm.Finish{
			"STOP": llm.FinishStop, "MAX_TOKENS": llm.FinishLength, "SAFETY": llm.FinishFilter, "PROHIBITED_CONTENT": llm.FinishFilter,
			"MALFORMED_FUNCTION_CALL": llm.FinishStop,
		},
		apart: map[string][]string{
			"code that Google ran, and what came of it, is told as text": {"answer/code"},
			"the gateway undoes what it does to names of functions":      {"answer/tools"},
			"the SDK takes no comments in a stream":                      {"stream/tools"},
		},
	}).run(t)
}

func genaiAt(ctx context.Context, url string) (*genai.Client, error) {
	return genai.NewClient(ctx, &genai.ClientConfig{APIKey: "x", Backend: genai.BackendGeminiAPI, HTTPOptions: onlyOnce(url)})
}

// vertexAt is for the same API on Google Cloud.
func vertexAt(ctx context.Context, url string) (*genai.Client, error) {
	return genai.NewClient(ctx, &genai.ClientConfig{
		Project: "p", Location: "us-central1", Backend: genai.BackendVertexAI, HTTPOptions: onlyOnce(url), HTTPClient: http.DefaultClient,
	})
}

func onlyOnce(url string) genai.HTTPOptions {
	once := int32(1)
	return genai.HTTPOptions{BaseURL: url, RetryOptions: &genai.HTTPRetryOptions{Attempts: &once}}
}

func askGenAI(ctx context.Context, url string, stream bool) (h heard, err error) {
	client, err := genaiAt(ctx, url)
	if err != nil {
		return h, err
	}
	if !stream {
		r, err := client.Models.GenerateContent(ctx, "m", genai.Text("x"), nil)
		if err == nil {
			h.hearGenAI(r)
		}
		return h, err
	}
	for r, err := range client.Models.GenerateContentStream(ctx, "m", genai.Text("x"), nil) {
		if err != nil {
			return h, err
		}
		h.hearGenAI(r)
	}
	for _, s := range h.Choices {
		if s.vendor == "" {
			return h, errUnfinished
		}
	}
	return h, nil
}

// hearGenAI adds an answer, or a part of one.
func (h *heard) hearGenAI(r *genai.GenerateContentResponse) {
	if u := r.UsageMetadata; u != nil {
		h.Input, h.Output = int64(u.PromptTokenCount+u.ToolUsePromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount)
	}
	if f := r.PromptFeedback; f != nil && f.BlockReason != "" {
		h.choice(0).vendor = string(f.BlockReason)
	}
	for _, c := range r.Candidates {
		s := h.choice(int(c.Index))
		if c.FinishReason != "" {
			s.vendor = string(c.FinishReason)
		}
		if c.Content == nil {
			continue
		}
		for _, p := range c.Content.Parts {
			switch {
			case p.FunctionCall != nil:
				args, _ := json.Marshal(p.FunctionCall.Args) // came from JSON
				s.Calls = append(s.Calls, call{p.FunctionCall.ID, p.FunctionCall.Name, string(args)})
			case p.Thought:
				s.Thoughts += p.Text
			default:
				s.Text += p.Text
			}
		}
	}
}

// sayGenAI has the SDK say what is in a body.
func sayGenAI(t *testing.T, body []byte) {
	t.Helper()
	var contents []*genai.Content
	config := map[string]json.RawMessage{}
	for name, value := range raw(t, body) {
		switch name {
		case "contents":
			fill(t, value, &contents)
		case "generationConfig":
			fill(t, value, &config)
		default:
			config[name] = value
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var settings genai.GenerateContentConfig
	fill(t, text, &settings)
	url, sent := ear(t)
	client, err := genaiAt(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Models.GenerateContent(t.Context(), "m", contents, &settings); *sent == nil {
		t.Fatal(err)
	}
	asked := object(t, *sent)
	if system, ok := asked["systemInstruction"].(map[string]any); ok {
		delete(system, "role") // a user's, says the SDK
	}
	if text, err = json.Marshal(asked); err != nil {
		t.Fatal(err)
	}
	same(t, body, text)
}

// Google's errors say the same to the SDK as to the gateway.
func TestGenAIErrors(t *testing.T) {
	t.Parallel()
	for name, text := range recordings(t, "gemini/testdata/errors/*.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(text)
			want := all.Of(gateway.OpGemini).Out.DecodeError(http.StatusTeapot, nil, body)
			_, err := askGenAI(t.Context(), stub(t, http.StatusTeapot, "application/json", body), false)
			var got genai.APIError
			if !errors.As(err, &got) || !strings.Contains(got.Message, want.Message) {
				t.Errorf("the SDK reads %v, the gateway %v", err, want)
			}
		})
	}
}

// Google's vectors are the same to the SDK.
func TestGenAIEmbeddings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		recordings string
		op         gateway.Op
		model      string
		client     func(context.Context, string) (*genai.Client, error)
	}{
		{"gemini_*", gateway.OpGeminiEmbed, "gemini-embedding-001", genaiAt},
		{"vertex_00*", gateway.OpVertexPredict, "text-embedding-005", vertexAt},
		{"vertex_2", gateway.OpVertexPredict, "gemini-embedding-2", vertexAt},
	} {
		for name, text := range recordings(t, "embed/testdata/"+c.recordings+".answer.json") {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				body := []byte(text)
				want, err := embed.Dialects[c.op].DecodeEmbedding(body)
				if err != nil {
					t.Fatal(err)
				}
				client, err := c.client(t.Context(), stub(t, http.StatusOK, "application/json", body))
				if err != nil {
					t.Fatal(err)
				}
				got, err := client.Models.EmbedContent(t.Context(), c.model, genai.Text("x"), nil)
				if err != nil {
					t.Fatal(err)
				}
				var values [][]float32
				for _, e := range got.Embeddings {
					values = append(values, e.Values)
				}
				if !slices.EqualFunc(want.Values, values, slices.Equal) {
					t.Errorf("the SDK reads %v, the gateway %v", values, want.Values)
				}
			})
		}
	}
}
