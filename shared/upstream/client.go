// Package upstream is the only one that dials providers. A call needs a Principal and a Reservation; it ends as one ledger
// entry for each attempt, whatever happened.
package upstream

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/llm"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
)

const (
	maxAttempts    = 3 // of one call, over all its deployments
	firstBackoff   = 200 * time.Millisecond
	maxSyncWait    = 2 * time.Second // a provider that asks for more gets its 429 passed on
	maxAnswerBytes = 64 << 20        // of a plain answer: embeddings of a whole batch fit
	maxErrorBytes  = 64 << 10        // read of an error answer
)

// Timers bound a call. Connecting has limits of its own in the transport.
type Timers struct {
	Header time.Duration // from the request to the head of the answer; a plain answer comes only when it is whole
	Idle   time.Duration // between two reads of a stream
	// Quiet is for how long the caller of a stream hears nothing, while the provider says something that is nothing to the caller, until
	// it is told that the stream lives; 0: it is not told.
	Quiet time.Duration
}

// DefaultTimers leave room for models that think for long.
var DefaultTimers = Timers{Header: 10 * time.Minute, Idle: 5 * time.Minute, Quiet: 10 * time.Second}

// Client calls providers. Safe for concurrent use.
type Client struct {
	Transport http.RoundTripper            // to the network
	Local     map[string]http.RoundTripper // providers inside this process, by name
	Signers   *credential.Signers
	Prices    *pricing.Book
	Custom    map[string]pricing.Price // of deployments with a PriceAs that the owner set prices for
	Timers    Timers
	Now       func() time.Time
	Log       *slog.Logger

	prices priceCache
}

// Call is one call of a caller. Do and Stream append an entry to Attempts for each attempt, also when they fail.
type Call struct {
	ID        string // shown to the caller: x-litellm-call-id
	AttemptID string // unique: the first attempt has this id, later ones a number behind it
	Request   *dialect.Request
	Principal gateway.Principal
	Customer  string // whom the caller serves, by its own word for them
	Tags      []string
	Batch     string
	CustomID  string
	Leases    []string // that somebody else charges the call to, if its Reservation has none
	Attempts  []ledger.Entry
	Dropped   []string // fields of the caller's that the last attempt left out

	reservation *budget.Reservation
	passage     dialect.Passage // of the last attempt
	embedding   *embedding      // that the call carries a part of; nil: none
	translated  []translation
}

// Native reports whether the last attempt's provider spoke the caller's dialect.
func (c *Call) Native() bool { return c.passage == c.Request.Native }

// Settle ends what was reserved for the call with what its attempts came to.
func (c *Call) Settle(r *budget.Reservation) {
	var spent gateway.NanoUSD
	var tokens int64
	for i := range c.Attempts {
		e := &c.Attempts[i]
		spent = spent.Plus(e.Cost).Plus(e.Doubt)
		tokens += e.Usage.Total()
	}
	r.Settle(spent, tokens)
}

// Answer is a plain answer, fit for the caller.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Cost   gateway.NanoUSD
}

// Do makes a plain call. The error is a gateway.Error.
func (c *Client) Do(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation) (*Answer, error) {
	if call.Request.Op.Embeds() && len(plan) > 0 {
		if op, ok := plan[0].Carrier(call.Request.Op); ok && op != call.Request.Op {
			alike := slices.DeleteFunc(slices.Clone(plan), func(d routing.Deployment) bool {
				other, _ := d.Carrier(call.Request.Op)
				return other != op
			})
			return c.embed(ctx, call, alike, r, embed.Dialects[op])
		}
	}
	return c.whole(ctx, call, plan, r)
}

// whole makes one request, and another if that is worth it, for a whole answer.
func (c *Client) whole(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation) (*Answer, error) {
	a, err := c.open(ctx, call, plan, r)
	if err != nil {
		return nil, err
	}
	defer a.close()
	body, err := a.readAll()
	if err != nil {
		return nil, a.fail(err, gateway.Unknown)
	}
	if a.isStream() {
		return nil, a.fail(dialect.InvalidAnswer("a stream where none was asked for"), gateway.Unknown)
	}
	answer, err := a.passage.Answer(body)
	if err != nil {
		return nil, a.fail(err, outcomeOf(err))
	}
	if a.entry.Usage, a.entry.Tier = answer.Usage, answer.Tier; answer.Usage.Source == "" {
		a.entry.Usage = a.counted()
	}
	cost := a.end(gateway.BilledActual)
	return &Answer{a.response.StatusCode, passedOn(a.response.Header), answer.Body, cost}, nil
}

// open tries the deployments until one answers with a good status. Only what was surely not begun is tried again.
func (c *Client) open(ctx context.Context, call *Call, plan routing.Plan, r *budget.Reservation) (*attempt, error) {
	if r == nil || r.Principal.KeyHash != call.Principal.KeyHash {
		return nil, gateway.Errorf(gateway.KindInternal, "Internal error.")
	}
	call.reservation = r
	if leases := r.Leases(); leases != nil {
		call.Leases = leases
	}
	for n := 0; ; n++ {
		a := c.begin(ctx, call, &plan[n%len(plan)], n)
		err := a.send()
		if err == nil {
			return a, nil
		}
		a.close()
		wait, again := retryIn(err, n, len(plan))
		if !again || ctx.Err() != nil {
			return nil, err
		}
		if !sleep(ctx, wait) {
			return nil, err
		}
	}
}

// retryIn decides whether a failed attempt is followed by another, and after how long: at once if the next deployment is
// another one, else with growing, jittered waits or as the provider asks.
func retryIn(err *gateway.Error, n, deployments int) (time.Duration, bool) {
	if isOwn(err) && n+1 < min(deployments, maxAttempts) {
		return 0, true
	}
	if n+1 >= maxAttempts || !Retryable(err) {
		return 0, false
	}
	if deployments > 1 && (n+1)%deployments != 0 {
		return 0, true
	}
	wait := firstBackoff << n
	wait = wait/2 + rand.N(wait)
	if err.RetryAfter > 0 {
		wait = err.RetryAfter
	}
	return wait, wait <= maxSyncWait
}

// isOwn reports whether the fault is one of the deployment's own, which another need not have: it has no place for a field, or its
// credential cannot be had.
func isOwn(e *gateway.Error) bool {
	return e.Code == llm.CodeUnsupported || strings.HasPrefix(e.Code, "credential_")
}

// Retryable reports whether another try can help and cannot cost twice: the provider did not begin.
func Retryable(e *gateway.Error) bool {
	if e.Code == codeUnknown {
		return false
	}
	switch e.Kind {
	case gateway.KindRateLimited, gateway.KindUpstream:
		return e.Code == codeUnreachable || e.HTTPStatus == http.StatusTooManyRequests || e.HTTPStatus >= 500
	default:
		return false
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// passed lists the headers of a provider that a caller may see, besides those about rate limits.
var passed = []string{"Content-Type", "Openai-Processing-Ms", "Openai-Version"}

// passedOn picks the headers for the caller: a list of ours, never all, and the provider's limits under a prefix that
// tells them from our own.
func passedOn(from http.Header) http.Header {
	to := make(http.Header, 4)
	for _, name := range passed {
		if v := from[name]; len(v) > 0 && len(v[0]) < 1024 {
			to[name] = v[:1]
		}
	}
	for name, v := range from {
		if strings.HasPrefix(name, "X-Ratelimit-") && len(v) > 0 && len(v[0]) < 256 {
			to["Llm_provider-"+strings.ToLower(name)] = v[:1]
		}
	}
	return to
}

// isStream reports whether the answer comes in frames.
func (a *attempt) isStream() bool {
	media, _, _ := strings.Cut(a.response.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), a.passage.Framing().MediaType)
}

// patient is a body that may be silent for some time, and no longer, between two reads.
type patient struct {
	io.Reader
	timer *time.Timer
	idle  time.Duration
}

func (p patient) Read(b []byte) (int, error) {
	p.timer.Reset(p.idle)
	return p.Reader.Read(b)
}

// readAll reads a plain answer. Some providers send its head, and blanks, long before they have the rest.
func (a *attempt) readAll() ([]byte, error) {
	return readAll(a.response, patient{a.response.Body, a.timer, a.client.Timers.Idle})
}

// readAll reads a plain answer into one buffer of the right size.
func readAll(r *http.Response, from io.Reader) ([]byte, error) {
	if r.ContentLength > maxAnswerBytes {
		return nil, dialect.InvalidAnswer("too large")
	}
	if r.ContentLength > 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(from, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(from, maxAnswerBytes+1))
	if err == nil && len(body) > maxAnswerBytes {
		err = dialect.InvalidAnswer("too large")
	}
	return body, err
}
