package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

// frames is a stream of server-sent events.
func frames(data ...string) string { return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n" }

const (
	hello  = `{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel\u001b[3"}}]}`
	world  = `{"choices":[{"index":0,"delta":{"content":"1mlo\u0007\r\n\tworld"}}]}`
	finish = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	usage  = `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`
)

func TestChat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, stdin string
		terminal    bool
		status      int
		answer      string
		sent        string // the messages, or "-"
		want        result
	}{
		"to a file": {args: "echo say hello", answer: frames(hello, world, finish, "[DONE]"), sent: "user:say hello",
			want: result{"Hel\x1b[31mlo\a\r\n\tworld\n", "", 0}},
		"to a terminal": {args: "echo say hello", terminal: true, answer: frames(hello, world, finish, "[DONE]"), sent: "user:say hello",
			want: result{"Hello\n\tworld\n", "", 0}},
		"usage": {args: "echo hi --usage --system be_brief", answer: frames(world, finish, usage, "[DONE]"), sent: "system:be_brief user:hi",
			want: result{"1mlo\a\r\n\tworld\n", "3 tokens in, 4 out, 7 in all\n", 0}},
		"from standard input":  {args: "echo", stdin: "two\nlines\n", answer: frames(finish, "[DONE]"), sent: "user:two\nlines\n", want: result{"\n", "", 0}},
		"a prompt with dashes": {args: "echo -- --usage", answer: frames(finish, "[DONE]"), sent: "user:--usage", want: result{"\n", "", 0}},
		"no terminator":        {args: "echo hi", answer: frames(finish), sent: "user:hi", want: result{"\n", "", 0}},
		"cut off":              {args: "echo hi", answer: frames(world), sent: "user:hi", want: result{"1mlo\a\r\n\tworld\n", "sluice: the answer was cut off\n", 1}},
		"only done":            {args: "echo hi", answer: frames("[DONE]"), sent: "user:hi", want: result{"\n", "sluice: the answer was cut off\n", 1}},
		"error in the stream": {args: "echo hi", answer: frames(world, `{"error":{"message":"it broke","type":null,"param":null,"code":"500"}}`), sent: "user:hi",
			want: result{"1mlo\a\r\n\tworld\n", "sluice: it broke\n", 1}},
		"refused": {args: "nope hi", status: 400, answer: `{"error":{"message":"Invalid model name passed in model=nope."}}`, sent: "user:hi",
			want: result{"", "sluice: Invalid model name passed in model=nope.\n", 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan []byte, 1)
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- body
				w.Header().Set("Content-Type", "text/event-stream")
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				_, _ = io.WriteString(w, c.answer)
			})
			o := cli.Options{IsTerminal: func(io.Writer) bool { return c.terminal }}
			args := append([]string{"chat", "--url", url}, strings.Fields(c.args)...)
			if got := sluice(t.Context(), o, c.stdin, args...); got != c.want {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
			var sent struct {
				Model    string
				Stream   bool
				Messages []struct{ Role, Content string }
			}
			if err := json.Unmarshal(<-bodies, &sent); err != nil || !sent.Stream || sent.Model != strings.Fields(c.args)[0] {
				t.Errorf("sent %+v, %v", sent, err)
			}
			var messages []string
			for _, m := range sent.Messages {
				messages = append(messages, m.Role+":"+m.Content)
			}
			if got := strings.Join(messages, " "); got != c.sent {
				t.Errorf("messages %q, want %q", got, c.sent)
			}
		})
	}
}

func TestChatInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, frames(world))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	})
	got := sluice(ctx, cli.Options{}, "", "chat", "echo", "hi", "--url", url)
	if got.code != 1 || got.note != "sluice: interrupted\n" {
		t.Errorf("%+v", got)
	}
}
