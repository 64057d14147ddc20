package responses

import (
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// annotation is OpenAI's citation.
type annotation struct {
	Type     string `json:"type"`
	URL      string `json:"url"`
	Title    string `json:"title"`
	Start    int64  `json:"start_index"`
	End      int64  `json:"end_index"`
	FileName string `json:"filename"`
}

// citations reads annotations; those of an unknown kind are left out.
func citations(list []annotation) (out []llm.Citation) {
	for _, a := range list {
		switch a.Type {
		case "url_citation":
			out = append(out, llm.Citation{Title: a.Title, URL: a.URL, Start: a.Start, End: a.End, Document: -1})
		case "file_citation", "container_file_citation":
			out = append(out, llm.Citation{Title: a.FileName, Start: a.Start, End: a.End, Document: -1})
		}
	}
	return out
}

// annotationOf writes a citation: of a web page, or else of a file.
func annotationOf(c *llm.Citation) []byte {
	o := open(nil)
	if c.URL != "" {
		o.raw("type", `"url_citation"`)
		o.number("start_index", c.Start)
		o.number("end_index", c.End)
		o.text("url", c.URL)
		o.text("title", c.Title)
		return o.close()
	}
	o.raw("type", `"file_citation"`)
	o.raw("file_id", `""`) // the document was part of the request, and is no file of the vendor's
	o.number("index", max(0, c.Document))
	o.text("filename", c.Title)
	return o.close()
}

// logprob is a token with its probability.
type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs,omitempty"`
}

func logprobs(list []logprob) (out []llm.Logprob) {
	for i := range list {
		l := llm.Logprob{Token: list[i].Token, Logprob: list[i].Logprob, Top: logprobs(list[i].Top)}
		for _, b := range list[i].Bytes {
			l.Bytes = append(l.Bytes, byte(b))
		}
		out = append(out, l)
	}
	return out
}

// logprobsOf writes tokens, joined by commas.
func logprobsOf(tokens []llm.Logprob, withTop bool) (out []byte) {
	for i := range tokens {
		l := &tokens[i]
		o := open(nil)
		o.text("token", l.Token)
		number, err := json.Marshal(l.Logprob)
		if err != nil {
			number = []byte("-9999") // JSON has no infinity: this is OpenAI's own word for "very unlikely"
		}
		o.json("logprob", number)
		told := []byte{}
		for _, b := range l.Bytes {
			n, _ := json.Marshal(b)
			told = joined(told, n)
		}
		o.json("bytes", list(told))
		if withTop {
			o.json("top_logprobs", list(logprobsOf(l.Top, false)))
		}
		out = joined(out, o.close())
	}
	return out
}
