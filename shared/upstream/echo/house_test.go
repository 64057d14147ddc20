package echo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sluice-gateway/sluice/shared/upstream/echo"
)

// post sends a body to echo.
func post(ctx context.Context, route, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", "http://echo.invalid/v1/"+route, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	return echo.Transport{}.RoundTrip(r)
}

// said is what an answer comes to, plain or streamed.
type said struct {
	Content, Thought, Refusal string
	Calls                     []string
	Finish                    string
	Usage                     string // prompt+completion, and what of them was cached and reasoning
}

type heard struct {
	Content *string `json:"content"`
	Thought string  `json:"reasoning_content"`
	Refusal string  `json:"refusal"`
	Calls   []struct {
		Index    int
		ID, Type string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
	Role string
}

type object struct {
	ID, Object string
	Choices    []struct {
		Index          int
		Message, Delta *heard
		Finish         *string `json:"finish_reason"`
		Logprobs       *struct {
			Content, Refusal []struct {
				Token string
				Top   []struct{ Token string } `json:"top_logprobs"`
			}
		}
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
		Input      struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
		Output struct {
			Reasoning int `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
	Error *struct {
		Message, Type string
		Param         *string
		Code          any
	}
}

// add puts an answer, or a chunk of one, to what was said before.
func (s *said) add(t testing.TB, o *object, ids map[string]bool) {
	for _, c := range o.Choices {
		if c.Index != 0 {
			continue
		}
		m := c.Message
		if m == nil {
			m = c.Delta
		}
		if m.Content != nil {
			s.Content += *m.Content
		}
		s.Thought, s.Refusal = s.Thought+m.Thought, s.Refusal+m.Refusal
		for _, call := range m.Calls {
			if call.ID != "" {
				if call.Type != "function" || ids[call.ID] || len(call.ID) > 40 {
					t.Errorf("call %+v: no function, or an id too long or given twice", call)
				}
				ids[call.ID] = true
				s.Calls = append(s.Calls, call.Function.Name+" ")
			}
			s.Calls[len(s.Calls)-1] += call.Function.Arguments
		}
		if c.Finish != nil {
			s.Finish += *c.Finish
		}
	}
	if u := o.Usage; u != nil {
		s.Usage = fmt.Sprintf("%d+%d %d %d", u.Prompt, u.Completion, u.Input.Cached, u.Output.Reasoning)
		if u.Total != u.Prompt+u.Completion {
			t.Errorf("%d and %d tokens are not %d", u.Prompt, u.Completion, u.Total)
		}
	}
}

func decode(t testing.TB, text []byte) *object {
	t.Helper()
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &o
}

// plain makes a call that is to succeed.
func plain(t testing.TB, body string) (s said) {
	t.Helper()
	answer, err := post(t.Context(), "chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || answer.ContentLength != int64(len(text)) {
		t.Fatalf("%d: %s, %v", answer.StatusCode, text, err)
	}
	s.add(t, decode(t, text), map[string]bool{})
	return s
}

// streamed makes the same call as a stream. The objects are its events; the error is how it ended, nil if well.
func streamed(t testing.TB, body string) (s said, events []*object, err error) {
	t.Helper()
	answer, err := post(t.Context(), "chat/completions", strings.Replace(body, "{", `{"stream": true, "stream_options": {"include_usage": true}, `, 1))
	if err != nil {
		return s, nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d: %s", answer.StatusCode, text)
	}
	done := false
	ids := map[string]bool{}
	for event := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n\n"), "\n\n") {
		if done = event == "data: [DONE]"; done || event == "" {
			continue
		}
		o := decode(t, []byte(strings.TrimPrefix(event, "data: ")))
		if len(o.Choices) > 0 && (o.Choices[0].Delta.Role == "assistant") != (len(events) == 0 || len(events) > 0 && events[len(events)-1].ends()) {
			t.Errorf("event %d: role %q", len(events), o.Choices[0].Delta.Role)
		}
		s.add(t, o, ids)
		events = append(events, o)
	}
	if err == nil && !done && (len(events) == 0 || events[len(events)-1].Error == nil) {
		t.Errorf("the stream ends without a terminator: %s", text)
	}
	return s, events, err
}

func (o *object) ends() bool { return len(o.Choices) > 0 && o.Choices[0].Finish != nil }

// request writes one with a user's message, and what else is to be in it.
func request(user, more string) string {
	if more != "" {
		more = ", " + more
	}
	text, _ := json.Marshal(user)
	return fmt.Sprintf(`{"model": "echo", "messages": [{"role": "user", "content": %s}]%s}`, text, more)
}

// refused makes a call that is to fail, and returns the status and the error.
func refused(t testing.TB, route, body string) (int, http.Header, *object) {
	t.Helper()
	answer, err := post(t.Context(), route, body)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	o := decode(t, text)
	if o.Error == nil || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s is answered with %d: %s", body, answer.StatusCode, text)
	}
	return answer.StatusCode, answer.Header, o
}

// inNoTime runs a test whose waits take no time.
func inNoTime(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

func body(r *http.Response) string {
	text, _ := io.ReadAll(r.Body)
	return string(text)
}
