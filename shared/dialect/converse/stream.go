package converse

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// stream reads the events of one answer.
type stream struct {
	begun   bool
	ended   bool // messageStop came
	done    bool // metadata came after it
	open    []*piece
	parts   int // begun so far
	calls   bool
	answers bool       // the tool that stands for the answer was called
	spent   *llm.Event // that came before messageStop
	held    int
}

// event is any event's payload.
type event struct {
	Block  int64           `json:"contentBlockIndex"`
	Start  start           `json:"start"`
	Delta  delta           `json:"delta"`
	Reason string          `json:"stopReason"`
	More   json.RawMessage `json:"additionalModelResponseFields"`
	Usage  json.RawMessage `json:"usage"`
	Tier   tier            `json:"serviceTier"`
}

// start has one member. Texts and thoughts begin without one.
type start struct {
	Use    *toolUse        `json:"toolUse"`
	Image  *media          `json:"image"`
	Result json.RawMessage `json:"toolResult"`
}

// delta has one member.
type delta struct {
	Text *string `json:"text"`
	Use  *struct {
		Input string `json:"input"`
	} `json:"toolUse"`
	Reasoning *struct {
		Text      *string `json:"text"`
		Signature string  `json:"signature"`
		Sealed    string  `json:"redactedContent"`
	} `json:"reasoningContent"`
	Citation *citation `json:"citation"`
	Image    *media    `json:"image"`
}

// Decode reads one frame. Events that are not known are passed over.
func (s *stream) Decode(dst []llm.Event, f dialect.Frame) ([]llm.Event, error) {
	if kind, found := strings.CutPrefix(f.Name, exceptionName); found {
		return dst, decodeError(0, http.Header{"X-Amzn-Errortype": {kind}}, f.Data)
	}
	if kind, found := strings.CutPrefix(f.Name, errorName); found {
		return dst, failure{bareType(kind), string(f.Data)}.toError(0, nil)
	}
	handle, found := handlers[f.Name]
	if !found {
		return dst, nil
	}
	var e event
	if err := json.Unmarshal(f.Data, &e); err != nil {
		return dst, dialect.InvalidAnswer("an event of the stream is not of Converse's form").WithCause(err)
	}
	if s.ended && f.Name != "metadata" {
		return dst, dialect.InvalidAnswer("content came after its end")
	}
	dst = s.begin(dst)
	return handle(s, dst, &e)
}

var handlers = map[string]func(*stream, []llm.Event, *event) ([]llm.Event, error){
	"messageStart":      func(_ *stream, dst []llm.Event, _ *event) ([]llm.Event, error) { return dst, nil },
	"contentBlockStart": (*stream).start,
	"contentBlockDelta": (*stream).delta,
	"contentBlockStop":  (*stream).stop,
	"messageStop":       (*stream).end,
	"metadata":          (*stream).metadata,
}

// Progress tells how far the stream is.
func (s *stream) Progress() dialect.Progress {
	switch {
	case s.done:
		return dialect.Done
	case s.ended:
		return dialect.MayEnd
	default:
		return dialect.Open
	}
}

func (s *stream) begin(dst []llm.Event) []llm.Event {
	if s.begun {
		return dst
	}
	s.begun = true
	return append(dst, llm.Event{Type: llm.Begin})
}

func (s *stream) start(dst []llm.Event, e *event) ([]llm.Event, error) {
	dst, p, err := s.piece(dst, e.Block, 0)
	if err != nil {
		return dst, err
	}
	switch use := e.Start.Use; {
	case use != nil && use.Type == serverTool, len(e.Start.Result) > 0:
		p.kind, p.skipped = llm.ToolCall, true
	case use != nil && use.Name == llm.AnswerTool:
		p.kind, p.isCall, s.answers = llm.Text, true, true
		p.part = llm.TextPart("")
		dst = s.beginPart(dst, p)
	case use != nil:
		p.kind, p.isCall, s.calls = llm.ToolCall, true, true
		p.part = llm.Part{Kind: llm.ToolCall, Call: &llm.Call{ID: callID(use.ID, s.parts), Name: use.Name}}
		dst = s.beginPart(dst, p)
	case e.Start.Image != nil:
		p.kind, p.part = llm.Image, imagePart(e.Start.Image.Format, "")
	}
	return dst, nil
}

func (s *stream) delta(dst []llm.Event, e *event) ([]llm.Event, error) {
	d := &e.Delta
	switch {
	case d.Text != nil:
		return s.write(dst, e.Block, llm.Text, *d.Text)
	case d.Use != nil:
		return s.writeArguments(dst, e.Block, d.Use.Input)
	case d.Citation != nil:
		dst, p, err := s.piece(dst, e.Block, llm.Text)
		if err != nil || p.skipped {
			return dst, err
		}
		dst = s.beginText(dst, p, llm.Text)
		return append(dst, llm.Event{Type: llm.Delta, Index: p.index, Citations: []llm.Citation{d.Citation.neutral()}}), nil
	case d.Image != nil:
		return s.hold(dst, e.Block, llm.Image, d.Image.Source.Bytes)
	case d.Reasoning == nil:
		return dst, nil
	case d.Reasoning.Text != nil:
		return s.write(dst, e.Block, llm.Thinking, *d.Reasoning.Text)
	case d.Reasoning.Sealed != "":
		return s.hold(dst, e.Block, llm.Sealed, d.Reasoning.Sealed)
	case d.Reasoning.Signature != "":
		return s.hold(dst, e.Block, llm.Thinking, d.Reasoning.Signature)
	}
	return dst, nil
}

// end ends all parts and the choice.
func (s *stream) end(dst []llm.Event, e *event) ([]llm.Event, error) {
	for len(s.open) > 0 {
		dst = s.endPart(dst, 0)
	}
	s.ended = true
	end := llm.Event{Type: llm.End, Finish: finish(e.Reason, s.calls, s.answers)}
	if end.Finish == llm.FinishStopSeq {
		end.Stop = stopSequence(e.More)
	}
	dst = append(dst, end)
	if s.spent != nil {
		dst, s.done = append(dst, *s.spent), true
	}
	return dst, nil
}

// metadata has the usage, and comes last.
func (s *stream) metadata(dst []llm.Event, e *event) ([]llm.Event, error) {
	if s.done {
		return dst, nil
	}
	spent := llm.Event{Type: llm.Spent, Tier: e.Tier.Type}
	if u := readUsage(e.Usage); u.Source == gateway.UsageReported {
		spent.Usage = &u
	}
	switch {
	case spent.Usage == nil:
		s.done = s.ended
	case s.ended:
		dst, s.done = append(dst, spent), true
	default:
		s.spent = &spent
	}
	return dst, nil
}
