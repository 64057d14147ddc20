package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/all"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/routing"
)

// partsAtOnce is how many requests one call for embeddings has under way, where a vendor takes few inputs in each.
const partsAtOnce = 8

// embedding carries a part of the inputs to an upstream with another dialect for embeddings.
type embedding struct {
	asked   *dialect.Embedding
	unknown []string // fields that no such dialect has
	to      embed.Dialect
	vectors *dialect.Vectors
}

var _ dialect.Passage = (*embedding)(nil)

func (e *embedding) Outgoing(t dialect.Target) (w dialect.Wire, err error) {
	if err := embed.Unknown(e.unknown, t.Drop); err != nil {
		return w, err
	}
	w, err = e.to.EncodeEmbedding(e.asked, t)
	w.Dropped = append(w.Dropped, e.unknown...)
	return w, err
}

// Answer keeps the vectors: they are written when all parts are there.
func (e *embedding) Answer(body []byte) (a dialect.Answer, err error) {
	if e.vectors, err = e.to.DecodeEmbedding(body); err != nil {
		return a, err
	}
	a.Usage = e.vectors.Usage
	return a, embed.Check(e.asked, e.vectors)
}

func (e *embedding) DecodeError(status int, h http.Header, body []byte) *gateway.Error {
	return e.to.DecodeError(status, h, body)
}

func (e *embedding) Framing() dialect.Framing { return dialect.SSE }

// Tap is never asked for: embeddings do not stream.
func (e *embedding) Tap() dialect.Tap { return nil }

// embed makes a call for embeddings at a vendor with a dialect of its own for them, in as many requests as that takes.
func (c *Client) embed(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation, to embed.Dialect) (*Answer, error) {
	asked, unknown, err := embed.Decode(call.Request.Body)
	if err == nil {
		asked, err = embed.Detokenize(asked)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := embed.Parts(to, asked, plan[0].VendorModel)
	calls, vectors := make([]Call, len(parts)), make([]*dialect.Vectors, len(parts))
	var cost gateway.NanoUSD
	var failed error
	var group sync.WaitGroup
	var mu sync.Mutex
	turns := make(chan struct{}, partsAtOnce)
	for i := range parts {
		one := &calls[i]
		*one = *call
		one.embedding, one.Attempts = &embedding{asked: &parts[i], unknown: unknown, to: to}, nil
		if i > 0 {
			one.AttemptID = fmt.Sprintf("%s-p%d", call.AttemptID, i)
		}
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			answer, err := c.whole(ctx, one, plan, r)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				vectors[i] = one.embedding.vectors
				cost = cost.Plus(answer.Cost)
			case failed == nil:
				failed = err
				cancel()
			}
		})
	}
	group.Wait()
	for i := range calls {
		call.Attempts = append(call.Attempts, calls[i].Attempts...)
		call.Dropped = calls[i].Dropped
	}
	call.boundDoubt(r)
	if failed != nil {
		return nil, failed
	}
	joined := embed.Join(vectors)
	if joined.Usage.Source == "" {
		joined.Usage.InputTokens = call.tokens()
	}
	return &Answer{Status: http.StatusOK, Body: embed.Encode(call.Request.Model, joined, asked.Base64), Cost: cost}, nil
}

// tokens is what the attempts were booked with.
func (c *Call) tokens() (n int64) {
	for i := range c.Attempts {
		if c.Attempts[i].Outcome == gateway.BilledActual {
			n += c.Attempts[i].Usage.InputTokens
		}
	}
	return n
}

// boundDoubt keeps what several attempts of unknown outcome may have cost within what was set aside for all of them.
func (c *Call) boundDoubt(r *budget.Reservation) {
	left := r.Bound
	for i := range c.Attempts {
		left -= c.Attempts[i].Cost
	}
	for i := range c.Attempts {
		e := &c.Attempts[i]
		e.Doubt = max(0, min(e.Doubt, left))
		left -= e.Doubt
	}
}

// tokenVendors take OpenAI's tokens in place of texts. Others refuse them, or take them for their own.
var tokenVendors = map[string]bool{"openai": true, "azure": true, "echo": true}

// texts is an embeddings request with its tokens, if it has some, written out as texts.
func texts(r *dialect.Request) (*dialect.Request, error) {
	input := [...]jsonedit.Field{{Name: "input"}}
	if jsonedit.Find(r.Body, input[:]); !hasTokens(input[0].Raw) {
		return r, nil
	}
	asked, _, err := embed.Decode(r.Body)
	if err == nil {
		asked, err = embed.Detokenize(asked)
	}
	if err != nil {
		return nil, err
	}
	written, err := json.Marshal(asked.Inputs)
	if err != nil {
		return nil, err
	}
	return all.Of(r.Op).Peek(r.Op, jsonedit.Replace(nil, r.Body, input[0].Set(written)), dialect.Hint{})
}

// hasTokens reports whether an input is a list of numbers, or of such lists.
func hasTokens(input []byte) bool {
	first := bytes.TrimLeft(input, "[ \t\r\n")
	return len(first) > 0 && len(input) > len(first) && first[0] != '"' && first[0] != ']'
}
