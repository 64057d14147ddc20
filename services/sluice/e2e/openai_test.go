package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// batchLimit is how long a small batch may take.
const batchLimit = 2 * time.Minute

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
		entries := g.checkBooks(t)
		if len(entries) == 0 {
			t.Error("the ledger is empty")
		}
		if own := g.ledger(t, key); len(own) != len(entries) {
			t.Errorf("the key sees %d of its %d ledger entries", len(own), len(entries))
		}
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

// inputFile is a batch of n lines of which every failEvery-th is refused by the provider.
func inputFile(n, failEvery int) []byte {
	var b bytes.Buffer
	for i := range n {
		model := chatModel
		if failEvery > 0 && i%failEvery == 0 {
			model = "fault-400"
		}
		b.Write(batchLine(fmt.Sprintf("line-%d", i), model, fmt.Sprintf("text of line %d", i)))
	}
	return b.Bytes()
}

func upload(t *testing.T, c openai.Client, content []byte) *openai.FileObject {
	t.Helper()
	f, err := c.Files.New(t.Context(), openai.FileNewParams{
		File: openai.File(bytes.NewReader(content), "requests.jsonl", "application/jsonl"), Purpose: openai.FilePurposeBatch,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func officialFiles(t *testing.T, g *sluice, c openai.Client) {
	content := inputFile(3, 0)
	f := upload(t, c, content)
	if f.Bytes != int64(len(content)) || f.Filename != "requests.jsonl" || f.Purpose != "batch" || f.Status != "processed" {
		t.Errorf("uploaded %s", f.RawJSON())
	}
	got, err := c.Files.Get(t.Context(), f.ID)
	if err != nil || got.ID != f.ID || got.CreatedAt != f.CreatedAt {
		t.Errorf("get: %+v, %v", got, err)
	}
	found := 0
	pages := c.Files.ListAutoPaging(t.Context(), openai.FileListParams{Limit: openai.Int(1)})
	for pages.Next() {
		if pages.Current().ID == f.ID {
			found++
		}
	}
	if err := pages.Err(); err != nil || found != 1 {
		t.Errorf("the list names the file %d times, %v", found, err)
	}
	if back := download(t, c, f.ID); !bytes.Equal(back, content) {
		t.Errorf("content is %d bytes, want the %d that were uploaded", len(back), len(content))
	}
	gone, err := c.Files.Delete(t.Context(), f.ID)
	if err != nil || !gone.Deleted || gone.ID != f.ID {
		t.Errorf("delete: %+v, %v", gone, err)
	}
	if _, err := c.Files.Get(t.Context(), f.ID); statusOf(err) != http.StatusNotFound {
		t.Errorf("get after delete: %v, want status 404", err)
	}
}

func download(t *testing.T, c openai.Client, id string) []byte {
	t.Helper()
	resp, err := c.Files.Content(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// submit uploads lines and makes a batch of them.
func submit(t *testing.T, c openai.Client, content []byte) *openai.Batch {
	t.Helper()
	b, err := c.Batches.New(t.Context(), openai.BatchNewParams{
		CompletionWindow: openai.BatchNewParamsCompletionWindow24h, Endpoint: openai.BatchNewParamsEndpointV1ChatCompletions,
		InputFileID: upload(t, c, content).ID, Metadata: map[string]string{"purpose": "e2e"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// until waits for a batch to be in a state.
func until(t *testing.T, c openai.Client, id string, state openai.BatchStatus) (b *openai.Batch) {
	t.Helper()
	eventually(t, batchLimit, "batch is "+string(state), func() (err error) {
		if b, err = c.Batches.Get(t.Context(), id); err == nil && b.Status != state {
			err = fmt.Errorf("it is %s: %+v", b.Status, b.RequestCounts)
		}
		return err
	})
	return b
}

func officialBatch(t *testing.T, g *sluice, c openai.Client) {
	const lines, failEvery, failed = 45, 15, 3
	b := submit(t, c, inputFile(lines, failEvery))
	if b.Status != openai.BatchStatusValidating || b.Metadata["purpose"] != "e2e" {
		t.Errorf("the new batch is %s", b.RawJSON())
	}
	b = until(t, c, b.ID, openai.BatchStatusCompleted)
	if n := b.RequestCounts; n.Total != lines || n.Failed != failed || n.Completed != lines-failed {
		t.Errorf("counts are %+v", n)
	}
	output, failures := download(t, c, b.OutputFileID), download(t, c, b.ErrorFileID)
	if got := bytes.Count(output, []byte("\n")); got != lines-failed || !bytes.Contains(output, []byte("text of line 44")) {
		t.Errorf("the output has %d lines:\n%.2000s", got, output)
	}
	if got := bytes.Count(failures, []byte("\n")); got != failed || !bytes.Contains(failures, []byte(`"status_code":400`)) {
		t.Errorf("the error file has %d lines:\n%s", got, failures)
	}
	page, err := c.Batches.List(t.Context(), openai.BatchListParams{Limit: openai.Int(100)})
	if err != nil || !strings.Contains(fmt.Sprint(page.RawJSON()), b.ID) {
		t.Errorf("the list does not name the batch, %v", err)
	}
}

func officialCancel(t *testing.T, g *sluice, c openai.Client) {
	const lines = 300
	var in bytes.Buffer
	for i := range lines {
		in.Write(batchLine(fmt.Sprintf("line-%d", i), "fake-delay-1500ms", "slow"))
	}
	b := submit(t, c, in.Bytes())
	before := len(g.provider.Bill())
	g.provider.AwaitBill(t.Context(), before+1) // it has begun
	if _, err := c.Batches.Cancel(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	b = until(t, c, b.ID, openai.BatchStatusCancelled)
	n := b.RequestCounts
	if n.Total != lines || n.Completed+n.Failed != lines || n.Failed == 0 {
		t.Errorf("counts are %+v", n)
	}
	if failures := download(t, c, b.ErrorFileID); bytes.Count(failures, []byte("batch_cancelled")) != int(n.Failed) {
		t.Errorf("%d lines failed, the error file is\n%.1000s", n.Failed, failures)
	}
	if _, err := c.Batches.Cancel(t.Context(), b.ID); statusOf(err) != http.StatusConflict {
		t.Errorf("cancelling it again: %v, want status 409", err)
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
