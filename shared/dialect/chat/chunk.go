package chat

import (
	"strconv"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// chunks frames the chunks of a stream, of chats or of completions: what comes before and behind their choices.
type chunks struct {
	object, prefix string
	asksUsage      bool

	head   []byte // up to the choices
	tail   string
	tiered bool // the service tier is in each chunk
	usage  gateway.Usage
	tier   string // where it is known only at the end
}

// begin makes the frame. A chunk's usage is null until the last one, if usage was asked for at all.
func (s *chunks) begin(e *llm.Event) {
	o := open([]byte("data: "))
	o.text("id", answerID(s.prefix, e.ID))
	o.text("object", s.object)
	o.number("created", createdAt(0))
	o.text("model", e.Model)
	o.word("service_tier", e.Tier)
	s.tiered = e.Tier != ""
	o.list("choices")
	s.head, s.tail = o.b, "]}\n\n"
	if s.asksUsage {
		s.tail = "],\"usage\":null}\n\n"
	}
}

func (s *chunks) spent(e *llm.Event) {
	if e.Usage != nil {
		s.usage = *e.Usage
	}
	if !s.tiered {
		s.tier = e.Tier
	}
}

// open begins the chunk of one choice.
func (s *chunks) open(dst []byte, choice int) []byte {
	if s.head == nil {
		s.begin(&llm.Event{})
	}
	dst = append(append(dst, s.head...), `{"index":`...)
	return strconv.AppendInt(dst, int64(choice), 10)
}

func (s *chunks) close(dst []byte) []byte { return append(append(dst, '}'), s.tail...) }

// End appends the usage, if it was asked for, and the terminator.
func (s *chunks) End(dst []byte) []byte {
	if s.asksUsage && s.usage.Source != "" {
		if s.head == nil {
			s.begin(&llm.Event{})
		}
		o := object{append(append(dst, s.head...), ']')}
		o.usage(s.usage)
		o.word("service_tier", s.tier)
		o.close()
		dst = append(o.b, "\n\n"...)
	}
	return append(dst, terminator...)
}
