package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// echoScenes are conversations with the built-in model, which does what the markers say.
var echoScenes = map[string]scene{
	"text": {play: func(t *testing.T, s stage) {
		s.talk.say("Hello there")
		r := s.next(t)
		said(t, r, "You said: Hello there")
		s.ends(t, r, "stop")
		if r.in == 0 || r.out == 0 {
			t.Errorf("the usage is %d and %d tokens", r.in, r.out)
		}
	}},
	"limit": {wish: wish{limit: 16}, play: func(t *testing.T, s stage) {
		s.talk.say("[[words 50]]")
		r := s.next(t)
		if n := len(strings.Fields(r.text)); n != 16 {
			t.Errorf("got %d words: %q", n, r.text)
		}
		s.ends(t, r, "length")
	}},
	"image": {play: func(t *testing.T, s stage) {
		s.talk.say("What is it?", png...)
		said(t, s.next(t), "You said: What is it? (1 image)")
	}},
	"agent": {wish: wish{tools: []string{"get_weather", "get_time"}}, play: func(t *testing.T, s stage) {
		s.talk.say(`[[tool get_weather {"city": "city of Oslo"}]] [[tool get_time {"city": "city of Rome"}]] [[say All done.]]`)
		for _, name := range []string{"get_weather", "get_time"} {
			r := s.next(t)
			called(t, r, name)
			s.ends(t, r, "tools")
			s.talk.answer(r.calls, "result of "+name)
		}
		r := s.next(t)
		said(t, r, "All done.")
		s.ends(t, r, "stop")
	}},
	"parallel tools": {wish: wish{tools: []string{"get_weather", "get_time"}}, play: func(t *testing.T, s stage) {
		s.talk.say(`[[tools 2]] [[say Thanks.]]`)
		r := s.next(t)
		if len(r.calls) != 2 || r.calls[0].name != "get_weather" || r.calls[1].name != "get_time" || r.calls[0].id == r.calls[1].id {
			t.Fatalf("the calls are %+v", r.calls)
		}
		s.talk.answer(r.calls, "sunny", "noon")
		said(t, s.next(t), "Thanks.")
	}},
	"schema": {wish: wish{schema: person}, play: func(t *testing.T, s stage) {
		s.talk.say("Who?")
		r := s.next(t)
		if !strings.Contains(r.text, `"name"`) || !strings.Contains(r.text, `"age"`) {
			t.Errorf("got %q", r.text)
		}
		s.ends(t, r, "stop")
	}},
	"thinking": {wish: wish{think: true}, play: func(t *testing.T, s stage) {
		s.talk.say("Hello [[think 5]]")
		r := s.next(t)
		said(t, r, "You said: Hello")
		if n := len(strings.Fields(r.thoughts)); n != 5 && !s.sdk.quiet {
			t.Errorf("the thoughts are %q", r.thoughts)
		}
		s.talk.say("Again")
		said(t, s.next(t), "You said: Again")
	}},
	"filter": {play: func(t *testing.T, s stage) {
		s.talk.say("[[filter 2]] Hello")
		r := s.next(t)
		said(t, r, "You said:")
		s.ends(t, r, "filter")
	}},
}

// echoErrors are markers that make errors, and what they are.
var echoErrors = map[string]struct {
	status     int
	kind       string
	retryAfter string
}{
	"[[error 429 20]]":         {429, "rate", "20"},
	"[[error 400]]":            {400, "bad", ""},
	"[[error context_length]]": {400, "bad", ""},
	"[[cut 3]] one two three":  {},
	"[[fail 3]] one two three": {},
}

// TestEchoSDK is every SDK with echo, as people try things without an account.
func TestEchoSDK(t *testing.T) {
	t.Parallel()
	g := startLocal(t, nil)
	key := g.newKey(t, nil)
	for _, c := range []sdk{anthropicSDK, genaiSDK, openaiSDK, goopenSDK, responsesSDK, storedSDK} {
		for _, mode := range []string{"plain", "streamed"} {
			for name, sc := range echoScenes {
				t.Run(fmt.Sprint(c.name, "/", name, "/", mode), func(t *testing.T) {
					t.Parallel()
					w := sc.wish
					w.model = "echo"
					sc.play(t, newStage(t, g, key, c, vendor{}, w, mode == "streamed"))
				})
			}
			for text, want := range echoErrors {
				t.Run(fmt.Sprint(c.name, "/", text, "/", mode), func(t *testing.T) {
					t.Parallel()
					s := c.open(t, g, key, wish{model: "echo"})
					s.say(text)
					var each func()
					if mode == "streamed" {
						each = func() {}
					}
					r, err := s.run(t.Context(), each)
					if err == nil || strings.Contains(err.Error(), errUnfinished.Error()) {
						t.Fatalf("got %+v, %v", r, err)
					}
					if got := c.fault(err); want.status > 0 && (got.status != want.status || got.kind != c.kinds()[want.kind]) {
						t.Errorf("status %d, type %q: %s; want %d, %q", got.status, got.kind, got.message, want.status, c.kinds()[want.kind])
					} else if want.retryAfter != "" && strings.TrimSuffix(got.retryAfter, "s") != want.retryAfter && c.name != "go-openai" {
						t.Errorf("to be tried again after %q, want %q", got.retryAfter, want.retryAfter)
					}
				})
			}
		}
	}
}
