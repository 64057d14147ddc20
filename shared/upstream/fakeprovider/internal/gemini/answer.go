package gemini

import (
	"encoding/base64"
	"encoding/json"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

type object = map[string]any

type answer struct {
	Candidates []any           `json:"candidates,omitempty"`
	Feedback   any             `json:"promptFeedback,omitempty"`
	Usage      json.RawMessage `json:"usageMetadata,omitempty"`
	Version    string          `json:"modelVersion"`
	ID         string          `json:"responseId"`
	Extra      json.RawMessage `json:"x_unknown,omitempty"`
}

// reasons are the words for why an answer ended; others are STOP.
var reasons = map[wire.Finish]string{wire.Length: "MAX_TOKENS", wire.Filtered: "SAFETY"}

// writer writes one answer, whole or as a stream.
type writer struct {
	*wire.Reply
	vertex bool
}

func (w writer) answer() answer {
	a := answer{Version: w.Call.Model, ID: "resp-" + w.ID, Extra: w.Extra, Usage: w.Usage()}
	if w.Finish == wire.PromptBlocked {
		a.Feedback = object{"blockReason": "PROHIBITED_CONTENT"}
	}
	return a
}

// Whole implements wire.Format.
func (f Generate) Whole(r *wire.Reply) any {
	w := writer{r, f.Vertex}
	a := w.answer()
	for i := range r.Call.N {
		if r.Finish == wire.PromptBlocked {
			break
		}
		var parts []any
		for b := range r.Blocks {
			parts = append(parts, w.part(b))
		}
		a.Candidates = append(a.Candidates, w.finished(w.candidate(i, parts), w.said()))
	}
	return a
}

func (w writer) candidate(i int, parts []any) object {
	c := object{"content": object{"role": "model", "parts": parts}, "index": i}
	if w.Extra != nil {
		c["x_unknown"] = w.Extra
	}
	return c
}

// finished adds why and with what the candidate ended.
func (w writer) finished(c object, pieces []string) object {
	c["finishReason"] = wire.First(reasons[w.Finish], "STOP")
	if w.Finish == wire.Filtered {
		c["safetyRatings"] = []any{object{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true}}
	}
	for _, b := range w.Blocks {
		if b.Cited {
			list := "citationSources" // Vertex AI has another name for it
			if w.vertex {
				list = "citations"
			}
			c["citationMetadata"] = object{list: []any{object{
				"startIndex": 0, "endIndex": len(b.Text()), "uri": wire.SourceURL, "title": wire.SourceTitle,
			}}}
		}
	}
	if w.Call.Logprobs >= 0 && len(pieces) > 0 {
		c["avgLogprobs"], c["logprobsResult"] = -0.25, logprobs(w.Call.Logprobs, pieces)
	}
	return c
}

// thinks is whether the model has thought, and so signs.
func (w writer) thinks() bool {
	return third(w.Call.Model) || w.Hidden > 0 || w.TextOf(wire.Thought) != ""
}

// part is a whole part. Of several calls, only the first is signed.
func (w writer) part(block int) object {
	b := w.Blocks[block]
	switch b.Kind {
	case wire.Thought:
		return object{"text": b.Text(), "thought": true}
	case wire.Called:
		args, n := b.Arguments(), w.Calls(block)
		call := object{"name": b.Name, "args": args}
		if third(w.Call.Model) && !w.vertex {
			call["id"] = w.CallID("", n)
		}
		p := object{"functionCall": call}
		if n == 0 && w.thinks() {
			p["thoughtSignature"] = signature(b.Name, args)
		}
		return p
	}
	return w.signed(object{"text": b.Text()})
}

// signed puts the signature of a text under a part, if the model signs.
func (w writer) signed(p object) object {
	if w.thinks() {
		p["thoughtSignature"] = base64.StdEncoding.EncodeToString([]byte(wire.Sign(maker, w.TextOf(wire.Said))))
	}
	return p
}

func (w writer) said() (pieces []string) {
	for _, b := range w.Blocks {
		if b.Kind == wire.Said {
			pieces = append(pieces, b.Pieces...)
		}
	}
	return pieces
}

// logprobs gives each token the log probability -0.25, and its alternatives, the token with primes, one less for each.
func logprobs(top int, pieces []string) object {
	var chosen, alternatives []any
	for _, p := range pieces {
		chosen = append(chosen, object{"token": p, "tokenId": len(p), "logProbability": -0.25})
		candidates, text := []any{}, p
		for i := range top {
			candidates = append(candidates, object{"token": text, "tokenId": len(text), "logProbability": -0.25 - float64(i)})
			text += "'"
		}
		alternatives = append(alternatives, object{"candidates": candidates})
	}
	return object{"chosenCandidates": chosen, "topCandidates": alternatives}
}
