package echo

import (
	"bytes"
	"encoding/json"
	"strings"
)

// request is what echo reads of a chat completion's request. Fields that it does not know are nobody's harm.
type request struct {
	Model         string          `json:"model"`
	Messages      []turn          `json:"messages"`
	Tools         []tool          `json:"tools"`
	Choice        json.RawMessage `json:"tool_choice"`
	Parallel      *bool           `json:"parallel_tool_calls"`
	Format        *format         `json:"response_format"`
	MaxTokens     int             `json:"max_tokens"`
	MaxCompletion int             `json:"max_completion_tokens"`
	Stop          stops           `json:"stop"`
	N             int             `json:"n"`
	Effort        string          `json:"reasoning_effort"`
	Logprobs      bool            `json:"logprobs"`
	TopLogprobs   int             `json:"top_logprobs"`
	Stream        bool            `json:"stream"`
	Options       struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// turn is one of the messages.
type turn struct {
	Role    string            `json:"role"`
	Content content           `json:"content"`
	Calls   []json.RawMessage `json:"tool_calls"`
}

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

type format struct {
	Type   string `json:"type"`
	Schema struct {
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

// stops are the stop sequences, one or a list of them.
type stops []string

func (s *stops) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*s = make(stops, 1)
		return json.Unmarshal(raw, &(*s)[0])
	}
	return json.Unmarshal(raw, (*[]string)(s))
}

func readRequest(body []byte) (*request, *fault) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, invalid("", "messages cannot be read: %v", err)
	}
	if r.N > maxChoices {
		return nil, invalid("n", "n must be from 1 to %d", maxChoices)
	}
	if r.TopLogprobs < 0 || r.TopLogprobs > maxTop {
		return nil, invalid("top_logprobs", "top_logprobs must be from 0 to %d", maxTop)
	}
	r.N = max(r.N, 1)
	return &r, nil
}

const (
	maxChoices = 128 // OpenAI's limits (its API reference, read 2026-11)
	maxTop     = 20
)

// limit is the most tokens that an answer may have; 0: any number.
func (r *request) limit() int { return max(r.MaxTokens, r.MaxCompletion, 0) }

// prompt counts the tokens of all messages.
func (r *request) prompt() (n int) {
	for i := range r.Messages {
		n += countWords(r.Messages[i].Content.text)
	}
	return n
}

// asked is what the messages come to: what there is to answer, and how.
type asked struct {
	script
	text string // the user's, without markers; behind tool results: theirs
	step int    // how many steps of tool calls were made for it
}

// read goes through the messages. The last user's message is what counts, and the results of the tools that were called
// for it; text beside results that has no markers of its own is a note of the agent's and asks for nothing.
func (r *request) read() (a asked, f *fault) {
	var system strings.Builder
	var user content
	var results []string
	for i := range r.Messages {
		switch m := &r.Messages[i]; {
		case m.Role == "system", m.Role == "developer":
			system.WriteString(m.Content.text + "\n")
		case m.Role == "tool", m.Role == "function", m.Role == "user" && results != nil && !marked(m.Content.text):
			results = append(results, m.Content.String())
		case m.Role == "user":
			user, results, a.step = m.Content, nil, 0
		case m.Role == "assistant":
			results = nil
			if len(m.Calls) > 0 {
				a.step++
			}
		}
	}
	if _, f = a.script.read(system.String()); f != nil {
		return a, f
	}
	user.text, f = a.readUser(user.text)
	a.text = user.String()
	if results != nil {
		a.text = strings.Join(results, "\n")
	}
	return a, f
}

// readUser reads the user's markers, whose steps take the place of the system's.
func (a *asked) readUser(text string) (string, *fault) {
	before := a.rounds
	a.rounds = nil
	text, f := a.script.read(text)
	if a.rounds == nil {
		a.rounds = before
	}
	return text, f
}

func marked(text string) bool {
	for at := strings.Index(text, "[["); at >= 0; at = strings.Index(text, "[[") {
		m, _, length := find(text[at:])
		if m != nil || length == 0 {
			return m != nil
		}
		text = text[at+length:]
	}
	return false
}

// chosen reads tool_choice: whether tools must be called, may not, and which.
func (r *request) chosen() (mode, name string, f *fault) {
	raw := bytes.TrimSpace(r.Choice)
	if len(raw) == 0 || string(raw) == "null" {
		return "auto", "", nil
	}
	if json.Unmarshal(raw, &mode) == nil {
		return mode, "", nil
	}
	var choice struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
		Allowed struct {
			Mode  string `json:"mode"`
			Tools []tool `json:"tools"`
		} `json:"allowed_tools"`
	}
	if err := json.Unmarshal(raw, &choice); err != nil {
		return "", "", invalid("tool_choice", "tool_choice cannot be read: %v", err)
	}
	switch allowed := choice.Allowed; {
	case choice.Function.Name != "":
		return "required", choice.Function.Name, nil
	case len(allowed.Tools) > 0 && allowed.Mode == "required":
		return "required", allowed.Tools[0].Function.Name, nil
	default:
		return "auto", "", nil
	}
}
