package chat

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/shared/jsonedit"
)

// sampling writes limits and how tokens are chosen.
func (e *requestEncoder) sampling() error {
	r := e.r
	limit, name := r.MaxOutput, "max_tokens"
	if limit == 0 {
		limit = e.target.Clamp
	}
	if e.quirks.newerLimit {
		name = "max_completion_tokens"
	}
	e.count(name, limit)
	e.fraction("temperature", r.Temperature)
	e.fraction("top_p", r.TopP)
	e.whole("top_k", r.TopK)
	e.whole(e.renamed("seed"), r.Seed)
	e.fraction("presence_penalty", r.PresencePenalty)
	e.fraction("frequency_penalty", r.FrequencyPenalty)
	e.texts("stop", r.Stop)
	if r.N > 1 {
		e.number("n", r.N)
	}
	e.json("logit_bias", r.LogitBias)
	if r.Logprobs || r.TopLogprobs > 0 {
		e.raw("logprobs", "true")
		e.count("top_logprobs", r.TopLogprobs)
	}
	return nil
}

func (e *requestEncoder) renamed(name string) string {
	for _, pair := range e.quirks.rename {
		if pair[0] == name {
			return pair[1]
		}
	}
	return name
}

// rest writes what needs no rules.
func (e *requestEncoder) rest() error {
	r := e.r
	e.word("verbosity", r.Verbosity)
	e.word("service_tier", r.ServiceTier)
	e.word("user", r.User)
	e.texts("modalities", r.Modalities)
	e.json("audio", r.Voice)
	e.json("prediction", r.Prediction)
	e.extras(r.Extra)
	e.extras(r.Hints)
	if r.Stream {
		e.raw("stream", "true")
		if !e.quirks.noStreamOptions {
			e.raw("stream_options", `{"include_usage":true}`)
		}
	}
	return nil
}

// extras writes the fields beyond the neutral form that the host knows.
func (e *requestEncoder) extras(fields map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		raw := fields[name]
		if !slices.Contains(e.quirks.extra, name) {
			continue
		}
		if name == "metadata" {
			if raw = labels(raw); raw == nil || string(fields["store"]) != "true" {
				e.dropped = append(e.dropped, name) // OpenAI takes it for what it stores only
				continue
			}
		}
		e.json(name, raw)
	}
}

// labels are those of metadata that OpenAI takes: texts (16 of at most 512 characters, API document, read 2026-11).
func labels(raw []byte) []byte {
	o := open(nil)
	n := 0
	for name, value := range jsonedit.Members(raw) {
		if text, ok := jsonedit.Unquote(value); ok && len(name) <= 64 && len(text) <= 512 && n < 16 {
			o.item()
			o.b = append(append(jsonedit.AppendQuote(o.b, name), ':'), value...)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	o.close()
	return o.b
}
