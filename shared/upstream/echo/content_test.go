package echo_test

import (
	"io"
	"strings"
	"testing"
)

// What is not text is acknowledged.
func TestMedia(t *testing.T) {
	t.Parallel()
	const image, file, audio, video = `{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}`, `{"type": "file", "file": {"file_id": "f"}}`,
		`{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}`, `{"type": "video_url", "video_url": {"url": "https://a/b"}}`
	text := `{"type": "text", "text": "what is this?"}`
	for parts, want := range map[string]string{
		"":    "You said: (nothing)",
		text:  "You said: what is this?",
		image: "You said: (1 image)",
		text + "," + image + "," + image + "," + file:    "You said: what is this? (2 images, 1 file)",
		audio + "," + text + "," + video + "," + audio:   "You said: what is this? (2 audio clips, 1 video)",
		image + `, {"type": "text", "text": "[[json]]"}`: `{"echo": "(1 image)"}`,
	} {
		got := plain(t, `{"model": "echo", "messages": [{"role": "user", "content": [`+parts+`]}]}`)
		if got.Content != want {
			t.Errorf("%s: %q, not %q", parts, got.Content, want)
		}
	}
	if got := plain(t, `{"messages": [{"role": "user", "content": null}, {"role": "assistant", "content": "a"}]}`); got.Content != "You said: (nothing)" {
		t.Errorf("nothing is answered with %q", got.Content)
	}
	if got := plain(t, `{}`); got.Content != "You said: (nothing)" {
		t.Errorf("no messages are answered with %q", got.Content)
	}
}

func TestLogprobs(t *testing.T) {
	t.Parallel()
	body := request("a", `"logprobs": true, "top_logprobs": 2, "n": 2`)
	answer, err := post(t.Context(), "chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	var tokens []string
	for _, c := range decode(t, text).Choices {
		for _, p := range c.Logprobs.Content {
			tokens = append(tokens, p.Token)
			if len(p.Top) != 2 || p.Top[0].Token != p.Token || p.Top[1].Token == p.Token {
				t.Errorf("alternatives %+v", p.Top)
			}
		}
	}
	if got := strings.Join(tokens, "|"); got != "You| said:| a|You| said:| a" || !strings.Contains(string(text), `{"token":" a","logprob":-0.2877,"bytes":[32,97],`) {
		t.Errorf("tokens %s in %s", got, text)
	}
	_, events, err := streamed(t, body)
	if err != nil || len(events) != 9 || len(events[1].Choices[0].Logprobs.Content) != 1 || events[3].Choices[0].Logprobs != nil {
		t.Errorf("%d events, %v", len(events), err)
	}
	_, events, _ = streamed(t, request("[[refuse No.]]", `"logprobs": true`))
	if p := events[0].Choices[0].Logprobs; len(p.Refusal) != 1 || p.Content != nil {
		t.Errorf("a refusal has %+v", p)
	}
	if text := plain(t, request("[[tool clock]]", `"logprobs": true, `+tools)); len(text.Calls) != 1 {
		t.Errorf("calls %v", text.Calls)
	}
}

// JSON comes in pieces, as words do.
func TestPieces(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		request("a", person): 7 + 2, request("[[tool]]", tools): 8 + 2, request("[[empty]]", ""): 1 + 2, request("[[filter]]", `"n": 2`): 4 + 1,
		request("[[usage none]]a", ""): 3 + 1,
	} {
		inNoTime(t, body[:60], func(t *testing.T) {
			if _, events, err := streamed(t, body); len(events) != want || err != nil {
				t.Errorf("%s: %d events, not %d, %v", body, len(events), want, err)
			}
		})
	}
}
