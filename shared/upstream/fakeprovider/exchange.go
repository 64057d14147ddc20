package fakeprovider

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// exchange is one request being answered.
type exchange struct {
	p      *Provider
	w      http.ResponseWriter
	r      *http.Request
	vendor *vendor
	target *wire.Target
	call   *wire.Call
	plan   *plan
	reply  *wire.Reply
	events wire.Stream

	chunks   int  // pieces of content written so far, of all choices
	thoughts int  // those of them that are thoughts
	started  bool // generation has begun
	opened   bool // an event was written
	billed   bool
	line     Line
}

func (p *Provider) generate(w http.ResponseWriter, r *http.Request, v *vendor, t *wire.Target) {
	x := &exchange{p: p, w: w, r: r, vendor: v, target: t, plan: &plan{}, billed: t.Free}
	x.line = Line{Wire: v.name, Op: t.Op, RequestID: requestID(r)}
	fields, no := p.read(w, r, v)
	x.line.Start = time.Now()
	req := &wire.Request{Fields: fields, Model: wire.First(t.Model, wire.Text(fields, "model")), Stream: t.Stream, Header: r.Header}
	x.line.Model = req.Model
	if no == nil {
		req.Manner = p.planOf(req.Model).Manner
		x.call, no = t.Format.Parse(req)
	}
	if no != nil {
		x.reject(*no)
		return
	}
	x.plan = p.plan(x.call)
	x.line.Stream = x.call.Stream
	if x.plan.unknown {
		x.reject(wire.Refusal{Status: http.StatusNotFound, Param: "model", Message: "The model `" + x.call.Model + "` does not exist."})
		return
	}
	x.run()
}

func (x *exchange) run() {
	for range x.plan.preludes {
		x.w.WriteHeader(http.StatusProcessing)
	}
	x.reply = &wire.Reply{
		ID: strconv.FormatInt(x.p.ids.Add(1), 10), Call: x.call, Extra: x.extra(), Every: x.plan.usage.every, Usage: x.usage,
	}
	if !x.wait(x.plan.delay) {
		return
	}
	if no := x.plan.refusal; no != nil {
		x.reject(*no)
		return
	}
	if x.plan.Block && !x.call.AnswersBlocked {
		x.reject(*wire.Blocked())
		return
	}
	x.charge()
	if x.call.Op != "embeddings" {
		x.reply.Answer = x.call.Compose(x.plan.Manner)
	}
	if x.plan.instead != nil {
		x.plan.instead(x)
		return
	}
	x.answer()
}

// charge puts the price of the prompt on the line.
func (x *exchange) charge() {
	x.line.PromptTokens, x.line.PromptAudioTokens = x.call.Prompt.Tokens(), x.call.Prompt.Audio()
	if x.plan.cached && !x.target.Free {
		x.p.cached(x.call, &x.line)
	}
}

func (x *exchange) answer() {
	x.setHeaders()
	events := x.target.Format.Stream(x.reply)
	if (x.call.Stream || x.plan.streamAll) && !x.plan.jsonOnly && events != nil {
		x.events = events
		x.stream()
		return
	}
	x.json()
}

func (x *exchange) extra() json.RawMessage {
	if x.plan.extra {
		return extraFields
	}
	return nil
}

// extraFields is what unknown-fields adds.
var extraFields = json.RawMessage(`{"nested":[1,null,"é\u2028",1e2,{"deep":true}],"big":12345678901234567890}`)

func (x *exchange) setHeaders() {
	h := x.w.Header()
	for name, value := range x.vendor.headers {
		h.Set(name, value)
	}
	h.Set(x.vendor.idHeader, "req_"+x.reply.ID)
	if x.plan.headers != nil {
		x.plan.headers(h)
	}
}

// json writes the answer in one piece.
func (x *exchange) json() {
	x.finishAll()
	body := wire.JSON(x.target.Format.Whole(x.reply))
	if f, ok := x.target.Format.(wire.Header); ok {
		f.Headers(x.reply, x.w.Header())
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
func (x *exchange) total() int { return x.reply.Total() * x.call.N }

// finishAll makes the answer count as generated to its end.
func (x *exchange) finishAll() {
	x.started, x.chunks, x.thoughts = true, x.total(), 0
	for _, b := range x.reply.Blocks {
		if b.Kind == wire.Thought {
			x.thoughts += len(b.Pieces) * x.call.N
		}
	}
}

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
