package gemini

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// decoder reads an answer of Google's piece by piece.
type decoder struct {
	ends    ends
	begun   bool
	done    bool
	id      string
	calls   int // so far, in all candidates: they number the ids that Google left out
	choices [64]*choice
}

// choice is how far one candidate is.
type choice struct {
	parts  int      // begun so far
	open   llm.Kind // of the part that is open; 0: none
	signed bool     // the open part has its signature: what follows is another part
	calls  bool     // it calls tools
	text   []byte   // its text so far, for citations
}

func (d *decoder) Progress() dialect.Progress {
	if d.done && d.ends.all() {
		return dialect.Done
	}
	return d.ends.progress()
}

// Decode reads one frame.
func (d *decoder) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	data := bytes.TrimSpace(f.Data)
	switch {
	case len(data) == 0:
		return dst, nil
	case bytes.Equal(data, doneMark):
		d.done = true
		return dst, nil
	case isArray(data):
		return dst, inArray(data)
	}
	return d.read(dst, data)
}

// read reads one answer, whole or a piece.
func (d *decoder) read(dst []llm.Event, data []byte) ([]llm.Event, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return dst, dialect.InvalidAnswer("it is not a GenerateContentResponse").WithCause(err)
	}
	if len(a.Error) > 0 && string(a.Error) != "null" {
		return dst, DecodeError(0, nil, data)
	}
	told, known := readUsage(a.Usage)
	if !d.begun {
		d.begun, d.id = true, a.ID
		dst = append(dst, llm.Event{Type: llm.Begin, ID: a.ID, Model: a.Model, Tier: told.tier})
	}
	start := len(dst)
	for i := range a.Candidates {
		var err error
		if dst, err = d.candidate(dst, &a.Candidates[i]); err != nil {
			return dst, err
		}
	}
	if a.Feedback != nil && a.Feedback.Reason != "" && !d.ends.all() {
		d.ends.blocked = true
		if s := d.choices[0]; s != nil {
			dst = s.close(dst, 0)
		}
		dst = append(dst, llm.Event{Type: llm.End, Finish: llm.FinishFilter})
	}
	switch last := len(dst) - 1; {
	case !known:
	case d.ends.all():
		dst = append(dst, llm.Event{Type: llm.Spent, Usage: &told.usage, Tier: told.tier})
	case last >= start && dst[last].Type == llm.Delta && told.usage.OutputTokens > 0: // for the ledger, if no more should come
		dst[last].Usage, dst[last].Tier = &told.usage, told.tier
	}
	return dst, nil
}

func (d *decoder) candidate(dst []llm.Event, c *candidate) ([]llm.Event, error) {
	before := d.ends.done
	if err := d.ends.saw(c.Index, finishes(c.Finish)); err != nil {
		return dst, err
	}
	if d.ends.blocked || before>>c.Index&1 != 0 { // it had ended
		return dst, nil
	}
	if d.choices[c.Index] == nil {
		d.choices[c.Index] = &choice{}
	}
	s := d.choices[c.Index]
	var parts []part
	if c.Content != nil {
		parts = c.Content.Parts
	}
	last := lastText(parts)
	if last < 0 {
		dst = s.beside(dst, c)
	}
	for i := range parts {
		if dst = d.part(dst, s, c.Index, &parts[i]); i == last {
			dst = s.beside(dst, c)
		}
	}
	if finishes(c.Finish) {
		dst = s.close(dst, c.Index)
		dst = append(dst, llm.Event{Type: llm.End, Choice: c.Index, Finish: finishOf(c.Finish, s.calls)})
	}
	return dst, nil
}

// lastText is the last part with text for the caller; -1 if there is none.
func lastText(parts []part) int {
	for i := len(parts) - 1; i >= 0; i-- {
		if p := &parts[i]; p.Text != nil && *p.Text != "" && !p.Thought {
			return i
		}
	}
	return -1
}

// beside reads what stands beside a candidate's content and belongs to its text.
func (s *choice) beside(dst []llm.Event, c *candidate) []llm.Event {
	if s.open != llm.Text {
		return dst
	}
	logprobs, citations := readLogprobs(c.Logprobs), readCitations(c, s.text)
	if len(logprobs)+len(citations) == 0 {
		return dst
	}
	return append(dst, llm.Event{Type: llm.Delta, Choice: c.Index, Index: s.parts - 1, Logprobs: logprobs, Citations: citations})
}

// part reads one part. Those that say nothing, or are for Google's own servers, are passed over.
func (d *decoder) part(dst []llm.Event, s *choice, index int, p *part) []llm.Event {
	signature := llm.Signature{}
	if p.Signature != "" {
		signature = llm.Signature{Maker: llm.MakerGemini, Value: p.Signature}
	}
	switch {
	case p.Call != nil:
		return d.call(dst, s, index, p.Call, signature)
	case p.Inline != nil:
		media := &llm.Media{Type: p.Inline.Type, Data: p.Inline.Data}
		return s.whole(dst, index, llm.Part{Kind: kindOf(media.Type), Media: media, Signature: signature}, "")
	case p.File != nil:
		media := &llm.Media{Type: p.File.Type, URL: p.File.URI}
		return s.whole(dst, index, llm.Part{Kind: kindOf(media.Type), Media: media, Signature: signature}, "")
	case p.Code != nil || p.Output != nil:
		return s.more(dst, index, llm.Text, fenced(p), signature)
	case p.Text == nil && signature.IsZero():
		return dst
	}
	kind, text := llm.Text, ""
	if p.Thought {
		kind = llm.Thinking
	}
	if p.Text != nil {
		text = *p.Text
	}
	return s.more(dst, index, kind, text, signature)
}

// more adds to the open part, or begins another one.
func (s *choice) more(dst []llm.Event, index int, kind llm.Kind, text string, signature llm.Signature) []llm.Event {
	if text == "" && signature.IsZero() {
		return dst
	}
	if s.open != kind || s.signed {
		dst = s.begin(s.close(dst, index), index, llm.Part{Kind: kind})
	}
	if kind == llm.Text {
		s.text = keep(s.text, text)
	}
	if text != "" {
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: index, Index: s.parts - 1, Text: text})
	}
	if !signature.IsZero() {
		s.signed = true
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: index, Index: s.parts - 1, Signature: signature})
	}
	return dst
}

// call reads a function call, which comes whole. A call to the answer tool is the answer's text.
func (d *decoder) call(dst []llm.Event, s *choice, index int, c *functionCall, signature llm.Signature) []llm.Event {
	arguments := "{}"
	if len(c.Args) > 0 && string(c.Args) != "null" {
		var compact bytes.Buffer
		_ = json.Compact(&compact, c.Args) // it has been read as JSON
		arguments = compact.String()
	}
	if c.Name == llm.AnswerTool {
		dst = s.close(dst, index)
		return s.more(dst, index, llm.Text, arguments, llm.Signature{})
	}
	id := c.ID
	if id == "" {
		seed := d.id
		if seed == "" {
			seed = c.Name + arguments
		}
		id = llm.CallID(seed, d.calls)
	}
	d.calls++
	s.calls = true
	call := &llm.Call{ID: id, Name: readName(c.Name)}
	return s.whole(dst, index, llm.Part{Kind: llm.ToolCall, Call: call, Signature: signature}, arguments)
}

// whole is a part that comes in one piece.
func (s *choice) whole(dst []llm.Event, index int, p llm.Part, text string) []llm.Event {
	dst = s.begin(s.close(dst, index), index, p)
	if text != "" {
		dst = append(dst, llm.Event{Type: llm.Delta, Choice: index, Index: s.parts - 1, Text: text})
	}
	return s.close(dst, index)
}

func (s *choice) begin(dst []llm.Event, index int, p llm.Part) []llm.Event {
	s.open, s.signed = p.Kind, false
	s.parts++
	return append(dst, llm.Event{Type: llm.PartBegin, Choice: index, Index: s.parts - 1, Part: p})
}

func (s *choice) close(dst []llm.Event, index int) []llm.Event {
	if s.open == 0 {
		return dst
	}
	s.open = 0
	return append(dst, llm.Event{Type: llm.PartEnd, Choice: index, Index: s.parts - 1})
}

// fenced shows code that Google ran, and what it printed, as text: no other format has a place for it.
func fenced(p *part) string {
	if p.Code != nil {
		return "\n```" + strings.ToLower(p.Code.Language) + "\n" + p.Code.Code + "\n```\n"
	}
	return "\n```\n" + p.Output.Output + "\n```\n"
}

func readLogprobs(raw json.RawMessage) (out []llm.Logprob) {
	var list logprobs
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for i, c := range list.Chosen {
		l := llm.Logprob{Token: c.Token, Logprob: c.Logprob, Bytes: []byte(c.Token)}
		if i < len(list.Top) {
			for _, top := range list.Top[i].Candidates {
				l.Top = append(l.Top, llm.Logprob{Token: top.Token, Logprob: top.Logprob, Bytes: []byte(top.Token)})
			}
		}
		out = append(out, l)
	}
	return out
}

// decodeResponse reads a whole answer as a stream of one piece.
func decodeResponse(body []byte) (*llm.Response, error) {
	if isArray(body) {
		return nil, inArray(body)
	}
	var d decoder
	events, err := d.read(nil, body)
	if err != nil {
		return nil, err
	}
	if d.ends.seen == 0 && !d.ends.blocked {
		return nil, dialect.InvalidAnswer("it has no candidates")
	}
	var c llm.Collector
	for i := range events {
		c.Add(&events[i])
	}
	r := c.Response()
	for i := range r.Choices {
		if r.Choices[i].Finish == "" {
			r.Choices[i].Finish = llm.FinishStop
		}
	}
	var told struct {
		Created time.Time `json:"createTime"`
	}
	if json.Unmarshal(body, &told) == nil && !told.Created.IsZero() {
		r.Created = told.Created.Unix()
	}
	if r.Usage.Source == "" {
		r.Usage = gateway.Usage{}
	}
	return r, nil
}
