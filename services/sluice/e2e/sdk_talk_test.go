package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// wish is what a conversation is held with. Each SDK says it in its own words.
type wish struct {
	model  string
	system string
	tools  []string       // their names; each takes a city
	force  bool           // one of them must be called
	schema map[string]any // of the answer
	think  bool           // and show the thoughts
	limit  int            // of output tokens
	stop   string
}

// toolCall is a tool that the model wants called.
type toolCall struct {
	id, name, args string
	native         any // what the SDK needs besides
}

// reply is what the model said.
type reply struct {
	text, thoughts string
	calls          []toolCall
	finish         string // in the SDK's own word
	model          string
	in, out        int64 // tokens
}

// talk is a conversation that an SDK holds, with the SDK's own types for what was said. A reply becomes part of it.
type talk interface {
	say(text string, image ...byte)
	answer(calls []toolCall, results ...string)
	// run asks the model to go on. each is called after each event of a stream; where it is nil nothing is streamed.
	run(ctx context.Context, each func()) (reply, error)
}

// sdk is a client library.
type sdk struct {
	name     string
	open     func(t testing.TB, g *sluice, key string, w wish) talk
	fault    func(error) refusal
	finishes map[string]string // its words for why an answer ended, by ours
	quiet    bool              // it has no field for the text of thoughts
	meek     bool              // it cannot ask for the text of thoughts, and some vendors tell it only when asked
}

// refusal is an error as an SDK understands it.
type refusal struct {
	status     int
	kind       string
	retryAfter string
	message    string
}

// person is the schema of an answer, cityOf that of a tool's arguments.
var (
	person = map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"name", "age"},
		"properties": map[string]any{"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer"}},
	}
	cityOf = map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"city"},
		"properties": map[string]any{"city": map[string]any{"type": "string"}},
	}
)

// png is the smallest picture.
var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
	"\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82")

// scene is a conversation that every SDK has with every vendor, plain and streamed.
type scene struct {
	behaviours []string // of the model
	wish       wish
	play       func(t *testing.T, s stage)
}

// stage is where a scene is played.
type stage struct {
	g      *sluice
	sdk    sdk
	vendor vendor
	talk   talk
	wish   wish
	each   func() // nil: not streamed
	events *int   // of streams, so far
}

func newStage(t *testing.T, g *sluice, key string, c sdk, v vendor, w wish, streamed bool) stage {
	s := stage{g: g, sdk: c, vendor: v, talk: c.open(t, g, key, w), wish: w, events: new(int)}
	if streamed {
		s.each = func() { *s.events++ }
	}
	return s
}

// next has the model go on, which must work.
func (s stage) next(t *testing.T) reply {
	t.Helper()
	before := *s.events
	r, err := s.talk.run(t.Context(), s.each)
	if err != nil {
		t.Fatalf("%v: %s", err, s.sdk.fault(err).message)
	}
	if n := *s.events - before; s.each != nil && n < 2 {
		t.Errorf("the stream had %d events", n)
	}
	if r.model != s.wish.model {
		t.Errorf("the answer says that it is of the model %q, want %q", r.model, s.wish.model)
	}
	return r
}

// ends checks why an answer ended, in our word.
func (s stage) ends(t *testing.T, r reply, finish string) {
	t.Helper()
	if want := s.sdk.finishes[finish]; r.finish != want {
		t.Errorf("the answer ended with %q, want %q", r.finish, want)
	}
}

// called checks the calls of a reply; without a name there must be none.
func called(t *testing.T, r reply, names ...string) {
	t.Helper()
	ids := map[string]bool{}
	for i, c := range r.calls {
		var args struct{ City string }
		if err := json.Unmarshal([]byte(c.args), &args); err != nil || !strings.HasPrefix(args.City, "city") {
			t.Errorf("call %d has the arguments %s, %v", i, c.args, err)
		}
		if c.id == "" || ids[c.id] {
			t.Errorf("call %d has the id %q; the ids before were %v", i, c.id, ids)
		}
		ids[c.id] = true
		if i < len(names) && c.name != names[i] {
			t.Errorf("call %d is to %s, want %s", i, c.name, names[i])
		}
	}
	if len(r.calls) != len(names) {
		t.Fatalf("got %d calls, want %d: %+v", len(r.calls), len(names), r)
	}
}

// thoughtOf checks the thoughts of a model that was told to think in three tokens.
func (s stage) thoughtOf(t *testing.T, r reply) {
	t.Helper()
	want := "thought one two"
	if s.sdk.quiet || s.vendor.hides || s.sdk.meek && s.vendor.asked {
		want = ""
	}
	if r.thoughts != want {
		t.Errorf("the thoughts are %q, want %q", r.thoughts, want)
	}
}

func said(t *testing.T, r reply, text string) {
	t.Helper()
	if r.text != text {
		t.Errorf("the text is %q, want %q", r.text, text)
	}
}

// scenes is the table of them.
var scenes = map[string]scene{
	"text": {wish: wish{system: "Be brief."}, play: func(t *testing.T, s stage) {
		s.talk.say("one two three four")
		r := s.next(t)
		said(t, r, "one two three four")
		called(t, r)
		s.ends(t, r, "stop")
		if r.out != 4 || r.in < 10 {
			t.Errorf("the usage is %d and %d tokens", r.in, r.out)
		}
		s.talk.say("five six")
		said(t, s.next(t), "five six")
	}},
	"limit": {behaviours: []string{"words-40"}, wish: wish{limit: 16}, play: func(t *testing.T, s stage) {
		s.talk.say("word")
		r := s.next(t)
		if n := len(strings.Fields(r.text)); n != 16 || r.out != 16 {
			t.Errorf("got %d words and %d tokens, want 16", n, r.out)
		}
		s.ends(t, r, "length")
	}},
	"image": {play: func(t *testing.T, s stage) {
		s.talk.say("look", png...)
		said(t, s.next(t), "look image:image/png")
	}},
	"tools": {behaviours: []string{"tools-1"}, wish: wish{tools: []string{"get_weather"}}, play: func(t *testing.T, s stage) {
		s.talk.say("weather?")
		r := s.next(t)
		called(t, r, "get_weather")
		s.ends(t, r, "tools")
		s.talk.answer(r.calls, "sunny today")
		r = s.next(t)
		said(t, r, "sunny today")
		s.ends(t, r, "stop")
	}},
	"parallel tools": {behaviours: []string{"tools-3"}, wish: wish{tools: []string{"get_weather", "get_time"}}, play: func(t *testing.T, s stage) {
		s.talk.say("weather and time?")
		r := s.next(t)
		called(t, r, "get_weather", "get_time", "get_weather")
		s.ends(t, r, "tools")
		s.talk.answer(r.calls, "sunny", "noon", "cloudy")
		said(t, s.next(t), "sunny noon cloudy")
		s.talk.say("and tomorrow?")
		r = s.next(t)
		called(t, r, "get_weather", "get_time", "get_weather")
	}},
	"forced tool": {wish: wish{tools: []string{"get_weather"}, force: true}, play: func(t *testing.T, s stage) {
		s.talk.say("hello")
		r := s.next(t)
		called(t, r, "get_weather")
		s.ends(t, r, "tools")
	}},
	"schema": {wish: wish{schema: person}, play: func(t *testing.T, s stage) {
		s.talk.say("who?")
		r := s.next(t)
		var p struct {
			Name string
			Age  int
		}
		if err := json.Unmarshal([]byte(r.text), &p); err != nil || p.Name != "name" || p.Age != 1 {
			t.Errorf("got %q, %v", r.text, err)
		}
		called(t, r)
		s.ends(t, r, "stop")
	}},
	"thinking": {behaviours: []string{"think-3"}, wish: wish{think: true}, play: func(t *testing.T, s stage) {
		s.talk.say("why not")
		r := s.next(t)
		said(t, r, "why not")
		s.thoughtOf(t, r)
		if r.out != 5 {
			t.Errorf("thoughts and text have %d tokens, want 5", r.out)
		}
		s.talk.say("and then")
		said(t, s.next(t), "and then")
	}},
	"thinking with tools": {behaviours: []string{"think-3", "tools-2"}, wish: wish{think: true, tools: []string{"get_weather"}},
		play: func(t *testing.T, s stage) {
			if s.vendor.wantsText && s.sdk.quiet {
				t.Skip("the vendor wants thoughts back that the SDK does not know")
			}
			for _, city := range []string{"oslo", "rome"} {
				s.talk.say(city)
				r := s.next(t)
				s.thoughtOf(t, r)
				called(t, r, "get_weather", "get_weather")
				s.talk.answer(r.calls, "sunny", "cloudy")
				r = s.next(t)
				said(t, r, "sunny cloudy")
			}
		}},
	"stop": {wish: wish{stop: "three"}, play: func(t *testing.T, s stage) {
		s.talk.say("one two three four")
		switch {
		case s.sdk.finishes["stop"] == "completed": // OpenAI's responses have no stop sequences
			said(t, s.next(t), "one two three four")
			return
		case s.vendor.base == "gpt-5": // nor have OpenAI's models that reason, whatever the fake thinks
			if r, err := s.talk.run(t.Context(), s.each); err == nil {
				said(t, r, "one two ")
			} else if f := s.sdk.fault(err); f.status != 400 || !strings.Contains(strings.ToLower(f.message), "stop") {
				t.Errorf("%v; want an error that names the field", err)
			}
			return
		}
		r := s.next(t)
		said(t, r, "one two ")
		if want := s.sdk.finishes["stop"]; r.finish != want && r.finish != "stop_sequence" {
			t.Errorf("the answer ended with %q, want %q", r.finish, want)
		}
	}},
	"odd frames": {behaviours: []string{"comments", "crlf", "split", "unknown-fields", "tools-1"}, wish: wish{tools: []string{"get_weather"}},
		play: func(t *testing.T, s stage) {
			s.talk.say("weather?")
			r := s.next(t)
			called(t, r, "get_weather")
			s.talk.answer(r.calls, "sunny today")
			said(t, s.next(t), "sunny today")
		}},
	"cache": {behaviours: []string{"cached"}, wish: wish{system: strings.Repeat("Be brief. ", 600)}, play: func(t *testing.T, s stage) {
		for range 2 {
			s.talk.say("one two")
			said(t, s.next(t), "one two")
		}
	}},
	"refusal": {behaviours: []string{"filter"}, play: func(t *testing.T, s stage) {
		s.talk.say("one two three four")
		r := s.next(t)
		said(t, r, "one two")
		s.ends(t, r, "filter")
	}},
}

// playAll plays every scene with an SDK on every vendor.
func playAll(t *testing.T, g *sluice, key string, c sdk) {
	for name, sc := range scenes {
		for _, v := range vendors {
			for _, mode := range []string{"plain", "streamed"} {
				t.Run(fmt.Sprint(name, "/", v.name, "/", mode), func(t *testing.T) {
					t.Parallel()
					w := sc.wish
					w.model = v.model(sc.behaviours...)
					sc.play(t, newStage(t, g, key, c, v, w, mode == "streamed"))
				})
			}
		}
	}
}

// moveOn plays conversations that begin at one vendor, with thoughts and calls, and go on at another: what one vendor has signed
// is no business of the next one's, and no error.
func moveOn(t *testing.T, g *sluice, key string, c sdk, move func(talk, string)) {
	for i, from := range vendors {
		for _, step := range []int{1, 2, 4} {
			to := vendors[(i+step)%len(vendors)]
			if to.wantsText {
				continue // and has its reasons
			}
			t.Run(fmt.Sprint("moves from ", from.name, " to ", to.name), func(t *testing.T) {
				t.Parallel()
				w := wish{model: from.model("think-3", "tools-1"), think: true, tools: []string{"get_weather"}}
				s := newStage(t, g, key, c, from, w, false)
				s.talk.say("weather?")
				first := s.next(t)
				called(t, first, "get_weather")
				s.vendor, s.wish.model = to, to.model("think-3", "tools-1")
				move(s.talk, s.wish.model)
				s.talk.answer(first.calls, "sunny")
				said(t, s.next(t), "sunny")
				s.talk.say("more")
				called(t, s.next(t), "get_weather")
			})
		}
	}
}
