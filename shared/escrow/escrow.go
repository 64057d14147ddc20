// Package escrow keeps hard limits that any number of processes share, without asking the store for each use.
//
// A process takes rights out of a window into a lease of its own and spends from memory. What it may spend without asking
// is written down before it is spent, so nobody overspends, whatever crashes, freezes or reorders; clocks only decide when
// idle rights are used again. Amounts are whole numbers of any unit.
package escrow

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Budgets holds one document per budget window, a Window.
var Budgets = store.Collection{
	Name:    "budgets",
	Indexes: []store.Index{{"wanted"}, {"scope", "subject", "start"}},
	TTL:     "purge",
}

// Leases holds one document per window and holder, a Lease.
var Leases = store.Collection{
	Name:    "leases",
	Indexes: []store.Index{{"budget"}, {"budget", "open"}, {"open", "renewed"}},
	TTL:     "purge",
}

// Label says whom a window limits. It is kept in the window's document for people, reports and checks.
type Label struct {
	Scope   string `json:"scope"`
	Subject string `json:"subject"`
	Model   string `json:"model,omitempty"`
	Every   string `json:"every,omitempty"`
	Start   int64  `json:"start"` // Unix seconds
	End     int64  `json:"end"`   // Unix seconds; 0 is never
}

// Budget is a limit as its owner set it, and the window that it holds in now.
type Budget struct {
	ID      string // hex, one per subject, window and epoch: it names the window's document
	Limit   int64
	Opening int64 // spent before the document existed; used only when the document is created
	Soft    int64 // told to Notice when it is reached, never enforced; 0 is none
	Label
}

// Window is the document of a budget window. Opening + Alloc stays within Limit, unless Limit was lowered since.
type Window struct {
	ID string `json:"id"`
	Label
	Limit       int64 `json:"limit"` // as of the last grant
	Soft        int64 `json:"soft,omitempty"`
	Opening     int64 `json:"opening,omitempty"`
	Alloc       int64 `json:"alloc"`             // the sum of Granted over all leases that ever were
	Spent       int64 `json:"spent"`             // the sum of Spent over all leases, as far as grants, returns and reports brought it here
	Wanted      int64 `json:"wanted,omitempty"`  // Unix microseconds: when somebody last asked holders to return idle rights
	Asked       int64 `json:"asked,omitempty"`   // how often a write did nothing but that
	Alerted     int64 `json:"alerted,omitempty"` // the highest threshold that was told, in percent
	SoftAlerted bool  `json:"soft_alerted,omitempty"`
	Purge       int64 `json:"purge,omitempty"` // Unix seconds
}

// Lease is the document of one holder's part in a window: Spent <= Opened <= Granted.
type Lease struct {
	Budget   string `json:"budget"`
	Holder   string `json:"holder"`
	Granted  int64  `json:"granted"`  // the right to spend taken out of the window
	Opened   int64  `json:"opened"`   // the part that the holder may spend without asking again
	Spent    int64  `json:"spent"`    // what was spent, as of the last write
	Reported int64  `json:"reported"` // the part of Spent that Window.Spent contains
	Open     bool   `json:"open"`     // in use by a holder
	Dead     bool   `json:"dead"`     // reaped: Opened - Spent stays charged, since nobody knows how much of it was spent
	Seq      int64  `json:"seq"`      // of the holder's last write: a write that comes late finds itself overtaken
	Writes   int64  `json:"writes"`   // how often the holder has written it
	Renewed  int64  `json:"renewed"`  // Unix microseconds of the holder's last write
	Purge    int64  `json:"purge,omitempty"`
}

// Notice is told, inside the transaction that moved a window there, that 50, 80 or 100 percent of Limit are spent, or with
// percent 0 that Soft is; of 100 also when a call is refused and hardly anything is left. It may write to tx and must not read. It is committed exactly once per window and threshold,
// though it may run more often; committed, if not nil, is called after the commit. It comes when holders report: with
// their grants, and at the latest when each has spent 1/32 of the limit since or has been idle for 15 seconds.
type Notice func(tx store.Tx, w Window, percent int) (committed func(), err error)

// Short is the error for a budget whose remainder does not pay.
type Short struct {
	Budget Budget
	Spent  int64 // as far as is known here
	Left   int64 // not enough
}

func (s *Short) Error() string {
	return fmt.Sprintf("escrow: budget of %s %s is short: %d of %d left", s.Budget.Scope, s.Budget.Subject, s.Left, s.Budget.Limit)
}

// Escrow is one process's view of all windows that it uses. Its methods may be called concurrently.
type Escrow struct {
	// Patience is how long a request waits at most for rights that it cannot have at once. Set it before use.
	Patience time.Duration

	store  store.Store
	holder string
	now    func() time.Time
	log    *slog.Logger
	notice Notice

	mu      sync.RWMutex
	leases  map[string]*lease // by budget id
	retired int               // leases that have left the map: it numbers their successors
	old     []*lease          // found dead, with calls that have yet to end
}

// New makes an Escrow. The holder is the random id of this process, and no other's ever; notice may be nil.
func New(s store.Store, holder string, now func() time.Time, log *slog.Logger, notice Notice) *Escrow {
	return &Escrow{Patience: patience, store: s, holder: holder, now: now, log: log, notice: notice, leases: map[string]*lease{}}
}
