package ingress_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// obj is a JSON object on its way in or out.
type obj = map[string]any

// talk is what a caller says and wants, in no vendor's words. Zero fields are not said.
type talk struct {
	system   string
	cache    string // 5m or 1h: what comes up to the end of the system prompt is worth caching
	turns    []turn
	tools    int    // so many of the weather tools are offered
	choice   string // none, any, or a tool's name
	single   bool   // one tool call at a time
	object   bool   // any JSON object
	schema   bool   // JSON of the weather schema
	stop     string
	limit    int
	think    bool
	seed     bool
	n        int
	logprobs bool
}

// turn is one message: a user's, an assistant's answer as it came, or the results of its tool calls.
type turn struct {
	text    string
	media   string // image, pdf or audio, beside the text
	said    *result
	answers []answered
}

// answered is what a tool returned.
type answered struct {
	call   called
	text   string
	image  bool
	failed bool
}

type called struct{ id, name, args string }

// result is an answer in no vendor's words.
type result struct {
	status         int
	text, thoughts string
	refusal        string
	calls          []called
	finish         string // stop, length, calls, filter or refusal
	stopped        string // the stop sequence, where the dialect tells
	usage          tokens
	choices        int
	logprobs       int
	history        any // the assistant's turn as a client of the dialect keeps it: standard fields only
	fault          *refusal
	done           bool // the stream ended in the success terminator
	id             string
}

// tokens are a dialect's usage; -1 is what it does not tell.
type tokens struct{ in, cached, written, out, thought int64 }

// refusal is an error, before or inside a stream.
type refusal struct {
	status                     int // 0 inside a stream
	kind, code, message, param string
	retryAfter                 string
}

// speaker is a client of one dialect, written from its vendor's documentation.
type speaker interface {
	name() string
	// route is where a generation is asked for, and the header with the key.
	route(model string, stream bool) (path, header string)
	// ask writes a request. The error is errUnsayable for what the dialect has no words for.
	ask(model string, t *talk, stream bool) (obj, error)
	// whole and stream read good answers, and complain about what the documentation does not allow.
	whole(r *reading, answer obj) *result
	stream(r *reading, events []frame) *result
	// failed reads an error's body.
	failed(r *reading, body obj) *refusal
	// kind is the type of errors of a status, where OpenAI's is openai.
	kind(status int, openai string) string
}

var errUnsayable = errors.New("the dialect has no words for it")

// lacks returns errUnsayable if one of the wishes is there.
func lacks(wishes ...bool) error {
	for _, w := range wishes {
		if w {
			return errUnsayable
		}
	}
	return nil
}

// reading gathers complaints about an answer.
type reading struct{ faults []string }

func (r *reading) want(ok bool, format string, args ...any) bool {
	if !ok && len(r.faults) < 5 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
	return ok
}

// text is a string that must be there.
func (r *reading) text(o obj, name string) string {
	s, ok := o[name].(string)
	r.want(ok, "%s is no text in %s", name, brief{o})
	return s
}

// word is a string that must be there and be one of some words.
func (r *reading) word(o obj, name string, words ...string) {
	s := r.text(o, name)
	for _, w := range words {
		if s == w {
			return
		}
	}
	r.want(false, "%s is %q, not %q", name, s, words)
}

func (r *reading) object(o obj, name string) obj {
	v, ok := o[name].(obj)
	r.want(ok, "%s is no object in %s", name, brief{o})
	return v
}

// list is an array of objects that must be there.
func (r *reading) list(o obj, name string) (list []obj) {
	all, ok := o[name].([]any)
	r.want(ok, "%s is no array in %s", name, brief{o})
	for _, v := range all {
		item, ok := v.(obj)
		r.want(ok, "%s has %v", name, v)
		list = append(list, item)
	}
	return list
}

// number is a whole number that must be there.
func (r *reading) number(o obj, name string) int64 {
	n, ok := o[name].(float64)
	r.want(ok, "%s is no number in %s", name, brief{o})
	return int64(n)
}

// maybe is a number that may be missing.
func maybe(o obj, names ...string) int64 {
	for _, name := range names[:len(names)-1] {
		o, _ = o[name].(obj)
	}
	n, _ := o[names[len(names)-1]].(float64)
	return int64(n)
}

func textIn(o obj, name string) string { s, _ := o[name].(string); return s }

// brief is a value as a complaint shows it.
type brief struct{ value any }

func (b brief) String() string {
	text, _ := json.Marshal(b.value)
	return string(text[:min(len(text), 300)])
}

func parseObject(text string) (obj, error) {
	var o obj
	err := json.Unmarshal([]byte(text), &o)
	if err == nil && o == nil {
		err = errors.New("no object")
	}
	return o, err
}

// frame is a server-sent event.
type frame struct {
	name string
	data obj  // nil for [DONE]
	done bool // the data is [DONE]
}

// parseEvents reads a stream that has ended.
func parseEvents(r *reading, text string) (events []frame) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\uFEFF"))
	r.want(text == "" || strings.HasSuffix(text, "\n\n"), "the stream ends within an event: %q", text[max(0, len(text)-80):])
	for block := range strings.SplitSeq(text, "\n\n") {
		e, data := frame{}, []string(nil)
		for line := range strings.SplitSeq(block, "\n") {
			field, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch field {
			case "event":
				e.name = value
			case "data":
				data = append(data, value)
			}
		}
		if len(data) == 0 {
			continue
		}
		joined := strings.Join(data, "\n")
		if e.done = joined == "[DONE]"; !e.done {
			var err error
			e.data, err = parseObject(joined)
			r.want(err == nil, "an event is no JSON object: %.200s", joined)
		}
		events = append(events, e)
	}
	return events
}

// Things that callers show.
const (
	pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	paper = "JVBERi0xLjQKJcOkw7zDtsOfCnRyYWlsZXIKPDw+PgolJUVPRgo="
	sound = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
)

// weather is the schema of tools and of answers.
func weather() obj {
	return obj{
		"type": "object", "properties": obj{"city": obj{"type": "string", "description": "where"}, "days": obj{"type": "integer"}},
		"required": []string{"city", "days"}, "additionalProperties": false,
	}
}

// weatherArgs is what the fake makes of the schema in its n-th call.
func weatherArgs(n int) obj {
	city := "city"
	if n > 0 {
		city += fmt.Sprint(n)
	}
	return obj{"city": city, "days": 1.0}
}

var toolNames = []string{"get_weather", "get_forecast"}

const toolText = "Tells the weather."

func user(text string) turn { return turn{text: text} }
