// Package ledger records what every attempt at a provider cost: one entry each, exactly once, and the daily rollups that
// reports read. An entry is durable before its caller can take the answer for finished.
package ledger

import (
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Entries holds one document per attempt, named by the attempt's id.
var Entries = store.Collection{
	Name:    "ledger",
	Indexes: []store.Index{{"started"}, {"key", "started"}, {"user", "started"}, {"batch"}},
}

// Entry is one attempt. It carries ids and amounts only, never prompts, answers or secrets.
type Entry struct {
	ID       string          `json:"id"`      // of the attempt
	CallID   string          `json:"call_id"` // of the call: x-litellm-call-id; attempts of one call share it
	Key      string          `json:"key"`     // hash of the virtual key
	KeyAlias string          `json:"key_alias,omitempty"`
	User     string          `json:"user,omitempty"`
	Team     string          `json:"team,omitempty"`
	EndUser  string          `json:"end_user,omitempty"` // the caller's own user, from the body
	Tags     []string        `json:"tags,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	CustomID string          `json:"custom_id,omitempty"`
	Op       gateway.Op      `json:"op"`
	Model    string          `json:"model"` // as the caller named it
	Provider string          `json:"provider"`
	Vendor   string          `json:"vendor_model"`
	Stream   bool            `json:"stream,omitempty"`
	Outcome  gateway.Outcome `json:"outcome"`
	Status   int             `json:"status,omitempty"` // the provider's HTTP status, 0 if it gave none
	Error    string          `json:"error,omitempty"`  // class of the failure, never vendor text
	Usage    gateway.Usage   `json:"usage"`
	Cost     gateway.NanoUSD `json:"cost_nano_usd"`
	Tier     string          `json:"service_tier,omitempty"` // that the provider says it served
	Priced   bool            `json:"priced"`                 // false: no price is known, and Cost is zero for that reason
	Book     string          `json:"price_book,omitempty"`
	Started  int64           `json:"started"` // Unix microseconds, like all times here
	First    int64           `json:"first_token,omitempty"`
	Ended    int64           `json:"ended"`
}

// Rollups holds daily sums, one document per scope, subject and day.
var Rollups = store.Collection{
	Name:    "rollups",
	Indexes: []store.Index{{"scope", "subject", "day"}},
}

// Scope is what a rollup sums over.
type Scope string

const (
	ByKey      Scope = "key"
	ByUser     Scope = "user"
	ByTeam     Scope = "team"
	ByModel    Scope = "model"
	ByProvider Scope = "provider"
)

// Rollup is the sum of one subject's entries in one UTC day.
type Rollup struct {
	Scope        Scope           `json:"scope"`
	Subject      string          `json:"subject"`
	Day          string          `json:"day"` // "2026-11-22"
	Spend        gateway.NanoUSD `json:"spend"`
	Attempts     int64           `json:"attempts"`
	Failures     int64           `json:"failures"`
	InputTokens  int64           `json:"input_tokens"`
	OutputTokens int64           `json:"output_tokens"`
}

// subjects are the scopes that an entry counts towards; a scope without subject does not count.
func (e *Entry) subjects() [5]struct {
	Scope   Scope
	Subject string
} {
	return [...]struct {
		Scope   Scope
		Subject string
	}{{ByKey, e.Key}, {ByUser, e.User}, {ByTeam, e.Team}, {ByModel, e.Model}, {ByProvider, e.Provider}}
}

// succeeded reports whether the provider did the work.
func (e *Entry) succeeded() bool { return e.Outcome == gateway.BilledActual }

func day(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.DateOnly) }
