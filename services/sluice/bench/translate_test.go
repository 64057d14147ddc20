package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLongChat(t *testing.T) {
	t.Parallel()
	var bodies [2]string
	for i, name := range []string{model, translatedModel} {
		bodies[i] = longChat(name)
		var chat struct {
			Model           string
			Messages, Tools []json.RawMessage
			MaxTokens       int `json:"max_tokens"`
		}
		if err := json.Unmarshal([]byte(bodies[i]), &chat); err != nil {
			t.Fatal(err)
		}
		if len(bodies[i]) != longBytes || chat.Model != name || len(chat.Messages) != 6 || len(chat.Tools) != 2 || chat.MaxTokens != 512 {
			t.Errorf("%d bytes: %+v", len(bodies[i]), chat)
		}
	}
	if a, b, _ := strings.Cut(bodies[0], model); !strings.HasPrefix(bodies[1], a+translatedModel) || !strings.Contains(bodies[1], b[:3000]) {
		t.Error("the two bodies differ in more than the model and the padding")
	}
}

// anthropicAnswer is what a client reads of a whole answer.
type anthropicAnswer struct {
	Type, Role string
	Content    []struct{ Type, Text string }
	Usage      struct {
		Input  int `json:"input_tokens"`
		Output int `json:"output_tokens"`
	}
}

func TestMockSpeaksAnthropic(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &mock{}
	go func() { _ = m.serve(l) }()
	c := api{base: "http://" + l.Addr().String()}
	var whole anthropicAnswer
	body := strings.NewReader(shortChat("claude"))
	if err := c.call(t.Context(), http.MethodPost, messagesRoute, "application/json", body, &whole); err != nil {
		t.Fatal(err)
	}
	used := whole.Usage
	if whole.Type != "message" || len(whole.Content) != 1 || whole.Content[0].Text == "" || used.Input != 150 || used.Output != 40 {
		t.Errorf("answer %+v", whole)
	}
	if _, body, _ := strings.Cut(string(messagesSpeech.whole), "\r\n\r\n"); len(body) != answerBytes {
		t.Errorf("the answer has %d bytes", len(body))
	}
	start := time.Now()
	got, last := events(t, c, streamBody("claude", 3, 10*time.Millisecond))
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("two gaps of 10 ms took %v", took)
	}
	want := strings.Fields("message_start content_block_start ping content_block_delta content_block_delta content_block_delta " +
		"content_block_stop message_delta message_stop")
	if !slices.Equal(got, want) || last.Usage.Output != 40 {
		t.Errorf("events %q, usage %+v", got, last.Usage)
	}
	for route, want := range map[string]string{messagesRoute: "2", chatRoute: "0"} {
		if n, err := get(t.Context(), c.base+route); err != nil || string(n) != want {
			t.Errorf("%s of %s came, want %s; error %v", n, route, want, err)
		}
	}
}

// events reads a stream: the types of its events, and the last usage.
func events(t *testing.T, c api, body string) (types []string, last anthropicAnswer) {
	t.Helper()
	var stream bytes.Buffer
	if err := c.call(t.Context(), http.MethodPost, messagesRoute, "application/json", strings.NewReader(body), &stream); err != nil {
		t.Fatal(err)
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(stream.String(), "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(text, "\n")
		last.Type = ""
		if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &last); err != nil || name != "event: "+last.Type {
			t.Errorf("event %q: %v", text, err)
		}
		types = append(types, last.Type)
	}
	return types, last
}

// A chat that is passed on where it should be translated is no measurement.
func TestUntranslatedFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mock, err := startMock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer mock.stop()
	proxy, err := proxyTarget()
	if err != nil {
		t.Fatal(err)
	}
	proxy.name, proxy.translates = "sluice", true
	if _, err := runRounds(t.Context(), 1, quick, []target{proxy}, dir, mock); err == nil || !strings.Contains(err.Error(), messagesRoute) {
		t.Errorf("error %v", err)
	}
}
