package chat

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// reasons are what vendors say of why an answer ended, in small letters.
var reasons = map[string]llm.Finish{
	"stop": llm.FinishStop, "length": llm.FinishLength, "tool_calls": llm.FinishTools, "function_call": llm.FinishTools,
	"content_filter": llm.FinishFilter, "eos": llm.FinishStop, "eos_token": llm.FinishStop, "stop_sequence": llm.FinishStopSeq,
	"model_length": llm.FinishLength, "max_tokens": llm.FinishLength, "complete": llm.FinishStop, "end_turn": llm.FinishStop,
	"tool_call": llm.FinishTools, "tool_use": llm.FinishTools, "sensitive": llm.FinishFilter, "safety": llm.FinishFilter,
}

// failures are reasons that are none: the vendor gave up, and what there is of the answer is not whole.
var failures = map[string]string{
	"error": "The provider failed while it answered.", "network_error": "The provider failed while it answered.",
	"abort":                        "The provider broke off the answer.",
	"insufficient_system_resource": "The provider had no capacity to finish the answer.", // DeepSeek's
}

// finishIn reads why a choice ended; empty if it has not. The error is for an answer that the vendor gave up.
func finishIn(f *jsonedit.Field) (llm.Finish, error) {
	word, _ := f.Text()
	if word == "" {
		return "", nil
	}
	if known, found := reasons[word]; found {
		return known, nil
	}
	word = strings.ToLower(word)
	if text, failed := failures[word]; failed {
		return "", dialect.VendorError(503, nil, text)
	}
	if known, found := reasons[word]; found {
		return known, nil
	}
	return llm.FinishStop, nil
}

// images reads the images of an answer, as OpenRouter has them.
func (r *reader) images(m *message) (parts []llm.Part) {
	if r.isList("", "images", m.images) {
		for raw := range jsonedit.Elements(m.images) {
			if p := r.part("images", raw); p.Kind == llm.Image {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// heard reads the sound of an answer.
func (r *reader) heard(m *message) []llm.Part {
	if !r.isObject("", "audio", m.audio) {
		return nil
	}
	fields := [...]jsonedit.Field{{Name: "id"}, {Name: "data"}, {Name: "transcript"}}
	jsonedit.Find(m.audio, fields[:])
	id, _ := fields[0].Text()
	data, _ := fields[1].Text()
	words, _ := fields[2].Text()
	return []llm.Part{{Kind: llm.Audio, ID: id, Text: words, Media: &llm.Media{Type: "audio/wav", Data: data}}}
}

// citations reads annotations; those of an unknown kind are left out.
func (m *message) citations() (out []llm.Citation) {
	if !given(m.cited) {
		return nil
	}
	var list []struct {
		URL struct {
			URL   string `json:"url"`
			Title string `json:"title"`
			Start int64  `json:"start_index"`
			End   int64  `json:"end_index"`
		} `json:"url_citation"`
	}
	_ = json.Unmarshal(m.cited, &list) // what cannot be read is as absent
	for _, a := range list {
		if a.URL.URL != "" {
			out = append(out, llm.Citation{URL: a.URL.URL, Title: a.URL.Title, Start: a.URL.Start, End: a.URL.End, Document: -1})
		}
	}
	return out
}

// logprob is a token with its probability.
type logprob struct {
	Token   string    `json:"token"`
	Logprob float64   `json:"logprob"`
	Bytes   []int     `json:"bytes"`
	Top     []logprob `json:"top_logprobs"`
}

// logprobsOf reads a choice's probabilities; what cannot be read is as absent.
func logprobsOf(raw []byte) []llm.Logprob {
	if !given(raw) {
		return nil
	}
	var told struct {
		Content []logprob `json:"content"`
	}
	_ = json.Unmarshal(raw, &told)
	return neutralProbs(told.Content)
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
