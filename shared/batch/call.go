package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// Messages of lines that got no answer.
const (
	revoked = "The key that created this batch has been revoked."
	poison  = "The worker died several times while it worked on this request, so it was given up."
)

// maxEndUser keeps what a caller says about its user within what a ledger entry can carry, in bytes.
const maxEndUser = 256

// outcome is what one try at a line came to.
type outcome struct {
	entries []ledger.Entry
	result  *result       // nil: the line is to be tried again
	final   bool          // nothing more comes from this line in this attempt
	later   time.Duration // to be left alone for so long
	line    int
}

// call sends a line until it has a result, must wait for too long, or the attempt stops.
func (r *run) call(ctx context.Context, l input) {
	for try := 1; ; try++ {
		o, wait := r.try(ctx, l, try)
		o.line = l.no
		r.outcomes <- o
		if o.final {
			return
		}
		select {
		case <-time.After(wait):
			continue
		case <-r.stopping:
		case <-ctx.Done():
		}
		r.outcomes <- outcome{final: true, line: l.no}
		return
	}
}

// try sends a line once. If the outcome is not final, the next try is due after the wait.
func (r *run) try(ctx context.Context, l input, n int) (o outcome, wait time.Duration) {
	who, err := r.keys.Principal(ctx, r.batch.Key)
	switch {
	case isRevoked(err):
		return outcome{final: true, result: &result{CustomID: l.CustomID, Line: l.no, Code: "key_revoked", Message: revoked}}, 0
	case err != nil:
		if ctx.Err() == nil {
			r.Log.WarnContext(ctx, "key cannot be looked up at the moment", "batch", r.batch.ID, "error", err)
		}
		return outcome{final: true, later: r.Settings.MaxWait}, 0
	}
	reply := r.caller.Call(ctx, r.newCall(l, who, n))
	o.entries = stamp(reply.Entries, r.batch.ID, &l)
	wait = backoff(n, reply.RetryAfter, r.Settings.MaxWait)
	switch {
	case reply.Stale:
		o.final, o.later = true, r.Settings.MaxWait
	case reply.Status == 0 && ctx.Err() != nil: // cut by us, not by the provider
		o.final = true
	case reply.Retryable && r.mayWait(n, wait) && isUnpaid(o.entries):
		if wait > r.Settings.MaxWait {
			o.final, o.later = true, wait
		}
	default:
		o.final, o.result = true, newResult(l, reply)
	}
	return o, wait
}

func (r *run) newCall(l input, who gateway.Principal, try int) Call {
	c := Call{
		ID: callID(r.id, l.no, r.attempt, try), Principal: who, Op: ops[r.batch.Endpoint], Body: l.Body,
		Batch: r.batch.ID, CustomID: l.CustomID,
	}
	if !l.quote.isFree() {
		c.Bound, c.Leases = l.quote.Bound, l.leases
	}
	return c
}

// isUnpaid reports whether a try has surely cost nothing, so that what is set aside pays for another.
func isUnpaid(entries []ledger.Entry) bool {
	return chargeOf(entries) == 0 && !slices.ContainsFunc(entries, func(e ledger.Entry) bool { return e.Outcome == gateway.Unknown })
}

// mayWait reports whether a line is worth another try after the wait. A provider that names a long wait is waited for as
// long as the batch lives.
func (r *run) mayWait(try int, wait time.Duration) bool {
	if r.Now().Add(wait).Unix() >= r.batch.ExpiresAt {
		return false
	}
	return wait > r.Settings.MaxWait || try < r.Settings.MaxTries
}

// backoff is how long to wait after the n-th try: what the provider asks for, else twice as long each time; a little more,
// so that lines do not come back all at once.
func backoff(n int, asked, most time.Duration) time.Duration {
	if asked > most {
		return asked
	}
	if asked > 0 {
		return asked + rand.N(most-asked+1)/8
	}
	wait := min(most, time.Second<<min(n-1, 10))
	return wait/2 + rand.N(wait/2+1)
}

func callID(chunk string, no, attempt, try int) string {
	return fmt.Sprintf("%s-%d-%d-%d", chunk, no, attempt, try)
}

// stamp writes on entries where they come from.
func stamp(entries []ledger.Entry, batchID string, l *input) []ledger.Entry {
	for i := range entries {
		e := &entries[i]
		e.Batch, e.CustomID, e.Leases = batchID, l.CustomID, l.leases
		if len(e.Customer) > maxEndUser {
			e.Customer = strings.ToValidUTF8(e.Customer[:maxEndUser], "")
		}
	}
	return entries
}

func newResult(l input, reply Reply) *result {
	res := &result{CustomID: l.CustomID, Line: l.no, Status: reply.Status, RequestID: reply.RequestID}
	if reply.Status == 0 {
		res.Code, res.Message = reply.ErrorCode, reply.ErrorMessage
		if res.Code == "" {
			res.Code = "request_failed"
		}
		return res
	}
	res.Body = oneLine(reply.Body)
	return res
}

// oneLine is a JSON text without line breaks; what is no JSON becomes a string.
func oneLine(body []byte) string {
	var b bytes.Buffer
	if len(body) == 0 {
		return ""
	}
	if err := json.Compact(&b, bytes.ToValidUTF8(body, []byte("�"))); err == nil {
		return b.String()
	}
	text, _ := json.Marshal(string(body)) // strings always encode
	return string(text)
}
