package fakeprovider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// exchange is one request being answered.
type exchange struct {
	p    *Provider
	w    http.ResponseWriter
	r    *http.Request
	id   string
	call *call
	plan *plan
	answer

	chunks  int  // content chunks written so far, of all choices
	started bool // generation has begun
	opened  bool // an event was written
	billed  bool
	line    Line
}

func (p *Provider) generate(w http.ResponseWriter, r *http.Request, path string, parse func(*call, map[string]any)) {
	x := &exchange{p: p, w: w, r: r, id: strconv.FormatInt(p.ids.Add(1), 10)}
	x.line = Line{Op: opNames[path], RequestID: requestID(r)}
	no := p.checkHeaders(r)
	var fields map[string]any
	if no == nil {
		fields, no = p.readBody(w, r)
	}
	x.line.Start = time.Now()
	x.line.Model, _ = fields["model"].(string)
	if no == nil {
		no = checkFields(path, fields)
	}
	if no != nil {
		x.reject(*no)
		return
	}
	x.call = newCall(path, fields, parse)
	x.plan = p.plan(x.call)
	x.line.Stream = x.call.stream
	if x.plan.unknown {
		x.reject(refusal{status: http.StatusNotFound, param: "model", message: "The model `" + x.call.model + "` does not exist."})
		return
	}
	x.run()
}

func (x *exchange) run() {
	for range x.plan.preludes {
		x.w.WriteHeader(http.StatusProcessing)
	}
	if !x.wait(x.plan.delay) {
		return
	}
	if no := x.plan.refusal; no != nil {
		x.reject(*no)
		return
	}
	x.line.PromptTokens = x.call.promptTokens
	if x.plan.cached {
		x.line.CachedTokens = x.p.cachedTokens(x.call)
	}
	if x.call.op != "embeddings" {
		x.answer = x.call.compose(x.plan)
	}
	if x.plan.instead != nil {
		x.plan.instead(x)
		return
	}
	x.setHeaders()
	asStream := (x.call.stream || x.plan.streamAll) && !x.plan.jsonOnly && x.call.op != "embeddings"
	if asStream {
		x.stream()
		return
	}
	x.json()
}

func (x *exchange) setHeaders() {
	h := x.w.Header()
	h.Set("X-Request-Id", "req_"+x.id)
	h.Set("Openai-Version", "2020-10-01")
	h.Set("X-Ratelimit-Limit-Requests", "10000")
	h.Set("X-Ratelimit-Remaining-Requests", "9999")
	if x.plan.headers != nil {
		x.plan.headers(h)
	}
}

// json writes the answer in one piece.
func (x *exchange) json() {
	x.finishAll()
	body, err := json.Marshal(x.whole())
	if err != nil {
		panic(fmt.Sprintf("fakeprovider: %v", err))
	}
	h, b := x.w.Header(), x.plan.broken
	h.Set("Content-Type", "application/json")
	switch {
	case b != nil && b.inJSON:
		h.Set("Content-Length", strconv.Itoa(len(body)))
		x.settle(false)
		x.write(body[:len(body)/2])
		b.ending(x)
	case x.plan.halve:
		x.settle(true)
		x.write(body[:len(body)/2])
	default:
		h.Set("Content-Length", strconv.Itoa(len(body)))
		x.settle(true)
		x.write(body)
	}
}

// total is the number of content chunks of a whole answer.
func (x *exchange) total() int { return len(x.words) * x.call.n }

// finishAll makes the answer count as generated to its end.
func (x *exchange) finishAll() { x.chunks, x.started = x.total(), true }

// wait lets d pass. It reports false, with the line written, if the client hung up or the provider closes.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 && x.r.Context().Err() == nil {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-x.r.Context().Done():
	case <-x.p.stop:
	case <-timer.C:
		if x.r.Context().Err() == nil {
			return true
		}
	}
	x.abandon()
	return false
}

// abandon bills what was generated until the client left.
func (x *exchange) abandon() {
	if x.r.Context().Err() != nil {
		now := time.Now()
		x.line.ClientGone = &now
	}
	if x.line.PromptTokens == 0 {
		x.line.PromptTokens = x.call.promptTokens
	}
	x.settle(false)
}

// settle puts the line on the bill, once; full says that the whole answer is or will be written.
func (x *exchange) settle(full bool) {
	x.line.Outcome, x.line.FullSend = Partial, full
	if x.started && x.chunks == x.total() {
		x.line.Outcome = Billed
	}
	if x.started {
		x.line.ReasoningTokens = int64(x.reasoning * x.call.n)
	}
	x.line.CompletionTokens = int64(x.chunks) + x.line.ReasoningTokens
	x.append()
}

// reject answers an error and bills nothing.
func (x *exchange) reject(no refusal) {
	x.line.Outcome, x.line.FullSend = Rejected, true
	x.append()
	if no.retryAfter == "date" {
		no.retryAfter = time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat)
	}
	writeError(x.w, no)
}

func (x *exchange) append() {
	if x.billed {
		return
	}
	x.billed = true
	x.line.End = time.Now()
	x.p.bill.add(x.line)
}

// write sends bytes at once, or one by one if the plan says so. It reports false, with the line written, if the client is gone.
func (x *exchange) write(b []byte) bool {
	flusher := http.NewResponseController(x.w)
	if !x.plan.byByte {
		_, err := x.w.Write(b)
		if err == nil && x.line.Stream {
			err = flusher.Flush()
		}
		if err != nil {
			x.abandon()
		}
		return err == nil
	}
	for i := range b {
		if !x.wait(x.plan.byteGap) {
			return false
		}
		if _, err := x.w.Write(b[i : i+1]); err != nil || flusher.Flush() != nil {
			x.abandon()
			return false
		}
	}
	return true
}
