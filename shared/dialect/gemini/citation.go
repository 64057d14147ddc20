package gemini

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/llm"
)

const (
	maxCited     = 1 << 20 // bytes of an answer's text that are kept to turn Google's byte offsets into characters
	maxCitations = 1000    // of one piece of an answer
)

// keep adds to the text that citations count in; beyond the bound they have no offsets.
func keep(text []byte, more string) []byte {
	if len(text)+len(more) > maxCited {
		return text
	}
	return append(text, more...)
}

// readCitations finds what a candidate's text rests on: what it was recited from, and what Google's tools found.
func readCitations(c *candidate, text []byte) (out []llm.Citation) {
	var cited citations
	if len(c.Citations) > 0 && json.Unmarshal(c.Citations, &cited) == nil {
		all := append(cited.Vertex, cited.Studio...)
		for _, s := range all[:min(len(all), maxCitations)] {
			out = append(out, located(llm.Citation{Title: s.Title, URL: s.URI}, text, segment{Start: s.Start, End: s.End}))
		}
	}
	var g grounding
	if len(c.Grounding) == 0 || json.Unmarshal(c.Grounding, &g) != nil {
		return out
	}
	used := make([]bool, len(g.Chunks))
	for _, support := range g.Supports {
		for _, i := range support.Chunks {
			if i < 0 || i >= len(g.Chunks) || len(out) >= maxCitations {
				continue
			}
			used[i] = true
			out = append(out, located(g.Chunks[i].citation(), text, support.Segment))
		}
	}
	for i := range g.Chunks {
		if c := g.Chunks[i].citation(); !used[i] && c.URL != "" && len(out) < maxCitations {
			out = append(out, c)
		}
	}
	return out
}

func (c *groundingChunk) citation() llm.Citation {
	for _, s := range [...]*groundingSource{c.Web, c.Retrieved, c.Maps} {
		if s != nil {
			return llm.Citation{Title: s.Title, URL: s.URI, Document: -1}
		}
	}
	return llm.Citation{Document: -1}
}

// located says where in the text a citation belongs. Google counts bytes of a part; where its offsets do not lead to the words that it
// quotes, the words are looked for.
func located(c llm.Citation, text []byte, s segment) llm.Citation {
	c.Document, c.Quote = -1, s.Text
	from, to := s.Start, s.End
	fits := 0 <= from && from < to && to <= int64(len(text))
	if s.Text != "" && (!fits || string(text[from:to]) != s.Text) {
		at := bytes.Index(text, []byte(s.Text))
		from, to, fits = int64(at), int64(at+len(s.Text)), at >= 0
	}
	if fits {
		c.Start = int64(utf8.RuneCount(text[:from]))
		c.End = c.Start + int64(utf8.RuneCount(text[from:to]))
	}
	return c
}

// writeCitations writes citations for a caller, in AI Studio's form; those without an address and a title say nothing to one.
func writeCitations(list []llm.Citation, text []byte) json.RawMessage {
	var out citations
	for _, c := range list {
		if c.URL == "" && c.Title == "" {
			continue
		}
		s := source{URI: c.URL, Title: c.Title}
		if start, end := offset(text, c.Start), offset(text, c.End); c.End > c.Start && end >= 0 {
			s.Start, s.End = start, end
		}
		out.Studio = append(out.Studio, s)
	}
	if len(out.Studio) == 0 {
		return nil
	}
	raw, _ := json.Marshal(out)
	return raw
}

// offset is where the n-th character begins, in bytes; -1 if the text is shorter.
func offset(text []byte, n int64) int64 {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	if n > 0 {
		return -1
	}
	return int64(at)
}
