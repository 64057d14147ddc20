package echo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Errors come as they are named, on every route and with and without a stream.
func TestErrors(t *testing.T) {
	t.Parallel()
	for marker, want := range map[string]string{
		"error 400": "400 invalid_request_error <nil> ", "error 401": "401 invalid_request_error invalid_api_key ", "error 403": "403 permission_error <nil> ",
		"error 404": "404 invalid_request_error model_not_found ", "error 408": "408 timeout_error <nil> ", "error 413": "413 invalid_request_error <nil> ",
		"error 422": "422 invalid_request_error <nil> ", "error 429": "429 rate_limit_error rate_limit_exceeded 1", "error 500": "500 server_error <nil> ",
		"error 502": "502 server_error <nil> ", "error 503": "503 server_error <nil> ", "error 529": "529 overloaded_error <nil> ",
		"error 418": "418 invalid_request_error <nil> ", "error 599": "599 server_error <nil> ", "error 503 20": "503 server_error <nil> 20",
		"error 429 0": "429 rate_limit_error rate_limit_exceeded ", "error quota": "429 insufficient_quota insufficient_quota ",
		"error context_length": "400 invalid_request_error context_length_exceeded ", "error content_policy": "400 invalid_request_error content_policy_violation ",
		"error 200": "400 invalid_request_error <nil> ",
	} {
		text := "a [[b [[say]] c [[" + marker + "]]"
		for route, body := range map[string]string{
			"chat/completions": request(text[len("a [[b [[say]] c "):], `"stream": true`), "completions": `{"model": "echo", "prompt": ["x", "` + text + `"]}`,
			"embeddings": `{"model": "echo", "input": "` + text + `"}`,
		} {
			status, h, o := refused(t, route, body)
			if got := fmt.Sprint(status, " ", o.Error.Type, " ", o.Error.Code, " ", h.Get("Retry-After")); got != want || o.Error.Message == "" {
				t.Errorf("[[%s]] on %s: %s, not %s", marker, route, got, want)
			}
		}
	}
	if status, _, _ := refused(t, "images", "{}"); status != 404 {
		t.Errorf("an unknown route is answered with %d", status)
	}
}

// Other markers are text where only errors are known.
func TestOtherRoutes(t *testing.T) {
	t.Parallel()
	answer, err := post(t.Context(), "completions", `{"model": "echo", "prompt": ["[[say a]] [[error", "b"], "max_tokens": 4}`)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	for _, want := range []string{`"text":"You said: [[say a]]"`, `"finish_reason":"length"`, `"text":"You said: b"`, `{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	answer, err = post(t.Context(), "completions", `{"model": "echo", "prompt": "b", "stream": true, "stream_options": {"include_usage": true}}`)
	if err != nil {
		t.Fatal(err)
	}
	text, _ = io.ReadAll(answer.Body)
	if n := strings.Count(string(text), "data: "); n != 5 || !strings.Contains(string(text), `"text":" b","finish_reason":"stop"`) ||
		!strings.HasSuffix(string(text), `"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}`+"\n\ndata: [DONE]\n\n") {
		t.Errorf("%d events: %s", n, text)
	}
}

// Streams end badly where they are told to, and no later than before their end.
func TestTrouble(t *testing.T) {
	t.Parallel()
	for marker, want := range map[string]struct {
		content, finish string
		events          int // that came whole, an error event included
		err             error
		status          any // told by an error event
	}{
		"cut":             {"", "", 0, io.ErrUnexpectedEOF, nil},
		"cut 2":           {"You said:", "", 2, io.ErrUnexpectedEOF, nil},
		"cut 99":          {"You said: a b", "stop", 6, io.ErrUnexpectedEOF, nil},
		"stall":           {"", "", 0, context.DeadlineExceeded, nil},
		"stall 2":         {"You said:", "", 2, context.DeadlineExceeded, nil},
		"stall 100000":    {"You said: a b", "stop", 6, context.DeadlineExceeded, nil},
		"fail":            {"", "", 1, nil, 500.},
		"fail 2":          {"You said:", "", 3, nil, 500.},
		"fail 2 429":      {"You said:", "", 3, nil, 429.},
		"fail 3 529":      {"You said: a", "", 4, nil, 529.},
		"fail 9 quota":    {"You said: a b", "stop", 7, nil, 429.},
		"fail 0 [[error]": {"", "", 0, nil, nil},
	} {
		inNoTime(t, marker, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
			defer cancel()
			body := `{"stream": true, "stream_options": {"include_usage": true}, ` + request("a b[["+marker+"]]", "")[1:]
			answer, err := post(ctx, "chat/completions", body)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(marker, "]") {
				if answer.StatusCode != 400 {
					t.Errorf("status %d", answer.StatusCode)
				}
				return
			}
			text, err := io.ReadAll(answer.Body)
			if !errors.Is(err, want.err) || strings.Contains(string(text), "[DONE]") {
				t.Errorf("ended with %v: %s", err, text)
			}
			var s said
			var events int
			var status any
			for event := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n\n"), "\n\n") {
				if event == "" {
					continue
				}
				o := decode(t, []byte(strings.TrimPrefix(event, "data: ")))
				s.add(t, o, nil)
				events++
				if o.Error != nil {
					status = o.Error.Code
				}
			}
			if s.Content != want.content || s.Finish != want.finish || events != want.events || status != want.status {
				t.Errorf("%+v in %d events, status %v", s, events, status)
			}
		})
	}
}

// Plain answers end as badly.
func TestPlainTrouble(t *testing.T) {
	t.Parallel()
	inNoTime(t, "cut", func(t *testing.T) {
		answer, err := post(t.Context(), "chat/completions", request("[[cut 5]]", ""))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(text) == 0 || int64(len(text)) >= answer.ContentLength {
			t.Errorf("%d of %d bytes, %v", len(text), answer.ContentLength, err)
		}
	})
	inNoTime(t, "fail", func(t *testing.T) {
		status, _, o := refused(t, "chat/completions", request("[[fail 5 503]]", ""))
		if status != 200 || o.Error.Code != 503. {
			t.Errorf("%d, %v", status, o.Error.Code)
		}
	})
}

// Whatever is waited for, the caller's context ends it.
func TestPatience(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		marker, more string
		takes        time.Duration // with an hour's patience
		gives        bool          // up then
	}{
		"plain":         {"", "", 0, false},
		"stream":        {"", `"stream": true`, 50 * time.Millisecond, false}, // three words, the end, the terminator
		"wait":          {"[[wait 5s]]", "", 5 * time.Second, false},
		"slow":          {"[[slow 10s]]", "", 40 * time.Second, false},
		"slow stream":   {"[[slow 10s]]", `"stream": true`, 50 * time.Second, false},
		"n":             {"[[slow 10s]]", `"n": 2`, 80 * time.Second, false},
		"wait too long": {"[[wait 1h]][[slow 1s]]", "", time.Hour, true},
		"wait, stream":  {"[[wait 1h]]", `"stream": true`, time.Hour, true},
		"slow too long": {"[[slow 1h]][[words 100000]]", "", time.Hour, true},
		"slow words":    {"[[slow 1m]][[words 100000]]", `"stream": true`, time.Hour, true},
		"stall":         {"[[stall]]", "", time.Hour, true},
		"stall, stream": {"[[stall 2]]", `"stream": true`, time.Hour, true},
	} {
		inNoTime(t, name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			answer, err := post(ctx, "chat/completions", request("a"+c.marker, c.more))
			if err == nil {
				if _, err = io.Copy(io.Discard, answer.Body); answer.StatusCode != http.StatusOK {
					t.Errorf("status %d", answer.StatusCode)
				}
			}
			if took := time.Since(start); took != c.takes || errors.Is(err, context.DeadlineExceeded) != c.gives {
				t.Errorf("took %v, %v", took, err)
			}
		})
	}
}

// What needs more memory than one request should have is refused.
func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a ", 1<<20+1)
	many := strings.Repeat(`, {"type": "function", "function": {"name": "a", "parameters": {"type": "string", "minLength": 250000}}}`, 17)
	for name, c := range map[string]struct{ route, body, code string }{
		"prompt":     {"chat/completions", request(long, ""), "context_length_exceeded"},
		"completion": {"completions", `{"model": "echo", "prompt": "` + long + `"}`, "context_length_exceeded"},
		"JSON":       {"chat/completions", request("[[json]]"+strings.Repeat("a", 4<<20), ""), "context_length_exceeded"},
		"arguments":  {"chat/completions", request("[[tools]]", `"tools": [`+many[1:]+`]`), "context_length_exceeded"},
		"choices":    {"chat/completions", request(strings.Repeat("a", 1<<20), `"n": 128`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, o := refused(t, c.route, c.body)
			if code, _ := o.Error.Code.(string); status != 400 || code != c.code {
				t.Errorf("%d, %v: %s", status, o.Error.Code, o.Error.Message)
			}
		})
	}
}
