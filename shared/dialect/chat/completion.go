package chat

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// completion translates for a caller of legacy completions: the prompt becomes a user's message.
type completion struct{ *request }

var _ dialect.Inbound = (*completion)(nil)

// defaultOutput is how many tokens a completion has where the caller set no limit (OpenAI's API document, read 2026-11).
const defaultOutput = 16

// promptReaders has the fields of a completion that the neutral form has a place for, and those that ask for nothing by their usual
// values. With another value they have no place: chats have nothing like them.
var promptReaders = func() map[string]fieldReader {
	out := map[string]fieldReader{
		"prompt": (*reading).prompt, "echo": (*reading).echo, "suffix": (*reading).suffix, "best_of": (*reading).bestOf,
		"logprobs": (*reading).tokenProbs,
	}
	for _, name := range [...]string{
		"model", "stream", "max_tokens", "n", "stream_options", "user", "safety_identifier", "tags", "litellm_metadata", "drop_params", "stop",
		"temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "logit_bias",
	} {
		out[name] = readers[name]
	}
	return out
}()

// DecodeRequest reads the body.
func (c *completion) DecodeRequest() (*llm.Request, error) {
	out := &llm.Request{Stream: c.Stream, MaxOutput: c.MaxOutput, N: c.asked, User: c.User}
	if out.MaxOutput == 0 {
		out.MaxOutput = defaultOutput
	}
	return c.decode(&reading{out: out}, promptReaders)
}

// prompt reads the text, bare or alone in a list.
func (r *reading) prompt(name string, raw []byte) {
	var texts []string
	several := raw[0] != '"'
	if !several {
		texts = []string{r.text("", name, raw)}
	} else if r.isList("", name, raw) {
		for item := range jsonedit.Elements(raw) {
			text, ok := jsonedit.Unquote(item)
			if several = !ok || len(texts) > 0; several {
				break
			}
			texts = append(texts, text)
		}
	}
	switch {
	case r.err != nil:
	case several:
		r.invalid(name, "%s must be one text: this model's provider has no interface for several, or for tokens.", name)
	case texts[0] == "":
		r.invalid(name, "%s must not be empty.", name)
	default:
		r.out.Messages = []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart(texts[0])}}}
	}
}

func (r *reading) echo(name string, raw []byte) {
	if is := r.flag("", name, raw); is != nil && *is {
		r.keep(name, raw)
	}
}

func (r *reading) suffix(name string, raw []byte) {
	if r.text("", name, raw) != "" {
		r.keep(name, raw)
	}
}

// bestOf reads from how many the answers are chosen: from as many as are asked for there is nothing to choose.
func (r *reading) bestOf(name string, raw []byte) {
	if n := r.whole("", name, raw, 0, maxN); n != nil && *n > r.out.N {
		r.keep(name, raw)
	}
}

func (r *reading) tokenProbs(name string, raw []byte) {
	if n := r.whole("", name, raw, 0, 5); n != nil {
		r.keep(name, raw)
	}
}

// Field is the caller's name for a param.
func (c *completion) Field(p llm.Param) string {
	if name := fieldOf(p); name != "messages" {
		return name
	}
	return "prompt"
}

// EncodeResponse writes a whole answer. Of what a model says only the text has a place, and with which words it refuses.
func (c *completion) EncodeResponse(r *llm.Response) ([]byte, error) {
	o := open(make([]byte, 0, sizeOf(r)))
	o.text("id", answerID("cmpl-", r.ID))
	o.text("object", "text_completion")
	o.number("created", createdAt(r.Created))
	o.text("model", r.Model)
	o.list("choices")
	for i := range r.Choices {
		o.open()
		o.said("text", r.Choices[i].Parts)
		o.number("index", int64(i))
		o.raw("logprobs", "null")
		o.text("finish_reason", completionFinish(r.Choices[i].Finish))
		o.close()
	}
	o.end()
	o.usage(r.Usage)
	o.close()
	return o.b, nil
}

// completionFinish is why a completion ended: it can call no tools.
func completionFinish(f llm.Finish) string {
	if f == llm.FinishTools {
		f = llm.FinishStop
	}
	return finishOf(f, false)
}

func isSaid(kind llm.Kind) bool { return kind == llm.Text || kind == llm.Refusal }

func (o *object) said(name string, parts []llm.Part) {
	var text []byte
	for i := range parts {
		if isSaid(parts[i].Kind) {
			text = append(text, parts[i].Text...)
		}
	}
	o.text(name, string(text))
}

// EncodeStream begins a streamed answer.
func (c *completion) EncodeStream() dialect.StreamEncoder {
	return &completing{chunks: chunks{object: "text_completion", prefix: "cmpl-", asksUsage: c.asksUsage}}
}

// completing writes the chunks of a completion.
type completing struct {
	chunks
	mute []place // open parts that are no text
}

type place struct{ choice, index int }

// Encode appends the chunks for one event: of text only.
func (s *completing) Encode(dst []byte, e *llm.Event) []byte {
	at := place{e.Choice, e.Index}
	switch e.Type {
	case llm.Begin:
		s.begin(e)
	case llm.PartBegin:
		if !isSaid(e.Part.Kind) {
			s.mute = append(s.mute, at)
		} else if e.Part.Text != "" {
			return s.chunk(dst, e.Choice, e.Part.Text, "null")
		}
	case llm.PartEnd:
		s.mute = slices.DeleteFunc(s.mute, func(p place) bool { return p == at })
	case llm.Delta:
		if e.Text != "" && !slices.Contains(s.mute, at) {
			return s.chunk(dst, e.Choice, e.Text, "null")
		}
	case llm.End:
		return s.chunk(dst, e.Choice, "", `"`+completionFinish(e.Finish)+`"`)
	case llm.Spent:
		s.spent(e)
	}
	return dst
}

func (s *completing) chunk(dst []byte, n int, text, finish string) []byte {
	dst = append(s.open(dst, n), `,"text":`...)
	dst = append(jsonedit.AppendQuote(dst, text), `,"logprobs":null,"finish_reason":`...)
	return s.close(append(dst, finish...))
}

// Fail appends an error frame.
func (s *completing) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }
