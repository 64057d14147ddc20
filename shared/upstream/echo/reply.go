package echo

import (
	"iter"
	"strconv"
	"strings"
)

// reply is an answer in tokens.
type reply struct {
	pieces []piece
	finish string
}

// piece is one token of an answer.
type piece struct {
	kind kind
	text string
	call int // number of the tool call that it is of
}

type kind int

const (
	thought kind = iota
	spoken
	refused
	toolName // begins a tool call
	toolArgument
	kinds
)

// compose makes the answer that the request asks for, within its limits.
func (r *request) compose(a *asked) (out reply, f *fault) {
	out.finish = "stop"
	r.ponder(&out, a)
	calls, f := r.calls(a)
	if f != nil {
		return out, f
	}
	switch {
	case a.empty:
	case a.refuse != nil:
		f = out.add(piece{kind: refused}, eachWord(*a.refuse))
	case len(calls) > 0:
		out.finish = "tool_calls"
		f = out.call(calls)
	default:
		f = r.speak(&out, a)
	}
	if f != nil {
		return out, f
	}
	out.clip(a.filter, "content_filter")
	out.clip(a.length, "length")
	if limit := r.limit(); limit > 0 {
		out.clip(&limit, "length")
	}
	return out, r.bounded(&out)
}

// add adds a text in pieces that are like p.
func (out *reply) add(p piece, text iter.Seq[string]) *fault {
	for p.text = range text {
		if len(out.pieces) == contextWindow {
			return tooLong("answer")
		}
		out.pieces = append(out.pieces, p)
	}
	return nil
}

func (out *reply) call(calls []call) *fault {
	for i, c := range calls {
		out.pieces = append(out.pieces, piece{toolName, c.name, i})
		if f := out.add(piece{kind: toolArgument, call: i}, eachToken(c.arguments)); f != nil {
			return f
		}
	}
	return nil
}

// clip ends an answer that is longer than n tokens. The content filter ends one of n tokens, too.
func (out *reply) clip(n *int, finish string) {
	if n == nil || *n >= len(out.pieces) && finish == "length" {
		return
	}
	out.pieces, out.finish = out.pieces[:min(*n, len(out.pieces))], finish
}

// speak adds what is said, up to a stop sequence.
func (r *request) speak(out *reply, a *asked) *fault {
	text, isJSON, f := r.structured(a)
	if f != nil {
		return f
	}
	switch {
	case isJSON:
	case a.say != nil:
		text = *a.say
	case a.words != nil:
		text = counting(*a.words)
	default:
		text = said(a.text)
	}
	for _, stop := range r.Stop {
		if stop != "" {
			text, _, _ = strings.Cut(text, stop)
		}
	}
	if isJSON {
		return out.add(piece{kind: spoken}, eachToken(text))
	}
	return out.add(piece{kind: spoken}, eachWord(text))
}

// maxProbs is how many log probabilities a plain answer has at most.
const maxProbs = 1 << 18

// bounded refuses to say more at once than memory is good for.
func (r *request) bounded(out *reply) *fault {
	size := 0
	for i := range out.pieces {
		size += quotedSize(out.pieces[i].text)
	}
	switch {
	case r.N*size > maxAnswer:
		return invalid("n", "All answers together must not be longer than %d bytes.", maxAnswer)
	case r.Logprobs && !r.Stream && r.N*len(out.pieces)*(r.TopLogprobs+1) > maxProbs:
		return invalid("logprobs", "There are more than %d log probabilities to tell. Ask for a stream.", maxProbs)
	}
	return nil
}

// quotedSize is how long a text is at most as a JSON string.
func quotedSize(text string) int {
	n := len(text)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '<' || c == '>' || c == '&' {
			n += len(`\u0000`) - 1
		} else if c == '"' || c == '\\' {
			n++
		}
	}
	return n
}

// structured is what is said where JSON is asked for.
func (r *request) structured(a *asked) (text string, isJSON bool, f *fault) {
	kind := ""
	if r.Format != nil {
		kind = r.Format.Type
	}
	switch {
	case a.value != nil:
		return string(a.value), true, nil
	case kind == "json_schema" && len(r.Format.Schema.Schema) > 0:
		text, f = made(r.Format.Schema.Schema, "response_format")
		return text, true, f
	case a.json || kind == "json_schema" || kind == "json_object":
		text = strings.TrimSpace(a.text)
		if a.say != nil {
			text = *a.say
		}
		return `{"echo": ` + string(quote(text)) + `}`, true, nil
	}
	return "", false, nil
}

// counting says the numbers from 1 to n, so that a missing one is seen.
func counting(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(i + 1))
	}
	return b.String()
}

// effortWords is how long echo thinks when reasoning_effort alone asks for it.
const effortWords = 8

const pondering = " I think about what was said, and how to say it back: word for word is best."

// ponder adds what echo thinks before it answers.
func (r *request) ponder(out *reply, a *asked) {
	n := 0
	switch {
	case a.think != nil:
		n = *a.think
	case r.Effort != "" && r.Effort != "none":
		n = effortWords
	}
	all := words(pondering)
	for i := range n {
		out.pieces = append(out.pieces, piece{kind: thought, text: all[i%len(all)]})
	}
	if n > 0 {
		out.pieces[0].text = strings.TrimSpace(out.pieces[0].text)
	}
}
