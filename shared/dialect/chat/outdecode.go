package chat

import (
	"bytes"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// Fields of an answer, whole or a chunk, by position.
const (
	aID = iota
	aModel
	aCreated
	aTier
	aChoices
	aUsage
	aError
	aObject
	answerFields
)

var answerNames = [answerFields]string{"id", "model", "created", "service_tier", "choices", "usage", "error", "object"}

// answered is a whole answer, or a chunk of one.
type answered [answerFields]jsonedit.Field

// readAnswer checks a text and finds its fields. What is no UTF-8 in it becomes U+FFFD.
func readAnswer(text []byte) (a answered, err error) {
	for i := range a {
		a[i].Name = answerNames[i]
	}
	if fault := jsonedit.Scan(text, a[:]); fault != nil {
		text = bytes.ToValidUTF8(text, []byte("\ufffd"))
		if fault = jsonedit.Scan(text, a[:]); fault != nil {
			return a, dialect.InvalidAnswer("not OpenAI's JSON")
		}
	}
	if isFault(&a[aError], &a[aObject]) {
		return a, DecodeError(0, nil, text)
	}
	if c := &a[aChoices]; c.Given() && c.Kind != jsonedit.Array {
		return a, dialect.InvalidAnswer("its choices are no list")
	}
	return a, nil
}

// isFault reports whether an answer is an error: most have it in a field, and vLLM's older releases are one themselves.
func isFault(fault, object *jsonedit.Field) bool {
	return fault.Given() || string(object.Raw) == `"error"`
}

// choiceFields are those of a choice, by position.
const (
	cIndex = iota
	cMessage
	cDelta
	cLogprobs
	cFinish
	cError
	choiceFields
)

var choiceNames = [choiceFields]string{"index", "message", "delta", "logprobs", "finish_reason", "error"}

type choiceIn [choiceFields]jsonedit.Field

// readChoice finds a choice's fields. The error is the provider's own if it has one there.
func readChoice(raw []byte) (c choiceIn, err error) {
	for i := range c {
		c[i].Name = choiceNames[i]
	}
	if raw[0] != '{' {
		return c, dialect.InvalidAnswer("a choice is no object")
	}
	jsonedit.Find(raw, c[:])
	if c[cError].Given() {
		return c, DecodeError(0, nil, raw)
	}
	return c, nil
}

// DecodeResponse reads a whole answer.
func (Outbound) DecodeResponse(body []byte) (*llm.Response, error) {
	a, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	id, _ := a[aID].Text()
	model, _ := a[aModel].Text()
	created, _ := a[aCreated].Int()
	out := &llm.Response{ID: id, Model: model, Created: created, Tier: tierOf(&a[aTier])}
	out.Usage, _ = usageOf(a[aUsage].Raw)
	for raw := range jsonedit.Elements(a[aChoices].Raw) {
		c, err := wholeChoice(raw, id)
		if err != nil {
			return nil, err
		}
		if out.Choices = append(out.Choices, c); len(out.Choices) > maxChoices {
			return nil, dialect.InvalidAnswer("it has too many choices")
		}
	}
	if len(out.Choices) == 0 {
		return nil, dialect.InvalidAnswer("it has no choices")
	}
	return out, nil
}

// maxChoices is the number of choices that an answer can have.
const maxChoices = maxN

func wholeChoice(raw []byte, id string) (out llm.Choice, err error) {
	c, err := readChoice(raw)
	if err != nil {
		return out, err
	}
	if c[cMessage].Kind != jsonedit.Object {
		return out, dialect.InvalidAnswer("a choice has no message")
	}
	if out.Finish, err = finishIn(&c[cFinish]); err != nil {
		return out, err
	}
	r, m := reader{answer: true}, fieldsOf(c[cMessage].Raw)
	out.Parts = append(append(r.said("", &m), r.images(&m)...), r.heard(&m)...)
	if r.err != nil {
		return out, dialect.InvalidAnswer("a message cannot be read").WithCause(r.err)
	}
	out.Logprobs = logprobsOf(c[cLogprobs].Raw)
	out.Finish = settle(out.Parts, m.citations(), id, out.Finish)
	return out, nil
}

// settle completes the parts of an answer: citations belong to its text, calls need ids, and a call of llm.AnswerTool is the answer. It
// returns why the answer ended: some vendors say stop of calls, too.
func settle(parts []llm.Part, cited []llm.Citation, id string, finish llm.Finish) llm.Finish {
	calls, answers, refuses := 0, false, false
	for i := range parts {
		switch p := &parts[i]; p.Kind {
		case llm.Text:
			p.Citations, cited = cited, nil
		case llm.Refusal:
			refuses = true
		case llm.ToolCall:
			if p.Call.Name == llm.AnswerTool {
				*p, answers = llm.TextPart(p.Call.Arguments), true
				continue
			}
			if p.Call.ID == "" {
				p.Call.ID = llm.CallID(id, calls)
			}
			calls++
		}
	}
	return finishFor(finish, calls > 0, answers, refuses)
}

// finishFor corrects why an answer ended by what is in it.
func finishFor(finish llm.Finish, calls, answers, refuses bool) llm.Finish {
	switch {
	case finish == llm.FinishTools && !calls && answers:
		return llm.FinishStop
	case finish == "":
		return finishFor(llm.FinishStop, calls, answers, refuses)
	case finish == llm.FinishStop && calls:
		return llm.FinishTools
	case finish == llm.FinishStop && refuses:
		return llm.FinishRefusal
	default:
		return finish
	}
}
