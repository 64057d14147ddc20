package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/chat"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/store"
)

// explanation is everything that made an amount.
type explanation struct {
	ID         string              `json:"id"`
	CallID     string              `json:"call_id"`
	Key        string              `json:"api_key"`
	KeyAlias   string              `json:"key_alias,omitempty"`
	User       string              `json:"user,omitempty"`
	Team       string              `json:"team_id,omitempty"`
	Org        string              `json:"organization_id,omitempty"`
	Customer   string              `json:"end_user,omitempty"`
	Tags       []string            `json:"request_tags"`
	Model      string              `json:"model"`
	Provider   string              `json:"custom_llm_provider"`
	Vendor     string              `json:"vendor_model"`
	Outcome    gateway.Outcome     `json:"outcome"`
	Spend      json.Number         `json:"spend"`
	Nano       gateway.NanoUSD     `json:"spend_nano_usd"`
	Doubt      json.Number         `json:"doubt"` // that the provider may have charged besides, and nobody knows; budgets are charged with it
	Reserved   json.Number         `json:"reserved"`
	Lines      []explainedLine     `json:"lines"`
	Usage      gateway.Usage       `json:"usage"`
	Source     gateway.UsageSource `json:"usage_source"`
	Priced     bool                `json:"priced"`
	Book       string              `json:"price_book"`
	Tier       string              `json:"service_tier"`
	Batch      string              `json:"batch_id,omitempty"`
	CustomID   string              `json:"custom_id,omitempty"`
	Attempts   []explainedTry      `json:"attempts"`
	CallSpend  json.Number         `json:"call_spend"` // of all attempts
	Budgets    []explainedBudget   `json:"budgets"`
	StartTime  string              `json:"startTime"`
	EndTime    string              `json:"endTime"`
	HTTPStatus int                 `json:"provider_status,omitempty"`
}

// explainedLine is one token class of the cost. The amounts of all lines add up to it exactly.
type explainedLine struct {
	Class      string          `json:"class"`
	Tokens     int64           `json:"tokens"`
	PerMillion json.Number     `json:"usd_per_million_tokens"`
	PerToken   pricing.PicoUSD `json:"pico_usd_per_token"`
	Amount     json.Number     `json:"amount"`
	Nano       gateway.NanoUSD `json:"amount_nano_usd"`
}

// explainedTry is one attempt of the call, on the way from deployment to deployment.
type explainedTry struct {
	ID        string          `json:"id"`
	Try       int             `json:"try"`
	Provider  string          `json:"custom_llm_provider"`
	Vendor    string          `json:"vendor_model"`
	Deployed  string          `json:"model_id"`
	Base      string          `json:"api_base"`
	Outcome   gateway.Outcome `json:"outcome"`
	Status    int             `json:"provider_status"`
	Error     string          `json:"error"`
	Spend     json.Number     `json:"spend"`
	StartTime string          `json:"startTime"`
	EndTime   string          `json:"endTime"`
}

// explainedBudget is a budget that the attempt was charged to. Limit and spend are for who sees all, and for a key's own.
type explainedBudget struct {
	Lease   string        `json:"lease"`
	Scope   gateway.Scope `json:"scope"`
	Subject string        `json:"subject"`
	Model   string        `json:"model,omitempty"`
	Every   string        `json:"budget_duration,omitempty"`
	Start   int64         `json:"window_start,omitempty"` // Unix seconds
	End     int64         `json:"window_end,omitempty"`
	Limit   *json.Number  `json:"max_budget,omitempty"`
	Kept    bool          `json:"kept"` // false: its window ended long ago, and its document is gone
}

// explain tells how an attempt came to its cost. It is named by its own id, or by its call's.
func (s *Server) explain(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.PathValue("id")
	tries, at, err := s.attempts(r.Context(), p, id)
	if err != nil {
		return err
	}
	e := &tries[at]
	x := explanation{
		ID: e.ID, CallID: e.CallID, Key: e.Key, KeyAlias: e.KeyAlias, User: e.User, Team: e.Team, Org: e.Org, Customer: e.Customer,
		Tags: append([]string{}, e.Tags...), Model: e.Model, Provider: e.Provider, Vendor: e.Vendor, Outcome: e.Outcome,
		Spend: dollars(e.Cost), Nano: e.Cost, Doubt: dollars(e.Doubt), Reserved: dollars(e.Reserved), Lines: []explainedLine{}, Usage: e.Usage,
		Source: e.Usage.Source, Priced: e.Priced, Book: e.Book, Tier: e.Tier, Batch: e.Batch, CustomID: e.CustomID,
		Budgets: []explainedBudget{}, StartTime: stamp(e.Started), EndTime: stamp(e.Ended), HTTPStatus: e.Status,
	}
	for _, line := range e.Lines {
		x.Lines = append(x.Lines, explainedLine{line.Class, line.Tokens, dollars(line.PerMillion()), line.Price, dollars(line.Amount), line.Amount})
	}
	sum := gateway.NanoUSD(0)
	for i := range tries {
		t := &tries[i]
		sum = sum.Plus(t.Cost)
		x.Attempts = append(x.Attempts, explainedTry{
			t.ID, t.Try, t.Provider, t.Vendor, t.Deployed, t.Base, t.Outcome, t.Status, t.Error, dollars(t.Cost), stamp(t.Started), stamp(t.Ended),
		})
	}
	x.CallSpend = dollars(sum)
	for _, lease := range e.Leases {
		b, err := s.chargedBudget(r.Context(), p, lease)
		if err != nil {
			return err
		}
		x.Budgets = append(x.Budgets, b)
	}
	return writeJSON(w, http.StatusOK, x)
}

// attempts are those of one call, and which of them the id means: that of the first one stands for the call, and so for the last.
func (s *Server) attempts(ctx context.Context, p gateway.Principal, id string) (tries []ledger.Entry, at int, err error) {
	if tries, err = ledger.OfCall(ctx, s.Store, id); err != nil {
		return nil, 0, err
	}
	at = slices.IndexFunc(tries, func(e ledger.Entry) bool { return e.ID == id && (p.SeesAll() || e.Key == p.KeyHash) })
	if at < 0 {
		return nil, 0, gateway.Errorf(gateway.KindNotFound, "No ledger entry has the id %.100q.", id)
	}
	if at == 0 {
		at = len(tries) - 1
	}
	return tries, at, nil
}

func (s *Server) chargedBudget(ctx context.Context, p gateway.Principal, id string) (b explainedBudget, err error) {
	b.Lease = id
	var lease escrow.Lease
	var window escrow.Window
	if _, err = s.Store.Get(ctx, escrow.Leases.Ref(id), &lease); err == nil {
		_, err = s.Store.Get(ctx, escrow.Budgets.Ref(lease.Budget), &window)
	}
	if errors.Is(err, store.ErrNotFound) {
		return b, nil
	}
	b.Kept, b.Scope, b.Subject, b.Model = true, gateway.Scope(window.Scope), window.Subject, window.Model
	b.Every, b.Start, b.End = window.Every, window.Start, window.End
	if p.SeesAll() || b.Scope == gateway.ScopeKey {
		limit := dollars(gateway.NanoUSD(window.Limit))
		b.Limit = &limit
	}
	return b, err
}

// calculate tells what a request or an answer costs, without making a call.
func (s *Server) calculate(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	object, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	answer := object["completion_response"]
	if string(answer) == "null" {
		answer = nil
	}
	var model string
	from := object
	if _, given := object["model"]; !given && answer != nil {
		if json.Unmarshal(answer, &from) != nil {
			return gateway.Invalid("completion_response", "completion_response must be an object.")
		}
	}
	if err := readField(from, "model", &model, "a string"); err != nil {
		return err
	}
	price, err := s.priceOf(p, model)
	if err != nil {
		return err
	}
	u, options := gateway.Usage{}, pricing.Options{}
	if answer != nil {
		read, err := chat.Read(answer)
		if err != nil {
			return gateway.Invalid("completion_response", "completion_response must be a provider's answer.")
		}
		u, options.ServiceTier = read.Usage, read.Tier
	} else if u.InputTokens, err = countedInput(object); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"cost": dollars(price.Cost(u, options))})
}

// countedInput is about how many tokens a request's input has.
func countedInput(object map[string]json.RawMessage) (int64, error) {
	for _, field := range []string{"messages", "prompt", "input"} {
		raw, given := object[field]
		if !given || string(raw) == "null" {
			continue
		}
		if raw[0] != '[' && (raw[0] != '"' || field == "messages") {
			return 0, gateway.Invalid(field, "%s must be a list.", field)
		}
		return dialect.CountTokens(raw), nil
	}
	return 0, gateway.Invalid("messages", "messages or completion_response is required.")
}

// priceOf is what a model costs: at the first of its deployments that has a price, or else by its name in the price book.
func (s *Server) priceOf(p gateway.Principal, model string) (pricing.Price, error) {
	found, err := s.deployments(p, model)
	if err != nil && gateway.AsError(err).Kind == gateway.KindForbidden {
		return pricing.Price{}, err
	}
	for _, d := range found {
		if d.priced {
			return d.price, nil
		}
	}
	if price, ok := s.Upstream.Prices.Lookup("", model); ok {
		return price, nil
	}
	return pricing.Price{}, gateway.Invalid("model", "No price is known for the model %.100q.", model)
}
