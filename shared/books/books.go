// Package books proves that what is derived from the ledger adds up to it, to the nano-dollar, and derives it anew where it does
// not: daily sums, and the budgets that calls were charged to. It may run at any time beside a gateway that books.
package books

import (
	"context"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// How much of what was found a report and a list of changes name.
const (
	maxNamed = 100
	// rounds is how often something is looked at again before it is reported: what is booked meanwhile may explain it. The pause
	// between two looks begins with firstPause and doubles; in all it is longer than entries are usually on their way.
	rounds     = 6
	firstPause = 100 * time.Millisecond
)

// Report is what Check found. Amounts of budgets add up: Charged + Unknown + Outstanding + Gone = Allocated.
type Report struct {
	Exact   bool  `json:"exact"`
	Entries int64 `json:"entries"`
	Facts   int64 `json:"facts"`
	Rollups int64 `json:"rollups"`
	Windows int64 `json:"windows"`
	Leases  int64 `json:"leases"`
	Moving  int64 `json:"moving"` // sums that were booked to all the while: they are between what they were before and after

	Ledger      gateway.NanoUSD `json:"ledger_nano_usd"`      // the sum of all entries
	Doubt       gateway.NanoUSD `json:"doubt_nano_usd"`       // of entries with unknown outcome: charged to budgets besides their cost
	Allocated   gateway.NanoUSD `json:"allocated_nano_usd"`   // taken out of the budget windows that are kept
	Charged     gateway.NanoUSD `json:"charged_nano_usd"`     // the sum of the entries charged to their leases, doubts included
	Unknown     gateway.NanoUSD `json:"unknown_nano_usd"`     // opened by holders that are gone, and explained by no entry
	Outstanding gateway.NanoUSD `json:"outstanding_nano_usd"` // held by live leases beyond their entries
	Gone        gateway.NanoUSD `json:"gone_nano_usd"`        // spent by closed leases whose documents are no longer kept

	Unknowns    []Unknown    `json:"unknowns"`    // the first 100
	Differences []Difference `json:"differences"` // the first 100
	Found       int64        `json:"found"`       // how many differences there are
}

// Unknown is what a lease that was reaped leaves unexplained.
type Unknown struct {
	Lease  string          `json:"lease"`
	Budget Window          `json:"budget"`
	Amount gateway.NanoUSD `json:"amount_nano_usd"`
}

// Window names a budget window.
type Window struct {
	ID      string        `json:"id"`
	Scope   gateway.Scope `json:"scope,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Model   string        `json:"model,omitempty"`
	Every   string        `json:"every,omitempty"`
	Start   int64         `json:"start,omitempty"` // Unix seconds
}

// Difference is one document that is not what it must be.
type Difference struct {
	Kind     string        `json:"kind"`     // fact, rollup, window or lease
	Document string        `json:"document"` // its id
	Scope    gateway.Scope `json:"scope"`    // of a fact: key
	Subject  string        `json:"subject"`
	Model    string        `json:"model,omitempty"`
	Day      string        `json:"day,omitempty"`    // of a fact or rollup
	Window   *Window       `json:"window,omitempty"` // of a window or lease
	Field    string        `json:"field"`
	Want     int64         `json:"want"` // amounts in nano-dollars
	Got      int64         `json:"got"`
	Why      string        `json:"why"`
}

// check is one run of Check.
type check struct {
	store  store.Reader
	now    time.Time
	report Report
	spent  map[string]gateway.NanoUSD // by lease: the sum of the entries charged to it
}

// Check compares the ledger with all that is derived from it. The memory it takes depends on how many sums one day has and how many
// windows and leases there are, not on the number of entries. An error means that the books could not be read.
func Check(ctx context.Context, s store.Reader, now time.Time) (*Report, error) {
	c := &check{store: s, now: now, spent: map[string]gateway.NanoUSD{}}
	c.report.Unknowns, c.report.Differences = []Unknown{}, []Difference{}
	first, err := readBudgets(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := c.sums(ctx); err != nil {
		return nil, err
	}
	if err := c.budgets(ctx, first); err != nil {
		return nil, err
	}
	c.report.Exact = c.report.Found == 0
	return &c.report, nil
}

func (c *check) differs(d Difference) {
	c.report.Found++
	if len(c.report.Differences) < maxNamed {
		c.report.Differences = append(c.report.Differences, d)
	}
}

// pause waits before something is looked at again, or returns the context's error.
func pause(ctx context.Context, round int) error {
	t := time.NewTimer(firstPause << round)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
