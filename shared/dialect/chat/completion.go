package chat

import (
	"encoding/json"
	"strconv"
	"strings"

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

// promptReaders has the fields of a completion that the neutral form has a place for.
var promptReaders = func() map[string]dialect.Reader {
	out := map[string]dialect.Reader{"prompt": readPrompt, "echo": refuseTrue, "suffix": refuseText, "best_of": ignore}
	for _, name := range [...]string{
		"max_tokens", "n", "stream_options", "user", "safety_identifier", "stop", "temperature", "top_p", "top_k", "seed", "presence_penalty",
		"frequency_penalty", "logit_bias",
	} {
		out[name] = readers[name]
	}
	return out
}()

// DecodeRequest reads the body.
func (c *completion) DecodeRequest() (*llm.Request, error) {
	r := &llm.Request{Stream: c.Stream, MaxOutput: c.MaxOutput, N: c.N, User: c.User}
	if r.MaxOutput == 0 {
		r.MaxOutput = defaultOutput
	}
	if err := dialect.Decode(r, c.stripped(), promptReaders, hints); err != nil {
		return nil, err
	}
	return r, nil
}

func readPrompt(r *llm.Request, name string, raw json.RawMessage) error {
	var texts []string
	if raw[0] == '"' {
		texts = make([]string, 1)
		if err := dialect.Read(name, raw, &texts[0]); err != nil {
			return err
		}
	} else if json.Unmarshal(raw, &texts) != nil || len(texts) != 1 {
		return gateway.Invalid(name, "%s must be one text: this model's provider has no interface for several, or for tokens.", name)
	}
	if texts[0] == "" {
		return gateway.Invalid(name, "%s must not be empty.", name)
	}
	r.Messages = []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.TextPart(texts[0])}}}
	return nil
}

func refuseTrue(r *llm.Request, name string, raw json.RawMessage) error {
	if string(raw) != "false" {
		return notForChats(name)
	}
	return nil
}

func refuseText(r *llm.Request, name string, raw json.RawMessage) error {
	if string(raw) != `""` {
		return notForChats(name)
	}
	return nil
}

func notForChats(name string) error {
	e := gateway.Invalid(name, "%s cannot be carried to this model's provider, which has chats only.", name)
	e.Code = "unsupported_parameter"
	return e
}

// Field is the caller's name for a param.
func (c *completion) Field(p llm.Param) string { return fieldOf(p) }

// EncodeResponse writes a whole answer.
func (c *completion) EncodeResponse(r *llm.Response) ([]byte, error) {
	out := completed{ID: answerID("cmpl-", r.ID), Object: "text_completion", Created: createdAt(r.Created), Model: r.Model, Usage: usageFrom(r.Usage)}
	for i := range r.Choices {
		text := llm.TextOf(r.Choices[i].Parts)
		out.Choices = append(out.Choices, choice{Index: i, Text: &text, Finish: finishWord(r.Choices[i].Finish)})
	}
	return json.Marshal(out)
}

// EncodeStream begins a streamed answer.
func (c *completion) EncodeStream() dialect.StreamEncoder {
	return &completing{asksUsage: c.asksUsage, texts: map[[2]int]bool{}}
}

// completing writes the chunks of a completion.
type completing struct {
	asksUsage bool
	head      string
	texts     map[[2]int]bool // parts that are text, by choice and index
	usage     *usage
}

// Encode appends the chunks for one event: of text only.
func (s *completing) Encode(dst []byte, e *llm.Event) []byte {
	at := [2]int{e.Choice, e.Index}
	switch e.Type {
	case llm.Begin:
		var head strings.Builder
		head.WriteString(`data: {"id":` + string(jsonedit.Quote(answerID("cmpl-", e.ID))) + `,"object":"text_completion","created":`)
		head.WriteString(strconv.FormatInt(createdAt(0), 10) + `,"model":` + string(jsonedit.Quote(e.Model)) + `,"choices":[`)
		s.head = head.String()
	case llm.PartBegin:
		s.texts[at] = e.Part.Kind == llm.Text
	case llm.Delta:
		if s.texts[at] && e.Text != "" {
			return s.chunk(dst, e.Choice, e.Text, "null")
		}
	case llm.End:
		return s.chunk(dst, e.Choice, "", string(jsonedit.Quote(*finishWord(e.Finish))))
	case llm.Spent:
		if e.Usage != nil {
			s.usage = usageFrom(*e.Usage)
		}
	}
	return dst
}

func (s *completing) chunk(dst []byte, n int, text, finish string) []byte {
	dst = append(append(dst, s.head...), `{"text":`...)
	dst = append(jsonedit.AppendQuote(dst, text), `,"index":`...)
	dst = append(strconv.AppendInt(dst, int64(n), 10), `,"logprobs":null,"finish_reason":`...)
	return append(append(dst, finish...), "}]}\n\n"...)
}

// End appends the usage, if it was asked for, and the terminator.
func (s *completing) End(dst []byte) []byte {
	if s.asksUsage && s.usage != nil && s.head != "" {
		text, _ := json.Marshal(s.usage)
		dst = append(append(append(append(dst, s.head...), `],"usage":`...), text...), "}\n\n"...)
	}
	return append(dst, terminator...)
}

// Fail appends an error frame.
func (s *completing) Fail(dst []byte, e *gateway.Error) []byte { return appendFailure(dst, e) }
