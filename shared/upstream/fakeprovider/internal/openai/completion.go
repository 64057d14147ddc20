package openai

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// completion is POST completions.
type completion struct{ Vendor }

var (
	token   = wire.Integer(0, 1<<31)
	anyText = wire.Either(wire.String, wire.List(1, wire.String), wire.List(1, token), wire.List(1, wire.List(1, token)))
)

var completionFields = sampling.With(wire.Fields{
	"prompt!": anyText, "suffix": wire.String, "echo": wire.Bool, "logprobs": wire.Integer(0, 5), "best_of": wire.Integer(1, 20),
})

// Parse implements wire.Format.
func (completion) Parse(r *wire.Request) (*wire.Call, *wire.Refusal) {
	if r.Model == "" {
		return nil, wire.Invalid("model", "you must provide a model parameter")
	}
	if no := Complain(wire.Open(completionFields)(nil, r.Fields)); no != nil {
		return nil, no
	}
	if no := checks[0](r); no != nil {
		return nil, no
	}
	c := newCall("completions", r)
	if c.Limit == 0 {
		c.Limit = 16 // OpenAI's default for this old endpoint (API reference, read 2026-11)
	}
	prompts := inputs(r.Fields["prompt"])
	price(&c.Prompt, prompts)
	said, _ := prompts[len(prompts)-1].(string)
	c.Prompt.Repeat(said)
	c.N *= len(prompts)
	return c, nil
}

// inputs makes a list of a text, a list of texts, a list of tokens or a list of those.
func inputs(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	if _, tokens := list[0].(json.Number); tokens {
		return []any{list}
	}
	return list
}

// price adds inputs to a prompt.
func price(p *wire.Prompt, inputs []any) {
	for _, in := range inputs {
		switch in := in.(type) {
		case string:
			p.Price(in)
		case []any:
			p.Spend(int64(len(in)))
		}
	}
}

type textChoice struct {
	Text     string          `json:"text"`
	Index    int             `json:"index"`
	Logprobs any             `json:"logprobs"`
	Finish   any             `json:"finish_reason"`
	Extra    json.RawMessage `json:"x_unknown,omitempty"`
}

// Whole implements wire.Format.
func (completion) Whole(r *wire.Reply) any {
	s := textStream{writer{Reply: r}, Vendor{}}
	e := s.envelope()
	e.Usage = r.Usage()
	for i := range r.Call.N {
		e.Choices = append(e.Choices, textChoice{Index: i, Text: r.TextOf(wire.Said), Finish: finish(r), Extra: r.Extra})
	}
	return e
}

// Stream implements wire.Format.
func (c completion) Stream(r *wire.Reply) wire.Stream { return textStream{writer{Reply: r}, c.Vendor} }

// Usage implements wire.Format.
func (completion) Usage(_ *wire.Call, t wire.Tokens) any {
	u := report(t)
	if t.Cached > 0 {
		u.PromptDetails = &promptDetails{Cached: t.Cached}
	}
	return u
}

type textStream struct {
	writer
	vendor Vendor
}

func (s textStream) envelope() envelope {
	e := s.writer.envelope("text_completion")
	e.ID, e.ServiceTier = "cmpl-"+s.ID, ""
	return e
}

func (s textStream) chunk(c textChoice) []wire.Event {
	e := s.envelope()
	switch {
	case s.Every:
		e.Usage = s.Usage()
	case s.Call.IncludeUsage:
		e.Usage = json.RawMessage("null")
	}
	c.Extra = s.Extra
	e.Choices = []any{c}
	return []wire.Event{{Data: e}}
}

func (textStream) Open() []wire.Event          { return nil }
func (textStream) Begin(int, int) []wire.Event { return nil }
func (textStream) End(int, int) []wire.Event   { return nil }

func (s textStream) Piece(i, block, piece int) []wire.Event {
	return s.chunk(textChoice{Index: i, Text: s.Blocks[block].Pieces[piece]})
}

func (s textStream) Finish() (events []wire.Event) {
	for i := range s.Call.N {
		events = append(events, s.chunk(textChoice{Index: i, Finish: finish(s.Reply)})...)
	}
	return events
}

func (s textStream) Report(bool) []wire.Event {
	e := s.envelope()
	if e.Usage = s.Usage(); e.Usage == nil || !s.Call.IncludeUsage {
		return nil
	}
	return []wire.Event{{Data: e}}
}

func (textStream) Done() []wire.Event   { return []wire.Event{{Data: wire.Raw("[DONE]")}} }
func (s textStream) Fail() []wire.Event { return failure(s.vendor) }
