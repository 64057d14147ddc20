package echo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/upstream/echo"
)

// Whatever is said, the answer is one: JSON or a stream, soon or when the caller gives up, and a plain one says what the
// streamed one does.
func FuzzMarkers(f *testing.F) {
	for _, example := range echo.Shown() {
		f.Add("a "+example+" b", "[[think 2]]", "")
		f.Add(example, "", `"n": 2, "stop": ["a"], "max_tokens": 5, `+tools)
	}
	f.Add("[[tools 2]][[cut 3]][[slow 1h]]", "[[tool a {\"b\": [[\"]]", person+`, "logprobs": true, "tool_choice": "required", `+tools)
	f.Fuzz(func(t *testing.T, user, system, more string) {
		u, _ := json.Marshal(user)
		s, _ := json.Marshal(system)
		if more != "" {
			more = ", " + more
		}
		body := fmt.Sprintf(`{"messages": [{"role": "system", "content": %s}, {"role": "user", "content": %s}], "prompt": %s, "input": [%s]%s}`, s, u, u, u, more)
		if !json.Valid([]byte(body)) {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			for _, route := range []string{"chat/completions", "completions", "embeddings"} {
				answered(t, route, body)
			}
			streaming := strings.Replace(body, "{", `{"stream": true, "stream_options": {"include_usage": true}, `, 1)
			a, b := answered(t, "chat/completions", body), answered(t, "chat/completions", streaming)
			if a != nil && b != nil && !strings.Contains(more, "stream") && !cmp.Equal(a, b) {
				t.Errorf("plain and streamed differ: %s", cmp.Diff(a, b))
			}
		})
	})
}

// answered is what comes of a call; nil if it went wrong or there is none.
func answered(t *testing.T, route, body string) *said {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
	defer cancel()
	answer, err := post(ctx, route, body)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("%s: %v", route, err)
		}
		return nil
	}
	text, err := io.ReadAll(answer.Body)
	if status := answer.StatusCode; status != 200 && (status < 400 || status > 599) {
		t.Errorf("%s: status %d", route, status)
	}
	if err != nil {
		return nil
	}
	s, ids := said{}, map[string]bool{}
	for event := range strings.SplitSeq(string(text), "\n\n") {
		if event = strings.TrimPrefix(event, "data: "); event == "" || event == "[DONE]" {
			continue
		}
		if !json.Valid([]byte(event)) {
			t.Fatalf("%s: %q is not JSON", route, event)
		}
		if route != "chat/completions" {
			return nil
		}
		o := decode(t, []byte(event))
		if o.Error != nil {
			return nil
		}
		s.add(t, o, ids)
	}
	return &s
}
