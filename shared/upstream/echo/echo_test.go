package echo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	openai "github.com/sashabaranov/go-openai"

	"github.com/sluice-gateway/sluice/shared/upstream/echo"
)

func client() *openai.Client {
	c := openai.DefaultConfig("none")
	c.BaseURL, c.HTTPClient = "http://echo.invalid/v1", &http.Client{Transport: echo.Transport{}}
	return openai.NewClientWithConfig(c)
}

func TestChat(t *testing.T) {
	t.Parallel()
	request := openai.ChatCompletionRequest{Model: "echo", Messages: []openai.ChatCompletionMessage{
		{Role: "system", Content: "be brief"}, {Role: "user", Content: "Hello big  world"},
	}}
	answer, err := client().CreateChatCompletion(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Choices[0].Message.Content; got != "You said: Hello big  world" {
		t.Errorf("echo said %q", got)
	}
	if u := answer.Usage; u.PromptTokens != 5 || u.CompletionTokens != 5 || u.TotalTokens != 10 {
		t.Errorf("usage %+v", u)
	}
	request.MaxTokens = 3
	if answer, err = client().CreateChatCompletion(t.Context(), request); err != nil || answer.Choices[0].FinishReason != "length" ||
		answer.Usage.CompletionTokens != 3 {
		t.Errorf("with a limit: %+v, %v", answer, err)
	}
}

// A stream says what the plain answer says, in several chunks, and tells its usage only if asked.
func TestStream(t *testing.T) {
	t.Parallel()
	stream, err := client().CreateChatCompletionStream(t.Context(), openai.ChatCompletionRequest{
		Model: "echo", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Hello world"}},
		StreamOptions: &openai.StreamOptions{IncludeUsage: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var text strings.Builder
	chunks, used := 0, 0
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		chunks++
		for _, c := range chunk.Choices {
			text.WriteString(c.Delta.Content)
		}
		if chunk.Usage != nil {
			used = chunk.Usage.CompletionTokens
		}
	}
	if text.String() != "You said: Hello world" || chunks != 6 || used != 4 {
		t.Errorf("%q in %d chunks, %d tokens", text.String(), chunks, used)
	}
}

func TestEmbeddings(t *testing.T) {
	t.Parallel()
	get := func(body string) (vectors [][]float64) {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://echo.invalid/v1/embeddings", strings.NewReader(body))
		answer, err := echo.Transport{}.RoundTrip(r)
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%s: %v, %+v", body, err, answer)
		}
		var list struct {
			Data []struct{ Embedding []float64 }
		}
		if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Data {
			vectors = append(vectors, d.Embedding)
		}
		return vectors
	}
	v := get(`{"model": "echo", "input": ["a", "b", "a"], "dimensions": 100}`)
	norm := 0.0
	for i, x := range v[0] {
		norm += x * x
		if x != v[2][i] {
			t.Fatal("equal texts have different vectors")
		}
	}
	if len(v) != 3 || len(v[0]) != 100 || norm < 0.999 || norm > 1.001 || v[0][0] == v[1][0] {
		t.Errorf("%d vectors of %d, norm %v", len(v), len(v[0]), norm)
	}
	if n := len(get(`{"model": "echo", "input": [1, 2, 3]}`)); n != 1 {
		t.Errorf("token ids made %d vectors", n)
	}
}
