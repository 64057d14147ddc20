package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	community "github.com/sashabaranov/go-openai"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

func goOpenAI(g *sluice, key string) *community.Client {
	config := community.DefaultConfig(key)
	config.BaseURL = g.url + "/v1"
	return community.NewClientWithConfig(config)
}

func TestGoOpenAI(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		c := goOpenAI(g, g.newKey(t, nil))
		for name, test := range map[string]func(*testing.T, *community.Client){
			"chat": communityChat, "stream": communityStream, "embeddings": communityEmbeddings, "models": communityModels,
			"files": communityFiles, "batch": communityBatch, "errors": communityErrors,
		} {
			t.Run(name, func(t *testing.T) { test(t, c) })
		}
		g.checkBooks(t)
	})
}

func communityRequest(model, text string) community.ChatCompletionRequest {
	return community.ChatCompletionRequest{Model: model, Messages: []community.ChatCompletionMessage{{Role: "user", Content: text}}}
}

func communityChat(t *testing.T, c *community.Client) {
	got, err := c.CreateChatCompletion(t.Context(), communityRequest(chatModel, "Say this is a test"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Choices[0].Message.Content != "Say this is a test" || got.Usage.TotalTokens != got.Usage.PromptTokens+5 {
		t.Errorf("got %+v", got)
	}
}

func communityStream(t *testing.T, c *community.Client) {
	for _, withUsage := range []bool{false, true} {
		request := communityRequest(chatModel, "one two three")
		if withUsage {
			request.StreamOptions = &community.StreamOptions{IncludeUsage: true}
		}
		stream, err := c.CreateChatCompletionStream(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		text, usage := "", 0
		for {
			chunk, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if chunk.Usage != nil {
				usage++
			}
			for _, choice := range chunk.Choices {
				text += choice.Delta.Content
			}
		}
		_ = stream.Close()
		if want := map[bool]int{true: 1}[withUsage]; text != "one two three" || usage != want {
			t.Errorf("with usage %t: %q, and %d chunks tell the usage", withUsage, text, usage)
		}
	}
}

func communityEmbeddings(t *testing.T, c *community.Client) {
	for _, format := range []community.EmbeddingEncodingFormat{community.EmbeddingEncodingFormatFloat, community.EmbeddingEncodingFormatBase64} {
		got, err := c.CreateEmbeddings(t.Context(), community.EmbeddingRequestStrings{
			Input: []string{"a text", "another"}, Model: embedModel, EncodingFormat: format,
		})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if len(got.Data) != 2 || len(got.Data[0].Embedding) == 0 || got.Usage.PromptTokens == 0 {
			t.Errorf("%s: got %+v", format, got)
		}
	}
}

func communityModels(t *testing.T, c *community.Client) {
	list, err := c.ListModels(t.Context())
	if err != nil || len(list.Models) < 3 {
		t.Errorf("models are %+v, %v", list.Models, err)
	}
	one, err := c.GetModel(t.Context(), embedModel)
	if err != nil || one.ID != embedModel {
		t.Errorf("got %+v, %v", one, err)
	}
}

func communityFiles(t *testing.T, c *community.Client) {
	content := inputFile(2, 0)
	f, err := c.CreateFileBytes(t.Context(), community.FileBytesRequest{Name: "in.jsonl", Bytes: content, Purpose: community.PurposeBatch})
	if err != nil || f.Bytes != len(content) || f.Purpose != "batch" {
		t.Fatalf("created %+v, %v", f, err)
	}
	list, err := c.ListFiles(t.Context())
	if err != nil || len(list.Files) == 0 || list.Files[0].ID != f.ID {
		t.Errorf("the newest file is not the first of %+v, %v", list.Files, err)
	}
	raw, err := c.GetFileContent(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if back, err := io.ReadAll(raw); err != nil || !bytes.Equal(back, content) {
		t.Errorf("content has %d bytes, want %d; %v", len(back), len(content), err)
	}
	if err := c.DeleteFile(t.Context(), f.ID); err != nil {
		t.Error(err)
	}
}

func communityBatch(t *testing.T, c *community.Client) {
	const lines = 10
	request := community.CreateBatchWithUploadFileRequest{
		Endpoint: community.BatchEndpointChatCompletions, CompletionWindow: "24h",
		UploadBatchFileRequest: community.UploadBatchFileRequest{FileName: "in.jsonl"},
	}
	for i := range lines {
		request.AddChatCompletion(fmt.Sprintf("line-%d", i), communityRequest(otherModel, "text"))
	}
	b, err := c.CreateBatchWithUploadFile(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, batchLimit, "the batch completes", func() error {
		if b, err = c.RetrieveBatch(t.Context(), b.ID); err == nil && b.Status != "completed" {
			err = fmt.Errorf("it is %s", b.Status)
		}
		return err
	})
	if n := b.RequestCounts; n.Total != lines || n.Completed != lines || b.OutputFileID == nil || b.ErrorFileID != nil {
		t.Fatalf("the batch is %+v", b.Batch)
	}
	raw, err := c.GetFileContent(t.Context(), *b.OutputFileID)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if text, err := io.ReadAll(raw); err != nil || bytes.Count(text, []byte("\n")) != lines {
		t.Errorf("the output is %s, %v", text, err)
	}
	limit := 1
	if list, err := c.ListBatch(t.Context(), nil, &limit); err != nil || len(list.Data) != 1 || list.Data[0].ID != b.ID {
		t.Errorf("the newest batch is not the first of %+v, %v", list.Data, err)
	}
}

func communityErrors(t *testing.T, c *community.Client) {
	for model, want := range map[string]struct {
		status int
		kind   string
	}{
		"fault-400":               {http.StatusBadRequest, gateway.Invalid("", "").Type()},
		"fault-nonsense":          {http.StatusNotFound, "invalid_request_error"},
		"fault-429+retry-after-0": {http.StatusTooManyRequests, "throttling_error"},
	} {
		_, err := c.CreateChatCompletion(t.Context(), communityRequest(model, "x"))
		var e *community.APIError
		if !errors.As(err, &e) || e.HTTPStatusCode != want.status || e.Type != want.kind {
			t.Errorf("%s: %v, want status %d and type %s", model, err, want.status, want.kind)
		}
	}
	stream, err := c.CreateChatCompletionStream(t.Context(), communityRequest("fake-cut-after-2", "one two three four"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for err == nil {
		_, err = stream.Recv()
	}
	if errors.Is(err, io.EOF) {
		t.Error("a stream that the provider cut ends like a whole one")
	}
}
