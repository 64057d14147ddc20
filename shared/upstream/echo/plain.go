package echo

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// plain tells the reply at once. It takes as long as its stream would where a marker sets the pace, and ends as badly.
func (t *told) plain(ctx context.Context, a *asked) (*http.Response, error) {
	if a.stall != nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if a.slow > 0 {
		events := time.Duration(t.events() * t.request.N)
		if err := sleep(ctx, a.slow*min(events, longest/a.slow)); err != nil {
			return nil, err
		}
	}
	if a.fail != nil {
		return whole(http.StatusOK, a.fail.text(true)), nil
	}
	for n := range t.request.N {
		t.head.Choices = append(t.head.Choices, t.choice(n))
	}
	t.head.Usage = t.usage
	r, err := plain(t.head)
	if err == nil && a.cut != nil {
		err = breakOff(r)
	}
	return r, err
}

// choice joins the pieces of an answer.
func (t *told) choice(n int) choice {
	m := &message{Role: "assistant"}
	var texts [kinds]strings.Builder
	var arguments *strings.Builder
	for i := range t.reply.pieces {
		p := &t.reply.pieces[i]
		switch p.kind {
		case toolName:
			arguments = new(strings.Builder)
			m.Calls = append(m.Calls, called{ID: t.callID(n, p.call), Type: "function", Function: function{Name: p.text}})
		case toolArgument:
			arguments.WriteString(p.text)
			m.Calls[p.call].Function.Arguments = arguments.String()
		default:
			texts[p.kind].WriteString(p.text)
		}
	}
	m.Thought, m.Refusal = orNil(texts[thought].String()), orNil(texts[refused].String())
	m.Content = orNil(texts[spoken].String())
	if m.Content == nil && m.Refusal == nil && len(m.Calls) == 0 {
		m.Content = new(string)
	}
	c := choice{Index: n, Message: m, Finish: &t.reply.finish}
	if t.request.Logprobs {
		c.Logprobs = probabilities(t.reply.pieces, t.request.TopLogprobs)
	}
	return c
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
