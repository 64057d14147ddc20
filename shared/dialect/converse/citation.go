package converse

import "github.com/sluice-gateway/sluice/shared/llm"

// citationContent is a text with what it cites.
type citationContent struct {
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
	Citations []citation `json:"citations"`
}

// citation says where a text comes from. In streams it comes in a delta of its own.
type citation struct {
	Title    string        `json:"title"`
	Source   string        `json:"source"`
	Quotes   []quote       `json:"sourceContent"`
	Location citedLocation `json:"location"`
}

type quote struct {
	Text string `json:"text"`
}

// citedLocation has one member.
type citedLocation struct {
	Char  *citedRange `json:"documentChar"`
	Page  *citedRange `json:"documentPage"`
	Chunk *citedRange `json:"documentChunk"`
	Web   *struct {
		URL string `json:"url"`
	} `json:"web"`
}

type citedRange struct {
	Document int64 `json:"documentIndex"`
	Start    int64 `json:"start"`
	End      int64 `json:"end"`
}

func (c *citation) neutral() llm.Citation {
	out := llm.Citation{Title: c.Title, URL: c.Source, Document: -1}
	for _, q := range c.Quotes {
		out.Quote += q.Text
	}
	if c.Location.Web != nil {
		out.URL = c.Location.Web.URL
	}
	for _, r := range [...]*citedRange{c.Location.Char, c.Location.Page, c.Location.Chunk} {
		if r != nil {
			out.Document, out.From, out.To = r.Document, r.Start, r.End
		}
	}
	return out
}
