package fakeprovider_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	openai "github.com/sashabaranov/go-openai"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

func client(url string) *openai.Client {
	cfg := openai.DefaultConfig(fakeprovider.DefaultKey)
	cfg.BaseURL = url + "/v1"
	return openai.NewClientWithConfig(cfg)
}

func ask(model, text string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{
		Model:    model,
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: text}},
	}
}

// post sends a body with the right key and returns status and answer; extra are header names and values.
func post(t *testing.T, url, path, body string, extra ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+fakeprovider.DefaultKey)
	for i := 0; i < len(extra); i += 2 {
		req.Header.Set(extra[i], extra[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

const chat = "/v1/chat/completions"

func chatBody(model, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"one two three four"}]` + more + `}`
}

var ignoreTimes = cmpopts.IgnoreFields(fakeprovider.Line{}, "Start", "End", "ClientGone")

func TestChat(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	req := ask("gpt-4o-mini", "the quick brown fox")
	req.MaxCompletionTokens, req.N = 3, 2
	resp, err := client(url).CreateChatCompletion(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Choices) != 2 || resp.Choices[1].Message.Content != "the quick brown" || resp.Choices[0].FinishReason != "length" {
		t.Errorf("choices: %+v", resp.Choices)
	}
	// 3 + ceil(19/4) tokens in, 2 x 3 words out.
	want := []fakeprovider.Line{{
		Seq: 1, Wire: "openai", Model: "gpt-4o-mini", Op: "chat", Outcome: fakeprovider.Billed,
		PromptTokens: 8, CompletionTokens: 6, FullSend: true,
	}}
	if d := cmp.Diff(want, p.Bill(), ignoreTimes); d != "" {
		t.Errorf("bill (-want +got):\n%s", d)
	}
	if resp.Usage.PromptTokens != 8 || resp.Usage.CompletionTokens != 6 || resp.Usage.TotalTokens != 14 {
		t.Errorf("usage: %+v", resp.Usage)
	}
}

// readAll reads a chat stream: its text, the reported usages and the error that ended it.
func readAll(s *openai.ChatCompletionStream) (text string, usages []openai.Usage, err error) {
	for {
		r, err := s.Recv()
		if err != nil {
			return text, usages, err
		}
		if r.Usage != nil {
			usages = append(usages, *r.Usage)
		}
		for _, c := range r.Choices {
			text += c.Delta.Content
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	for _, model := range []string{
		"gpt-4o-mini", "fault-crlf", "fault-comments", "fault-split", "fault-no-space", "fault-multi-data+split",
		"fault-no-final-newline", "fault-unknown-fields", "fault-hostile-headers", "fault-informational-3", "fake-slow-1ms+delay-2ms",
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			p, url := fakeprovider.Start(t)
			req := ask(model, "the quick brown fox")
			req.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
			if strings.Contains(model, "multi-data") {
				checkRawStream(t, url, model) // go-openai does not join data lines
				return
			}
			s, err := client(url).CreateChatCompletionStream(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			text, usages, err := readAll(s)
			if !errors.Is(err, io.EOF) || text != "the quick brown fox" {
				t.Errorf("text %q, error %v", text, err)
			}
			if len(usages) != 1 || usages[0].PromptTokens != 8 || usages[0].CompletionTokens != 4 {
				t.Errorf("usages: %+v", usages)
			}
			want := []fakeprovider.Line{{
				Seq: 1, Wire: "openai", Model: model, Op: "chat", Stream: true, Outcome: fakeprovider.Billed,
				PromptTokens: 8, CompletionTokens: 4, FullSend: true,
			}}
			if d := cmp.Diff(want, p.Bill(), ignoreTimes); d != "" {
				t.Errorf("bill (-want +got):\n%s", d)
			}
		})
	}
}

func checkRawStream(t *testing.T, url, model string) {
	t.Helper()
	_, body := post(t, url, chat, chatBody(model, `,"stream":true`))
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		data := strings.ReplaceAll(strings.TrimPrefix(event, "data: "), "\ndata: ", "\n")
		if data != "[DONE]" && !json.Valid([]byte(data)) {
			t.Errorf("event is no JSON: %q", data)
		}
	}
}

func TestUsageNullBeforeLast(t *testing.T) {
	t.Parallel()
	_, url := fakeprovider.Start(t)
	_, body := post(t, url, chat, chatBody("m", `,"stream":true,"stream_options":{"include_usage":true}`))
	events := strings.Split(strings.TrimSpace(body), "\n\n")
	// role, four words, finish, usage, [DONE]
	if len(events) != 8 || events[7] != "data: [DONE]" || !strings.Contains(events[6], `"choices":[]`) {
		t.Fatalf("events: %q", events)
	}
	for _, e := range events[:6] {
		if !strings.Contains(e, `"usage":null`) {
			t.Errorf("no null usage in %s", e)
		}
	}
	_, body = post(t, url, chat, chatBody("m", `,"stream":true`))
	if strings.Contains(body, "usage") {
		t.Errorf("usage without being asked: %s", body)
	}
}

func TestCompletionsAndEmbeddings(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	c := client(url)
	comp, err := c.CreateCompletion(t.Context(), openai.CompletionRequest{Model: "m", Prompt: []string{"a b", "c d e"}, MaxTokens: 2})
	if err != nil || len(comp.Choices) != 2 || comp.Usage.PromptTokens != 3 || comp.Usage.CompletionTokens != 4 {
		t.Fatalf("completion %+v, error %v", comp, err)
	}
	asFloat, err := c.CreateEmbeddings(t.Context(), openai.EmbeddingRequest{Model: "e", Input: []string{"hello", "you"}, Dimensions: 5})
	if err != nil {
		t.Fatal(err)
	}
	asBase64, err := c.CreateEmbeddings(t.Context(), openai.EmbeddingRequest{
		Model: "e", Input: []string{"hello", "you"}, Dimensions: 5, EncodingFormat: openai.EmbeddingEncodingFormatBase64,
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(asFloat.Data, asBase64.Data, cmpopts.EquateApprox(0, 1e-6)); d != "" || len(asFloat.Data[1].Embedding) != 5 {
		t.Errorf("float and base64 differ, or have not 5 dimensions:\n%s", d)
	}
	if asFloat.Usage.PromptTokens != 3 || asFloat.Usage.CompletionTokens != 0 {
		t.Errorf("usage %+v", asFloat.Usage)
	}
	for body, tokens := range map[string]int64{
		`{"model":"e","input":"hello"}`:       2,
		`{"model":"e","input":[1,2,3]}`:       3,
		`{"model":"e","input":[[1,2],[3,4]]}`: 4,
	} {
		before := len(p.Bill())
		if status, answer := post(t, url, "/embeddings", body); status != 200 || p.Bill()[before].PromptTokens != tokens {
			t.Errorf("%s: status %d %s, billed %d tokens, want %d", body, status, answer, p.Bill()[before].PromptTokens, tokens)
		}
	}
	if list, err := c.ListModels(t.Context()); err != nil || len(list.Models) == 0 {
		t.Errorf("models %+v, error %v", list, err)
	}
}

func TestCachedAndReasoningTokens(t *testing.T) {
	t.Parallel()
	p, url := fakeprovider.Start(t)
	long := strings.Repeat("word ", 1000) // 5000 bytes, 1250 tokens
	for _, last := range []string{"a", "b"} {
		if _, err := client(url).CreateChatCompletion(t.Context(), ask("fake-cached+reasoning-7+words-2", long+last)); err != nil {
			t.Fatal(err)
		}
	}
	var got []int64
	for _, l := range p.Bill() {
		got = append(got, l.CachedTokens, l.ReasoningTokens, l.CompletionTokens)
	}
	if d := cmp.Diff([]int64{0, 7, 9, 1152, 7, 9}, got); d != "" {
		t.Errorf("cached, reasoning, completion (-want +got):\n%s", d)
	}
}

func TestBillFileAndHTTP(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bill")
	p, url := fakeprovider.Start(t, fakeprovider.WithBillFile(path))
	for range 3 {
		post(t, url, chat, chatBody("m", ""), "X-Client-Request-Id", "req-1")
	}
	fromFile, err := fakeprovider.ReadBill(path)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(url + "/bill")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	fromHTTP, err := fakeprovider.ParseBill(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]fakeprovider.Line{fromFile, fromHTTP} {
		if d := cmp.Diff(p.Bill(), got, cmpopts.EquateApproxTime(0)); d != "" || got[2].RequestID != "req-1" {
			t.Errorf("bills differ:\n%s", d)
		}
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	urls, done := make(chan string), make(chan error, 1)
	go func() { done <- fakeprovider.New().Listen(ctx, "127.0.0.1:0", func(url string) { urls <- url }) }()
	if status, body := post(t, <-urls, chat, chatBody("m", "")); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func BenchmarkChat(b *testing.B) {
	_, url := fakeprovider.Start(b)
	body := chatBody("m", `,"max_tokens":50,"user":"`+strings.Repeat("x", 500)+`"`)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest(http.MethodPost, url+chat, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+fakeprovider.DefaultKey)
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
