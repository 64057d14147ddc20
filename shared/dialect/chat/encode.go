package chat

import (
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/llm"
)

// finishes are OpenAI's words.
var finishes = map[llm.Finish]string{
	llm.FinishStop: "stop", llm.FinishStopSeq: "stop", llm.FinishLength: "length", llm.FinishTools: "tool_calls",
	llm.FinishFilter: "content_filter", llm.FinishRefusal: "content_filter", llm.FinishPause: "stop",
}

// finishOf is why a choice ended. Of a refusal that the model has words for OpenAI says stop.
func finishOf(f llm.Finish, refuses bool) string {
	if word := finishes[f]; word != "" && (f != llm.FinishRefusal || !refuses) {
		return word
	}
	return "stop"
}

// EncodeResponse writes a whole answer.
func (in *inbound) EncodeResponse(r *llm.Response) ([]byte, error) {
	o := open(make([]byte, 0, sizeOf(r)))
	o.text("id", answerID("chatcmpl-", r.ID))
	o.text("object", "chat.completion")
	o.number("created", createdAt(r.Created))
	o.text("model", r.Model)
	o.list("choices")
	for i := range r.Choices {
		c := &r.Choices[i]
		o.open()
		o.number("index", int64(i))
		o.into("message")
		refuses := o.message(c.Parts)
		o.close()
		o.logprobs(c.Logprobs)
		o.text("finish_reason", finishOf(c.Finish, refuses))
		o.close()
	}
	o.end()
	o.usage(r.Usage)
	o.word("service_tier", r.Tier)
	o.close()
	return o.b, nil
}

// sizeOf guesses how long an answer gets.
func sizeOf(r *llm.Response) int {
	n := 512
	for i := range r.Choices {
		for j := range r.Choices[i].Parts {
			p := &r.Choices[i].Parts[j]
			n += len(p.Text) + len(p.Text)/16 + len(p.Signature.Value) + 64
			if p.Call != nil {
				n += len(p.Call.Arguments) + len(p.Call.Arguments)/4 + 128
			}
		}
	}
	return n
}

// answerID gives a vendor's id the prefix that clients know.
func answerID(prefix, id string) string {
	if strings.HasPrefix(id, prefix) {
		return id
	}
	return prefix + id
}

func createdAt(vendors int64) int64 {
	if vendors > 0 {
		return vendors
	}
	return time.Now().Unix()
}
