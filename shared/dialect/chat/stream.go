package chat

import (
	"encoding/json"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// EncodeStream begins a streamed answer.
func (in *inbound) EncodeStream() dialect.StreamEncoder { return &encoder{asksUsage: in.asksUsage} }

// encoder writes the chunks of a stream.
type encoder struct {
	asksUsage bool
	head      []byte // of a chunk, up to its choices
	tail      string // behind them
	choices   []streamed
	usage     *usage
}

// streamed is one of the answers on its way.
type streamed struct {
	begun    bool
	refuses  bool
	calls    int         // tool calls so far
	numbers  map[int]int // of tool calls, by part
	kinds    map[int]llm.Kind
	thoughts map[int]*thought
}

// thought is kept until its seal comes: clients get it once more with the seal, in one block that they can send back.
type thought struct {
	part llm.Part
	text []byte
}

// Encode appends the chunks for one event.
func (s *encoder) Encode(dst []byte, e *llm.Event) []byte {
	switch e.Type {
	case llm.Begin:
		s.begin(e)
	case llm.PartBegin:
		return s.partBegin(dst, e)
	case llm.Delta:
		return s.delta(dst, e)
	case llm.PartEnd:
		return s.partEnd(dst, e)
	case llm.End:
		return s.chunk(dst, e.Choice, nil, nil, finishOf(e.Finish, s.choice(e.Choice).refuses))
	case llm.Spent:
		if e.Usage != nil {
			s.usage = usageFrom(*e.Usage)
		}
	}
	return dst
}

func (s *encoder) begin(e *llm.Event) {
	s.head = append([]byte(`data: {"id":`), jsonedit.Quote(answerID("chatcmpl-", e.ID))...)
	s.head = append(s.head, `,"object":"chat.completion.chunk","created":`...)
	s.head = strconv.AppendInt(s.head, createdAt(0), 10)
	s.head = jsonedit.AppendQuote(append(s.head, `,"model":`...), e.Model)
	if e.Tier != "" {
		s.head = jsonedit.AppendQuote(append(s.head, `,"service_tier":`...), e.Tier)
	}
	s.head = append(s.head, `,"choices":[`...)
	s.tail = "]}\n\n"
	if s.asksUsage {
		s.tail = "],\"usage\":null}\n\n"
	}
}

func (s *encoder) choice(n int) *streamed {
	for len(s.choices) <= n {
		s.choices = append(s.choices, streamed{numbers: map[int]int{}, kinds: map[int]llm.Kind{}, thoughts: map[int]*thought{}})
	}
	return &s.choices[n]
}

func (s *encoder) partBegin(dst []byte, e *llm.Event) []byte {
	c := s.choice(e.Choice)
	c.kinds[e.Index] = e.Part.Kind
	c.refuses = c.refuses || e.Part.Kind == llm.Refusal
	switch e.Part.Kind {
	case llm.ToolCall:
		c.numbers[e.Index] = c.calls
		call := callFrom(&e.Part)
		call.Index = &c.calls
		delta, _ := json.Marshal(map[string]any{"tool_calls": []toolCall{call}})
		dst = s.chunk(dst, e.Choice, delta, nil, nil)
		c.calls++
	case llm.Thinking, llm.Sealed:
		c.thoughts[e.Index] = &thought{part: e.Part}
	case llm.Image:
		delta, _ := json.Marshal(map[string]any{"images": []part{imageFrom(&e.Part)}})
		dst = s.chunk(dst, e.Choice, delta, nil, nil)
	}
	if e.Part.Text != "" {
		dst = s.delta(dst, &llm.Event{Type: llm.Delta, Choice: e.Choice, Index: e.Index, Text: e.Part.Text})
	}
	return dst
}

// words are the fields that text goes to.
var words = map[llm.Kind]string{llm.Text: `{"content":`, llm.Refusal: `{"refusal":`, llm.Thinking: `{"reasoning_content":`}

func (s *encoder) delta(dst []byte, e *llm.Event) []byte {
	c := s.choice(e.Choice)
	kind := c.kinds[e.Index]
	if t := c.thoughts[e.Index]; t != nil {
		t.text = append(t.text, e.Text...)
		if !e.Signature.IsZero() {
			t.part.Signature = e.Signature
		}
	}
	if kind == llm.ToolCall {
		delta := append([]byte(`{"tool_calls":[{"index":`), strconv.Itoa(c.numbers[e.Index])...)
		delta = jsonedit.AppendQuote(append(delta, `,"function":{"arguments":`...), e.Text)
		return s.chunk(dst, e.Choice, append(delta, "}}]}"...), nil, nil)
	}
	if cited := annotations(e.Citations); len(cited) > 0 {
		delta, _ := json.Marshal(map[string]any{"annotations": cited})
		dst = s.chunk(dst, e.Choice, delta, nil, nil)
	}
	word, told := words[kind]
	if !told || e.Text == "" && len(e.Logprobs) == 0 {
		return dst
	}
	delta := jsonedit.AppendQuote([]byte(word), e.Text)
	return s.chunk(dst, e.Choice, append(delta, '}'), e.Logprobs, nil)
}

func (s *encoder) partEnd(dst []byte, e *llm.Event) []byte {
	c := s.choice(e.Choice)
	t := c.thoughts[e.Index]
	delete(c.thoughts, e.Index)
	if t == nil {
		return dst
	}
	t.part.Text = string(t.text)
	if blocks := thinkingFrom(&t.part); len(blocks) > 0 {
		delta, _ := json.Marshal(map[string]any{"thinking_blocks": blocks})
		dst = s.chunk(dst, e.Choice, delta, nil, nil)
	}
	return dst
}

// chunk appends a chunk of one choice. Its first one says who speaks.
func (s *encoder) chunk(dst []byte, n int, delta []byte, probs []llm.Logprob, finish *string) []byte {
	if c := s.choice(n); !c.begun {
		c.begun = true
		dst = s.chunk(dst, n, []byte(`{"role":"assistant","content":""}`), nil, nil)
	}
	dst = append(append(dst, s.head...), `{"index":`...)
	dst = append(strconv.AppendInt(dst, int64(n), 10), `,"delta":`...)
	if delta == nil {
		delta = []byte("{}")
	}
	dst = append(append(dst, delta...), `,"logprobs":`...)
	if told := logprobsFrom(probs); told != nil {
		text, _ := json.Marshal(told)
		dst = append(dst, text...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"finish_reason":`...)
	if finish != nil {
		dst = jsonedit.AppendQuote(dst, *finish)
	} else {
		dst = append(dst, "null"...)
	}
	return append(append(dst, '}'), s.tail...)
}

// End appends the usage, if it was asked for, and the terminator.
func (s *encoder) End(dst []byte) []byte {
	if s.asksUsage && s.usage != nil && s.head != nil {
		text, _ := json.Marshal(s.usage)
		dst = append(append(dst, s.head...), `],"usage":`...)
		dst = append(append(dst, text...), "}\n\n"...)
	}
	return append(dst, terminator...)
}

// Fail appends an error frame.
func (s *encoder) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }
