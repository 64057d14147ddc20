package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/embed"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream/credential"
	"github.com/sluice-gateway/sluice/shared/upstream/h1"
)

const (
	codeUnknown     = "upstream_outcome_unknown" // sent, and no trustworthy answer came: trying again could cost twice
	codeUnreachable = "upstream_unreachable"
	userAgent       = "sluice"
)

// errTimeout is why a context ends when a provider is too slow.
var errTimeout = errors.New("the provider took too long")

// attempt is one try at one deployment. Exactly one of fail and end is called, then close.
type attempt struct {
	client     *Client
	call       *Call
	deployment *routing.Deployment
	passage    dialect.Passage
	sent       http.Header // of the request
	response   *http.Response
	entry      ledger.Entry

	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (c *Client) begin(ctx context.Context, call *Call, d *routing.Deployment, n int) *attempt {
	p := &call.Principal
	a := &attempt{client: c, call: call, deployment: d}
	a.entry = ledger.Entry{
		ID: ledger.AttemptID(call.AttemptID, n), CallID: call.ID, Try: n, Key: p.KeyHash, KeyAlias: p.KeyAlias, User: p.UserID, Team: p.TeamID,
		Org: p.OrgID, Customer: call.Customer, Tags: call.Tags, Batch: call.Batch, CustomID: call.CustomID, Op: call.Request.Op,
		Model: call.Request.Model, Provider: d.Provider, Vendor: d.VendorModel, Deployed: d.ID, Base: shown(d.BaseURL),
		Stream: call.Request.Stream, Reserved: call.reservation.Bound, Leases: call.Leases, Started: c.Now().UnixMicro(),
	}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	a.timer = time.AfterFunc(c.Timers.Header, func() { a.cancel(errTimeout) })
	return a
}

// shown is an address without what may be secret in it.
func shown(base string) string {
	if !strings.ContainsAny(base, "@?#") {
		return base
	}
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// send makes the request and reads the head of the answer. It ends the attempt unless the status is good.
func (a *attempt) send() *gateway.Error {
	request, err := a.request()
	if err != nil {
		return a.fail(err, gateway.NotSent)
	}
	transport := a.client.Transport
	if local := a.client.Local[a.deployment.Provider]; local != nil {
		transport = local
	}
	a.response, err = transport.RoundTrip(request)
	if err != nil {
		outcome := gateway.Unknown
		var fault *h1.Error
		if errors.As(err, &fault) && !fault.Sent {
			outcome = gateway.NotSent
		}
		return a.fail(err, outcome)
	}
	a.timer.Stop()
	a.response.Request = nil // its body is not held for the length of a stream
	a.entry.Status = a.response.StatusCode
	if a.response.StatusCode/100 == 2 {
		return nil
	}
	return a.refused()
}

// refused ends an attempt that the provider answered with an error.
func (a *attempt) refused() *gateway.Error {
	a.timer.Reset(a.client.Timers.Idle)
	text, _ := io.ReadAll(io.LimitReader(a.response.Body, maxErrorBytes))
	return a.fail(a.passage.DecodeError(a.response.StatusCode, a.response.Header, text), gateway.Rejected)
}

// request writes what is sent. An error is a gateway.Error if it is about the caller's request.
func (a *attempt) request() (*http.Request, error) {
	var err error
	if a.passage, err = a.client.passage(a.call, a.deployment); err != nil {
		return nil, err
	}
	a.call.passage = a.passage
	wire, err := a.passage.Outgoing(a.target())
	if err != nil {
		return nil, err
	}
	a.call.Dropped = wire.Dropped
	target, err := a.address(wire.Path)
	if err != nil {
		return nil, &h1.Error{Err: err}
	}
	h := wire.Header
	if h == nil {
		h = make(http.Header, 6)
	}
	h["Content-Type"] = []string{"application/json"}
	h["User-Agent"] = []string{userAgent}
	h["X-Client-Request-Id"] = []string{a.entry.ID}
	accept := "application/json"
	if a.call.Request.Stream {
		accept = a.passage.Framing().MediaType
	}
	h["Accept"] = []string{accept}
	if a.deployment.Organization != "" {
		h["Openai-Organization"] = []string{a.deployment.Organization}
	}
	for i := range a.deployment.Headers {
		h[a.deployment.Headers[i].Name] = []string{a.deployment.Headers[i].Value.Reveal()}
	}
	r := &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(wire.Body)), ContentLength: int64(len(wire.Body)),
	}
	r = r.WithContext(a.ctx)
	a.sent = h
	return r, a.client.Signers.Apply(a.ctx, r, wire.Body, a.deployment.Credential)
}

// fail ends the attempt with an error, which it makes fit for the caller.
func (a *attempt) fail(err error, outcome gateway.Outcome) *gateway.Error {
	e := a.explain(err, outcome)
	a.entry.Error = e.Type()
	if e.Code != "" {
		a.entry.Error = e.Code
	}
	if outcome == gateway.Unknown && a.entry.Usage.Source == "" {
		a.entry.Usage = gateway.Usage{InputTokens: a.call.Request.CountInput(), Source: gateway.UsageCounted}
	}
	a.end(outcome)
	return e
}

func (a *attempt) explain(err error, outcome gateway.Outcome) *gateway.Error {
	var e *gateway.Error
	switch {
	case errors.As(err, &e):
		e.Message = secrets.ReplaceAllString(credential.Scrub(e.Message, a.sent), "***")
	case errors.Is(context.Cause(a.ctx), errTimeout):
		e = gateway.Errorf(gateway.KindTimeout, "The provider took too long.").WithCause(err)
	case a.ctx.Err() != nil:
		e = gateway.Errorf(gateway.KindCanceled, "The caller hung up.").WithCause(context.Cause(a.ctx))
	case outcome == gateway.NotSent:
		e = gateway.Errorf(gateway.KindUpstream, "The provider cannot be reached.").WithCause(err)
		e.Code = codeUnreachable
	default:
		e = gateway.Errorf(gateway.KindUpstream, "The provider broke off the connection.").WithCause(err)
	}
	if outcome == gateway.Unknown && e.Code == "" {
		e.Code = codeUnknown
	}
	return e
}

// end closes the attempt's entry and hands it to the call. It returns the cost.
func (a *attempt) end(outcome gateway.Outcome) gateway.NanoUSD {
	e := &a.entry
	e.Outcome, e.Ended = outcome, a.client.Now().UnixMicro()
	price, ok := a.client.price(a.deployment)
	e.Priced = ok
	if ok && outcome != gateway.NotSent && outcome != gateway.Rejected {
		options := pricing.Options{ServiceTier: e.Tier}
		e.Cost, e.Lines = price.Cost(e.Usage, options), price.Explain(e.Usage, options)
	}
	if r := a.call.reservation; outcome == gateway.Unknown && r.Limited() {
		e.Doubt = max(0, r.Bound-e.Cost)
	}
	e.Book = a.client.Prices.Version()
	a.call.Attempts = append(a.call.Attempts, *e)
	return e.Cost
}

func (a *attempt) close() {
	a.timer.Stop()
	if a.response != nil {
		a.response.Body.Close()
	}
	a.cancel(nil)
}

// counted is the usage of an answer whose body tells none: of its head, or else counted by us.
func (a *attempt) counted() gateway.Usage {
	if u := embed.HeaderUsage(a.response.Header); u.Source != "" {
		return u
	}
	return gateway.Usage{InputTokens: a.call.Request.CountInput(), Source: gateway.UsageCounted}
}

// target is the deployment as dialects see it.
func (a *attempt) target() dialect.Target {
	price, _ := a.client.price(a.deployment)
	return dialect.Target{
		Provider: a.deployment.Provider, Model: a.deployment.VendorModel, Known: price.Model, Clamp: a.clamp(), MaxOutput: price.MaxOutput, Drop: a.drop,
	}
}

// drop reports whether a field that the deployment cannot carry is left out: the caller says so, or else the owner.
func (a *attempt) drop(field string) bool {
	if drop := a.call.Request.Drop; drop != nil {
		return *drop
	}
	return a.deployment.Drop || slices.Contains(a.deployment.DropFields, field)
}

// outcomeOf tells an error that a provider reported in its answer from an answer that makes no sense.
func outcomeOf(err error) gateway.Outcome {
	if gateway.AsError(err).Code == dialect.CodeInvalidAnswer {
		return gateway.Unknown
	}
	return gateway.Rejected
}

// secrets match what looks like a credential in a provider's text.
var secrets = regexp.MustCompile(`(?i)(sk-|bearer\s+|key-)[A-Za-z0-9_\-.]{8,}|AIza[A-Za-z0-9_\-]{20,}|(AKIA|ASIA)[A-Z0-9]{12,}|ya29\.[A-Za-z0-9_\-.]{8,}|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+`)
