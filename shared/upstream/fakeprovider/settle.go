package fakeprovider

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// tokens is what the call has cost so far.
func (x *exchange) tokens() wire.Tokens {
	l := x.line
	t := wire.Tokens{
		Prompt: l.PromptTokens, Cached: l.CachedTokens, Write5m: l.CacheWrite5mTokens, Write1h: l.CacheWrite1hTokens,
		PromptAudio: l.PromptAudioTokens,
	}
	if x.started {
		t.Reasoning = int64(x.thoughts + x.reply.Hidden*x.call.N)
		t.Completion = int64(x.chunks + x.reply.Hidden*x.call.N)
	}
	if x.call.Speech {
		t.CompletionAudio = t.Completion - t.Reasoning
	}
	return t
}

// usagePolicy is what a provider says of usage.
type usagePolicy struct {
	none, twice, every bool
	lie                string // a JSON value in place of each count
}

// usage reports the tokens so far in the vendor's words, or the plan's lie; nil if it never does.
func (x *exchange) usage() json.RawMessage {
	if x.plan.usage.none {
		return nil
	}
	report := wire.JSON(x.target.Format.Usage(x.call, x.tokens()))
	if x.plan.usage.lie != "" {
		return replaced(report, x.plan.usage.lie)
	}
	if x.plan.extra {
		report = append(report[:len(report)-1], `,"x_unknown":`+string(extraFields)+"}"...)
	}
	return report
}

// replaced puts a JSON value in place of each count of a report, and leaves out what is not a count.
func replaced(report []byte, value string) json.RawMessage {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(report, &fields); err != nil {
		panic("fakeprovider: " + err.Error())
	}
	for name, v := range fields {
		if v[0] < '0' || v[0] > '9' {
			delete(fields, name)
			continue
		}
		fields[name] = json.RawMessage(value)
	}
	return bytes.Clone(wire.JSON(fields))
}

// one is the report of usage-twice that is no truth.
func (x *exchange) one() json.RawMessage {
	return wire.JSON(x.target.Format.Usage(x.call, wire.Tokens{Prompt: 1, Completion: 1}))
}

// abandon bills what was generated until the client left.
func (x *exchange) abandon() {
	if x.r.Context().Err() != nil {
		now := time.Now()
		x.line.ClientGone = &now
	}
	if x.line.PromptTokens == 0 {
		x.line.PromptTokens = x.call.Prompt.Tokens()
	}
	x.settle(false)
}

// settle puts the line on the bill, once; full says that the whole answer is or will be written.
func (x *exchange) settle(full bool) {
	x.line.Outcome, x.line.FullSend = Partial, full
	if x.started && x.chunks == x.total() {
		x.line.Outcome = Billed
	}
	t := x.tokens()
	x.line.CompletionTokens, x.line.ReasoningTokens, x.line.CompletionAudioTokens = t.Completion, t.Reasoning, t.CompletionAudio
	x.append()
}

// reject answers an error and bills nothing.
func (x *exchange) reject(no wire.Refusal) {
	x.line.PromptTokens, x.line.CachedTokens, x.line.PromptAudioTokens = 0, 0, 0
	x.line.CacheWrite5mTokens, x.line.CacheWrite1hTokens = 0, 0
	x.line.Outcome, x.line.FullSend = Rejected, true
	x.append()
	writeError(x.w, x.target.Format, no)
}

func (x *exchange) append() {
	if x.billed {
		return
	}
	x.billed = true
	x.line.End = time.Now()
	x.p.bill.add(x.line)
}

// writeError answers an error in the format's words.
func writeError(w http.ResponseWriter, f wire.Format, no wire.Refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	switch {
	case no.RetryAfter == "date":
		h.Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
	case no.RetryAfter != "":
		h.Set("Retry-After", no.RetryAfter)
	case no.Status == http.StatusTooManyRequests && !no.WithoutRetryAfter:
		h.Set("Retry-After", "1")
	}
	if no.AlsoHeader != "" {
		h.Set(no.AlsoHeader, no.AlsoText)
	}
	body := f.Refuse(&no, h)
	w.WriteHeader(no.Status)
	_, _ = w.Write(body)
}
