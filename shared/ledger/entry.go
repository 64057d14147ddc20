// Package ledger records what every attempt at a provider cost: one entry each, exactly once, and the daily sums that reports
// read. An entry is durable before its caller can take the answer for finished.
package ledger

import (
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Entries holds one document per attempt, named by the attempt's id.
var Entries = store.Collection{
	Name:    "ledger",
	Indexes: []store.Index{{"started"}, {"key", "started"}, {"user", "started"}, {"team", "started"}},
}

// Entry is one attempt. It carries ids and amounts only, never prompts, answers or secrets.
type Entry struct {
	ID       string          `json:"id"`            // of the attempt
	CallID   string          `json:"call_id"`       // of the call: x-litellm-call-id; attempts of one call share it
	Try      int             `json:"try,omitempty"` // how many attempts of the call came before it
	Key      string          `json:"key"`           // hash of the virtual key
	KeyAlias string          `json:"key_alias,omitempty"`
	User     string          `json:"user,omitempty"`
	Team     string          `json:"team,omitempty"`
	Org      string          `json:"org,omitempty"`
	Customer string          `json:"end_user,omitempty"` // whom the caller serves, by its own word for them
	Tags     []string        `json:"tags,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	CustomID string          `json:"custom_id,omitempty"`
	Op       gateway.Op      `json:"op"`
	Model    string          `json:"model"` // as the caller named it
	Provider string          `json:"provider"`
	Vendor   string          `json:"vendor_model"`
	Deployed string          `json:"deployment,omitempty"` // id of the deployment that was tried
	Base     string          `json:"api_base,omitempty"`   // its address, without credentials and query
	Stream   bool            `json:"stream,omitempty"`
	Outcome  gateway.Outcome `json:"outcome"`
	Status   int             `json:"status,omitempty"` // the provider's HTTP status, 0 if it gave none
	Error    string          `json:"error,omitempty"`  // class of the failure, never vendor text
	Usage    gateway.Usage   `json:"usage"`
	Cost     gateway.NanoUSD `json:"cost_nano_usd"`
	// Doubt is what the provider may have charged besides Cost and nobody knows, with an unknown outcome: budgets are charged with it.
	Doubt    gateway.NanoUSD `json:"doubt_nano_usd,omitempty"`
	Lines    []pricing.Line  `json:"cost_lines,omitempty"`   // that Cost is the sum of
	Tier     string          `json:"service_tier,omitempty"` // that the provider says it served
	Priced   bool            `json:"priced"`                 // false: no price is known, and Cost is zero for that reason
	Book     string          `json:"price_book,omitempty"`
	Reserved gateway.NanoUSD `json:"reserved_nano_usd,omitempty"` // set aside for the call before it was sent
	Leases   []string        `json:"leases,omitempty"`            // of budgets, that Cost was charged to: each of them in full
	Started  int64           `json:"started"`                     // Unix microseconds, like all times here
	First    int64           `json:"first_token,omitempty"`
	Ended    int64           `json:"ended"`
}

// triedAgain stands between the id of a call's first attempt and the number of a later one.
const triedAgain = "."

// AttemptID is the id of a call's n-th attempt, from 0, if the first has that id.
func AttemptID(first string, n int) string {
	if n == 0 {
		return first
	}
	return first + triedAgain + strconv.Itoa(n)
}

// succeeded reports whether the provider did the work.
func (e *Entry) succeeded() bool { return e.Outcome == gateway.BilledActual }

// Day is the UTC day that the entry counts towards, such as "2026-11-22".
func (e *Entry) Day() string { return DayOf(time.UnixMicro(e.Started)) }

// DayOf is the UTC day of a time, in the form that sums are kept by.
func DayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
