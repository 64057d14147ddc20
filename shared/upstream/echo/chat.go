package echo

import (
	"context"
	"fmt"
	"net/http"
)

// answer is a completion, or a chunk of one, of either kind. The client library's own types add fields that no provider
// sends, and lack others.
type answer struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index    int       `json:"index"`
	Message  *message  `json:"message,omitempty"`
	Delta    *delta    `json:"delta,omitempty"`
	Text     *string   `json:"text,omitempty"`
	Logprobs *logprobs `json:"logprobs,omitempty"`
	Finish   *string   `json:"finish_reason"`
}

type message struct {
	Role    string   `json:"role"`
	Content *string  `json:"content"`
	Thought *string  `json:"reasoning_content,omitempty"` // as DeepSeek and vLLM call it (their API documents, read 2026-11)
	Refusal *string  `json:"refusal,omitempty"`
	Calls   []called `json:"tool_calls,omitempty"`
}

type delta struct {
	Role    string   `json:"role,omitempty"`
	Content *string  `json:"content,omitempty"`
	Thought *string  `json:"reasoning_content,omitempty"`
	Refusal *string  `json:"refusal,omitempty"`
	Calls   []called `json:"tool_calls,omitempty"`
}

type called struct {
	Index    *int     `json:"index,omitempty"` // in streams
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type usage struct {
	Prompt     int            `json:"prompt_tokens"`
	Completion int            `json:"completion_tokens"`
	Total      int            `json:"total_tokens"`
	Input      *inputDetails  `json:"prompt_tokens_details,omitempty"`
	Output     *outputDetails `json:"completion_tokens_details,omitempty"`
}

type inputDetails struct {
	Cached int `json:"cached_tokens"`
}

type outputDetails struct {
	Reasoning int `json:"reasoning_tokens"`
}

func counted(prompt, completion, cached, reasoning int) *usage {
	return &usage{prompt, completion, prompt + completion, &inputDetails{cached}, &outputDetails{reasoning}}
}

func chat(ctx context.Context, body []byte) (*http.Response, error) {
	r, f := readRequest(body)
	if f != nil {
		return f.response()
	}
	prompt := r.prompt()
	if prompt > contextWindow {
		return tooLong("prompt").response()
	}
	a, f := r.read()
	if f != nil {
		return f.response()
	}
	if a.wait > 0 {
		if err := sleep(ctx, a.wait); err != nil {
			return nil, err
		}
	}
	if a.err != nil {
		return a.err.response()
	}
	reply, f := r.compose(&a)
	if f != nil {
		return f.response()
	}
	t := told{request: r, reply: reply, usage: a.reported(r, prompt, reply.pieces), calls: identify("call", body)}
	t.head = answer{ID: identify("chatcmpl", body), Object: "chat.completion", Created: created, Model: r.Model}
	if r.Stream {
		return t.stream(ctx, &a)
	}
	return t.plain(ctx, &a)
}

// reported is the usage that the answers tell; nil if none.
func (a *asked) reported(r *request, prompt int, pieces []piece) *usage {
	if a.noUsage || a.usage != nil {
		return a.usage
	}
	reasoning := 0
	for i := range pieces {
		if pieces[i].kind == thought {
			reasoning++
		}
	}
	return counted(prompt, len(pieces)*r.N, 0, reasoning*r.N)
}

// told is a reply on its way to the caller.
type told struct {
	request *request
	reply   reply
	usage   *usage
	head    answer
	calls   string // what ids of tool calls begin with
}

func (t *told) callID(choice, call int) string { return fmt.Sprintf("%s-%d-%d", t.calls, choice, call) }

// events is how many there are for one choice: its pieces, at least one that says who speaks, and the end.
func (t *told) events() int { return max(1, len(t.reply.pieces)) + 1 }

func (t *told) stream(ctx context.Context, a *asked) (*http.Response, error) {
	t.head.Object = "chat.completion.chunk"
	n := t.events() * t.request.N
	if t.request.Options.Usage && t.usage != nil {
		n++
	}
	s := newStream(ctx, n, func(i int) any { return t.event(i) })
	if a.slow > 0 {
		s.pace = a.slow
	}
	s.trouble = trouble{a.cut, a.stall, a.after, a.fail}
	return s.response()
}

// event is one chunk: each choice is told to its end, then the usage.
func (t *told) event(i int) answer {
	chunk := t.head
	n, at := i/t.events(), i%t.events()
	c := choice{Index: n, Delta: &delta{}}
	switch {
	case n == t.request.N:
		chunk.Choices, chunk.Usage = []choice{}, t.usage
		return chunk
	case at == t.events()-1:
		c.Finish = &t.reply.finish
	case len(t.reply.pieces) == 0:
		c.Delta.Content = new(string)
	default:
		p := &t.reply.pieces[at]
		c.Delta = t.delta(p, n)
		if t.request.Logprobs {
			c.Logprobs = probabilities(t.reply.pieces[at:at+1], t.request.TopLogprobs)
		}
	}
	if at == 0 {
		c.Delta.Role = "assistant"
	}
	chunk.Choices = []choice{c}
	return chunk
}

func (t *told) delta(p *piece, n int) *delta {
	switch p.kind {
	case thought:
		return &delta{Thought: &p.text}
	case refused:
		return &delta{Refusal: &p.text}
	case toolName:
		return &delta{Calls: []called{{&p.call, t.callID(n, p.call), "function", function{Name: p.text}}}}
	case toolArgument:
		return &delta{Calls: []called{{Index: &p.call, Function: function{Arguments: p.text}}}}
	default:
		return &delta{Content: &p.text}
	}
}
