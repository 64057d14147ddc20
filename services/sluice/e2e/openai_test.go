package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

func official(g *sluice, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(g.url+"/v1/"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func params(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func TestOfficialSDK(t *testing.T) {
	onBothEngines(t, func(t *testing.T, g *sluice) {
		key := g.newKey(t, map[string]any{"user_id": "sdk-user"})
		c := official(g, key)
		for name, test := range map[string]func(*testing.T, *sluice, openai.Client){
			"chat": officialChat, "stream": officialStream, "embeddings": officialEmbeddings, "models": officialModels,
			"files": officialFiles, "batch": officialBatch, "cancel": officialCancel, "errors": officialErrors,
		} {
			t.Run(name, func(t *testing.T) { test(t, g, c) })
		}
		if len(g.checkBooks(t)) == 0 {
			t.Error("the ledger is empty")
		}
		eventually(t, bookLimit, "the key sees its ledger entries", func() error { // those of refused calls may still be on their way
			if own, all := len(g.ledger(t, key)), len(g.ledger(t, masterKey)); own != all {
				return fmt.Errorf("it sees %d of %d", own, all)
			}
			return nil
		})
	})
}

func officialChat(t *testing.T, g *sluice, c openai.Client) {
	var raw *http.Response
	got, err := c.Chat.Completions.New(t.Context(), params(chatModel, "Say this is a test"), option.WithResponseInto(&raw))
	if err != nil {
		t.Fatal(err)
	}
	if got.Choices[0].Message.Content != "Say this is a test" || got.Model != chatModel || got.Usage.CompletionTokens != 5 {
		t.Errorf("got %s", got.RawJSON())
	}
	want := price(t, chatModel, gateway.Usage{InputTokens: got.Usage.PromptTokens, OutputTokens: got.Usage.CompletionTokens})
	if cost := raw.Header.Get("X-Litellm-Response-Cost"); cost != want.String() || want == 0 {
		t.Errorf("the answer says that it cost %q, the price book says %s", cost, want)
	}
}

func officialStream(t *testing.T, g *sluice, c openai.Client) {
	for _, withUsage := range []bool{false, true} {
		p := params(chatModel, "one two three four")
		if withUsage {
			p.StreamOptions.IncludeUsage = openai.Bool(true)
		}
		stream := c.Chat.Completions.NewStreaming(t.Context(), p)
		var all openai.ChatCompletionAccumulator
		for stream.Next() {
			if !all.AddChunk(stream.Current()) {
				t.Errorf("a chunk does not fit: %s", stream.Current().RawJSON())
			}
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			t.Fatal(err)
		}
		if len(all.Choices) != 1 || all.Choices[0].Message.Content != "one two three four" || all.Choices[0].FinishReason != "stop" {
			t.Errorf("the stream came to %+v", all.Choices)
		}
		if (all.Usage.CompletionTokens == 4) != withUsage {
			t.Errorf("with usage %t: %d completion tokens", withUsage, all.Usage.CompletionTokens)
		}
	}
}

func officialEmbeddings(t *testing.T, g *sluice, c openai.Client) {
	p := openai.EmbeddingNewParams{
		Model: embedModel, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"first text", "second"}},
		EncodingFormat: openai.EmbeddingNewParamsEncodingFormatFloat,
	}
	got, err := c.Embeddings.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Data) != 2 || len(got.Data[0].Embedding) == 0 || got.Usage.PromptTokens == 0 || got.Model != embedModel {
		t.Errorf("got %s", got.RawJSON())
	}
	p.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64
	var coded struct {
		Data []struct{ Embedding string }
	}
	if err := c.Post(t.Context(), "embeddings", p, &coded); err != nil {
		t.Fatal(err)
	}
	if len(coded.Data) != 2 || len(coded.Data[0].Embedding) == 0 {
		t.Errorf("in base64: %+v", coded)
	}
}

func officialModels(t *testing.T, g *sluice, c openai.Client) {
	page, err := c.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range page.Data {
		listed[m.ID] = true
	}
	if !listed[chatModel] || !listed[embedModel] {
		t.Errorf("listed are %v", listed)
	}
	m, err := c.Models.Get(t.Context(), chatModel)
	if err != nil || m.ID != chatModel || m.OwnedBy != "openai" || m.Created == 0 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func statusOf(err error) int {
	var e *openai.Error
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

func officialErrors(t *testing.T, g *sluice, c openai.Client) {
	narrow := official(g, g.newKey(t, map[string]any{"models": []string{chatModel}}))
	nobody := official(g, "sk-nobody-0123456789abc")
	bad := params(chatModel, "x")
	bad.Messages = []openai.ChatCompletionMessageParamUnion{}
	for name, test := range map[string]struct {
		client     openai.Client
		params     openai.ChatCompletionNewParams
		status     int
		kind, code string
	}{
		"unknown key":       {nobody, params(chatModel, "x"), 401, "token_not_found_in_db", "401"},
		"model not allowed": {narrow, params(otherModel, "x"), 403, "key_model_access_denied", "403"},
		"no messages":       {c, bad, 400, "invalid_request_error", "400"},
		"provider's 400":    {c, params("fault-400", "x"), 400, "invalid_request_error", ""},
		"provider's 404":    {c, params("fault-nonsense", "x"), 404, "invalid_request_error", ""},
		"provider's 429":    {c, params("fault-429+retry-after-0", "x"), 429, "throttling_error", ""},
		"provider's 503":    {c, params("fault-503", "x"), 503, "internal_server_error", ""},
	} {
		_, err := test.client.Chat.Completions.New(t.Context(), test.params)
		var e *openai.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v is not the SDK's typed error", name, err)
			continue
		}
		if e.StatusCode != test.status || e.Type != test.kind || test.code != "" && e.Code != test.code || e.Message == "" {
			t.Errorf("%s: status %d, type %q, code %q, message %q; want %d, %q, %q", name, e.StatusCode, e.Type, e.Code, e.Message,
				test.status, test.kind, test.code)
		}
		stream := test.client.Chat.Completions.NewStreaming(t.Context(), test.params)
		if stream.Next() || statusOf(stream.Err()) != test.status {
			t.Errorf("%s, streamed: %v, want status %d", name, stream.Err(), test.status)
		}
	}
	for name, err := range map[string]error{
		"model": second(narrow.Models.Get(t.Context(), otherModel)),
		"file":  second(c.Files.Get(t.Context(), "file-of-nobody")),
		"batch": second(c.Batches.Get(t.Context(), "batch_of_nobody")),
	} {
		if statusOf(err) != http.StatusNotFound {
			t.Errorf("an unknown %s: %v, want status 404", name, err)
		}
	}
	if key := fakeprovider.DefaultKey; strings.Contains(fmt.Sprint(second(c.Chat.Completions.New(t.Context(), params("fault-secret-echo", "x")))), key) {
		t.Error("the provider's key reaches the caller")
	}
}

func second[T any](_ T, err error) error { return err }
