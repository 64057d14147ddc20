package chat

import (
	"bytes"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// answered is a whole answer or a chunk of one, from a vendor.
type answered struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Created int64           `json:"created"`
	Tier    *string         `json:"service_tier"`
	Choices []answeredPart  `json:"choices"`
	Usage   json.RawMessage `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type answeredPart struct {
	Index    int       `json:"index"`
	Message  *message  `json:"message"`
	Delta    *message  `json:"delta"`
	Logprobs *logprobs `json:"logprobs"`
	Finish   *string   `json:"finish_reason"`
}

// reasons are what vendors say of why an answer ended.
var reasons = map[string]llm.Finish{
	"stop": llm.FinishStop, "length": llm.FinishLength, "tool_calls": llm.FinishTools, "function_call": llm.FinishTools,
	"content_filter": llm.FinishFilter, "eos": llm.FinishStop, "eos_token": llm.FinishStop, "stop_sequence": llm.FinishStopSeq,
	"model_length": llm.FinishLength, "max_tokens": llm.FinishLength,
}

func readAnswer(text []byte) (a answered, err error) {
	if json.Unmarshal(text, &a) != nil {
		return a, dialect.InvalidAnswer("not OpenAI's JSON")
	}
	if len(a.Error) > 0 && string(a.Error) != "null" {
		return a, DecodeError(0, nil, text)
	}
	return a, nil
}

// DecodeResponse reads a whole answer.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) {
	a, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	if len(a.Choices) == 0 {
		return nil, dialect.InvalidAnswer("it has no choices")
	}
	r := &llm.Response{ID: a.ID, Model: a.Model, Created: a.Created, Tier: deref(a.Tier)}
	r.Usage, _ = usageOf(a.Usage)
	for i := range a.Choices {
		c := &a.Choices[i]
		if c.Message == nil {
			return nil, dialect.InvalidAnswer("a choice has no message")
		}
		r.Choices = append(r.Choices, c.choice())
	}
	return r, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (c *answeredPart) choice() llm.Choice {
	m := c.Message
	out := llm.Choice{Finish: c.finish(), Logprobs: c.Logprobs.neutral()}
	out.Parts = m.thoughts()
	text, _ := readContent("", m.Content)
	for i := range text {
		text[i].Citations = m.citations()
	}
	out.Parts = append(out.Parts, text...)
	if m.Refusal != nil && *m.Refusal != "" {
		out.Parts = append(out.Parts, llm.Part{Kind: llm.Refusal, Text: *m.Refusal})
		if out.Finish == llm.FinishStop {
			out.Finish = llm.FinishRefusal
		}
	}
	for _, p := range m.calls() {
		if p.Call.Name == llm.AnswerTool {
			p = llm.TextPart(p.Call.Arguments)
			out.Finish = llm.FinishStop
		}
		out.Parts = append(out.Parts, p)
	}
	for i := range m.Images {
		if p, err := m.Images[i].neutral(""); err == nil {
			out.Parts = append(out.Parts, p)
		}
	}
	return out
}

func (c *answeredPart) finish() llm.Finish {
	if c.Finish == nil {
		return llm.FinishStop
	}
	if f, known := reasons[*c.Finish]; known {
		return f
	}
	return llm.FinishStop
}

func (m *message) citations() (out []llm.Citation) {
	for _, a := range m.Cited {
		out = append(out, llm.Citation{URL: a.URL.URL, Title: a.URL.Title, Start: a.URL.Start, End: a.URL.End, Document: -1})
	}
	return out
}

func (l *logprobs) neutral() []llm.Logprob {
	if l == nil {
		return nil
	}
	return neutralProbs(l.Content)
}

func neutralProbs(list []logprob) (out []llm.Logprob) {
	for _, l := range list {
		p := llm.Logprob{Token: l.Token, Logprob: l.Logprob, Top: neutralProbs(l.Top)}
		for _, b := range l.Bytes {
			p.Bytes = append(p.Bytes, byte(b))
		}
		out = append(out, p)
	}
	return out
}

// DecodeStream reads a streamed answer.
func (Outbound) DecodeStream() dialect.StreamDecoder { return &decoder{} }

// decoder puts parts where chunks have only fields.
type decoder struct {
	begun, done bool
	id          string
	choices     []decoding
	usage       *gateway.Usage
	tier        string
}

// decoding is one of the answers on its way.
type decoding struct {
	parts   int
	open    llm.Kind    // of the part that text goes to; 0: none is open
	at      int         // its index
	calls   map[int]int // part of each tool call, by the vendor's number
	ended   bool
	answer  bool // a call of llm.AnswerTool was made text
	refuses bool
}

// Progress tells how far the stream is. The terminator is what counts; some hosts send none, and end after the last choice has.
func (d *decoder) Progress() dialect.Progress {
	if d.done {
		return dialect.Done
	}
	return dialect.Open
}

// Decode appends the events of one chunk.
func (d *decoder) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	switch {
	case len(f.Data) == 0:
		return dst, nil
	case bytes.Equal(bytes.TrimSpace(f.Data), doneMark):
		d.done = true
		usage := d.usage
		if usage == nil {
			return dst, nil
		}
		return append(dst, llm.Event{Type: llm.Spent, Usage: usage, Tier: d.tier}), nil
	}
	a, err := readAnswer(f.Data)
	if err != nil {
		return dst, err
	}
	if a.Tier != nil {
		d.tier = *a.Tier
	}
	if !d.begun && (a.ID != "" || len(a.Choices) > 0) {
		d.begun = true
		d.id = a.ID
		dst = append(dst, llm.Event{Type: llm.Begin, ID: a.ID, Model: a.Model, Tier: d.tier})
	}
	if u, ok := usageOf(a.Usage); ok {
		d.usage = &u
	}
	for i := range a.Choices {
		if c := &a.Choices[i]; c.Index >= 0 && c.Index < maxN*16 {
			dst = d.choice(dst, c)
		}
	}
	return dst, nil
}

func (d *decoder) choice(dst []llm.Event, c *answeredPart) []llm.Event {
	for len(d.choices) <= c.Index {
		d.choices = append(d.choices, decoding{calls: map[int]int{}})
	}
	s := &d.choices[c.Index]
	if m := c.Delta; m != nil {
		for _, t := range m.Thoughts {
			dst = s.sealed(dst, c.Index, t)
		}
		for _, words := range [...]*string{m.Thought, m.OtherWords} {
			if words != nil && *words != "" {
				dst = s.text(dst, c.Index, llm.Thinking, *words, nil, nil)
				break
			}
		}
		if text := contentText(m.Content); text != "" || c.Logprobs != nil && len(c.Logprobs.Content) > 0 || len(m.Cited) > 0 {
			dst = s.text(dst, c.Index, llm.Text, text, c.Logprobs.neutral(), m.citations())
		}
		if m.Refusal != nil && *m.Refusal != "" {
			s.refuses = true
			dst = s.text(dst, c.Index, llm.Refusal, *m.Refusal, nil, nil)
		}
		for i := range m.Calls {
			dst = s.call(dst, c.Index, &m.Calls[i], d.id)
		}
		for i := range m.Images {
			dst = s.image(dst, c.Index, &m.Images[i])
		}
	}
	if c.Finish != nil && !s.ended {
		dst = s.end(dst, c.Index, c.finish())
	}
	return dst
}

func contentText(raw json.RawMessage) string {
	if len(raw) > 0 && raw[0] == '"' {
		text, _ := jsonedit.Unquote(raw)
		return text
	}
	parts, _ := readContent("", raw)
	return llm.TextOf(parts)
}

// text goes to the open part if that is of the kind, else to a new one.
func (s *decoding) text(dst []llm.Event, n int, kind llm.Kind, text string, probs []llm.Logprob, cited []llm.Citation) []llm.Event {
	if s.open != kind {
		dst = s.close(dst, n)
		dst = append(dst, llm.Event{Type: llm.PartBegin, Choice: n, Index: s.parts, Part: llm.Part{Kind: kind}})
		s.open, s.at = kind, s.parts
		s.parts++
	}
	return append(dst, llm.Event{Type: llm.Delta, Choice: n, Index: s.at, Text: text, Logprobs: probs, Citations: cited})
}

// close ends the part that text goes to.
func (s *decoding) close(dst []llm.Event, n int) []llm.Event {
	if s.open == 0 {
		return dst
	}
	s.open = 0
	return append(dst, llm.Event{Type: llm.PartEnd, Choice: n, Index: s.at})
}

// sealed is a thought's seal, which belongs to the thought that is open.
func (s *decoding) sealed(dst []llm.Event, n int, t thinking) []llm.Event {
	switch {
	case t.Type == "redacted_thinking":
		dst = s.close(dst, n)
		p := llm.Part{Kind: llm.Sealed, Signature: llm.ReadSignature(t.Data, llm.MakerAnthropic)}
		dst = append(dst, llm.Event{Type: llm.PartBegin, Choice: n, Index: s.parts, Part: p}, llm.Event{Type: llm.PartEnd, Choice: n, Index: s.parts})
		s.parts++
	case t.Signature != "" && s.open == llm.Thinking:
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: n, Index: s.at, Signature: llm.ReadSignature(t.Signature, llm.MakerAnthropic)})
	}
	return dst
}

func (s *decoding) call(dst []llm.Event, n int, c *toolCall, answer string) []llm.Event {
	number := 0
	if c.Index != nil {
		number = *c.Index
	} else if c.ID != "" {
		number = len(s.calls) // hosts that send whole calls do without numbers
	}
	at, known := s.calls[number]
	if !known {
		dst = s.close(dst, n)
		at = s.parts
		s.calls[number] = at
		s.parts++
		dst = append(dst, llm.Event{Type: llm.PartBegin, Choice: n, Index: at, Part: s.begun(c, answer, number)})
	}
	if c.Function != nil && c.Function.Arguments != "" {
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: n, Index: at, Text: c.Function.Arguments})
	}
	return dst
}

func (s *decoding) begun(c *toolCall, answer string, number int) llm.Part {
	m := message{Calls: []toolCall{*c}}
	p := m.calls()[0]
	p.Call.Arguments = ""
	if p.Call.ID == "" {
		p.Call.ID = llm.CallID(answer, number)
	}
	if p.Call.Name == llm.AnswerTool {
		s.answer = true
		return llm.Part{Kind: llm.Text}
	}
	return p
}

func (s *decoding) image(dst []llm.Event, n int, image *part) []llm.Event {
	p, err := image.neutral("")
	if err != nil {
		return dst
	}
	dst = s.close(dst, n)
	dst = append(dst, llm.Event{Type: llm.PartBegin, Choice: n, Index: s.parts, Part: p}, llm.Event{Type: llm.PartEnd, Choice: n, Index: s.parts})
	s.parts++
	return dst
}

func (s *decoding) end(dst []llm.Event, n int, finish llm.Finish) []llm.Event {
	s.ended = true
	dst = s.close(dst, n)
	for number := range len(s.calls) {
		if at, found := s.calls[number]; found {
			dst = append(dst, llm.Event{Type: llm.PartEnd, Choice: n, Index: at})
		}
	}
	switch {
	case s.answer && finish == llm.FinishTools:
		finish = llm.FinishStop
	case s.refuses && finish == llm.FinishStop:
		finish = llm.FinishRefusal
	}
	return append(dst, llm.Event{Type: llm.End, Choice: n, Finish: finish})
}
