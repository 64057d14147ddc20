package converse

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	maxOpen = 256      // blocks of a stream that are not ended
	maxHeld = 32 << 20 // bytes of what is handed out in one piece: images, signatures, sealed thinking
)

// piece is an open block.
type piece struct {
	block   int64 // its contentBlockIndex
	kind    llm.Kind
	index   int
	begun   bool // its PartBegin was handed out
	skipped bool // it is none for the caller
	isCall  bool // of a tool, or the answer that comes as a call
	written bool // arguments came
	part    llm.Part
	held    []string // pieces of what is handed out in one
}

// piece finds a block, or opens it. A block whose content is of another kind than before is a new one; kind 0 is always new.
func (s *stream) piece(dst []llm.Event, block int64, kind llm.Kind) ([]llm.Event, *piece, error) {
	i := slices.IndexFunc(s.open, func(p *piece) bool { return p.block == block })
	if i >= 0 {
		if p := s.open[i]; kind != 0 && (p.kind == kind || p.kind == 0 || p.skipped) {
			return dst, p, nil
		}
		dst = s.endPart(dst, i)
	}
	if len(s.open) >= maxOpen {
		return dst, nil, dialect.InvalidAnswer("it has too many open blocks")
	}
	p := &piece{block: block}
	s.open = append(s.open, p)
	return dst, p, nil
}

func (s *stream) beginPart(dst []llm.Event, p *piece) []llm.Event {
	if p.begun {
		return dst
	}
	p.begun, p.index = true, s.parts
	s.parts++
	return append(dst, llm.Event{Type: llm.PartBegin, Index: p.index, Part: p.part})
}

// write hands out a piece of a text or a thought.
func (s *stream) write(dst []llm.Event, block int64, kind llm.Kind, text string) ([]llm.Event, error) {
	dst, p, err := s.piece(dst, block, kind)
	if err != nil || p.skipped {
		return dst, err
	}
	if text == "" && !p.begun {
		p.kind = kind // it may stay empty: then there is no part
		return dst, nil
	}
	dst = s.beginText(dst, p, kind)
	if text != "" {
		dst = append(dst, llm.Event{Type: llm.Delta, Index: p.index, Text: text})
	}
	return dst, nil
}

func (s *stream) beginText(dst []llm.Event, p *piece, kind llm.Kind) []llm.Event {
	p.kind, p.part.Kind = kind, kind
	return s.beginPart(dst, p)
}

// writeArguments hands out a piece of a call's arguments, or of the answer that comes as one.
func (s *stream) writeArguments(dst []llm.Event, block int64, text string) ([]llm.Event, error) {
	i := slices.IndexFunc(s.open, func(p *piece) bool { return p.block == block })
	if i < 0 || !s.open[i].skipped && !s.open[i].isCall {
		return dst, dialect.InvalidAnswer("arguments came without their call")
	}
	p := s.open[i]
	if p.skipped || text == "" {
		return dst, nil
	}
	p.written = true
	return append(dst, llm.Event{Type: llm.Delta, Index: p.index, Text: text}), nil
}

// hold keeps what callers get in one piece.
func (s *stream) hold(dst []llm.Event, block int64, kind llm.Kind, text string) ([]llm.Event, error) {
	dst, p, err := s.piece(dst, block, kind)
	if err != nil || p.skipped {
		return dst, err
	}
	if s.held += len(text); s.held > maxHeld {
		return dst, dialect.InvalidAnswer("a block of the stream is too long")
	}
	p.kind, p.held = kind, append(p.held, text)
	return dst, nil
}

func (s *stream) stop(dst []llm.Event, e *event) ([]llm.Event, error) {
	i := slices.IndexFunc(s.open, func(p *piece) bool { return p.block == e.Block })
	if i < 0 {
		return dst, nil
	}
	return s.endPart(dst, i), nil
}

// endPart ends an open block, after what was held of it.
func (s *stream) endPart(dst []llm.Event, i int) []llm.Event {
	p := s.open[i]
	s.open = slices.Delete(s.open, i, i+1)
	if len(p.held) > 0 {
		dst = s.release(dst, p)
	}
	if !p.begun {
		return dst
	}
	if p.isCall && !p.written {
		dst = append(dst, llm.Event{Type: llm.Delta, Index: p.index, Text: "{}"})
	}
	return append(dst, llm.Event{Type: llm.PartEnd, Index: p.index})
}

// release hands out what was held.
func (s *stream) release(dst []llm.Event, p *piece) []llm.Event {
	switch p.kind {
	case llm.Thinking:
		dst = s.beginText(dst, p, llm.Thinking)
		return append(dst, llm.Event{Type: llm.Delta, Index: p.index, Signature: signature(strings.Join(p.held, ""))})
	case llm.Sealed:
		sealed := joinBlobs(p.held)
		if !isClaudes(sealed) {
			return dst
		}
		p.part = llm.Part{Kind: llm.Sealed, Signature: signature(sealed)}
	case llm.Image:
		format := "image/png"
		if p.part.Media != nil {
			format = p.part.Media.Type
		}
		p.part = imagePart(strings.TrimPrefix(format, "image/"), joinBlobs(p.held))
	}
	return s.beginPart(dst, p)
}
