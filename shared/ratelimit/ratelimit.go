// Package ratelimit admits calls under limits on requests per minute, tokens per minute and parallel requests, of several
// subjects at once and shared by any number of processes.
//
// A limit is never exceeded, whatever crashes or gets lost: a process takes rights from the limit's document in a
// transaction and spends them from memory. Rights of a minute are simply gone with it; the right to a running call, a slot,
// is leased and comes back when its holder dies.
package ratelimit

import (
	"cmp"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

// Rates has one document per limit and minute, and one per limit on parallel requests.
var Rates = store.Collection{Name: "rates", Indexes: []store.Index{{"wanted"}}, TTL: "purge"}

// Kind is what a limit counts, in the words of the management API.
type Kind string

// The kinds of limits. Requests and Tokens are per minute of UTC, which begins at second 0.
const (
	Requests Kind = "requests"
	Tokens   Kind = "tokens"
	Parallel Kind = "max_parallel_requests"
)

// Limit is a maximum that some subject's calls share.
type Limit struct {
	ID   string // names the subject, the kind and what else tells it apart, the same in every process
	Kind Kind
	Max  int64 // 0 refuses everything; a changed one holds from the next Take on

	Scope, Subject, Model string // for messages only: "api_key", its hash, and the model if the limit is for one
}

// Exceeded is the error of a call that a limit does not admit. Its State tells of all the call's limits.
type Exceeded struct {
	Limit      Limit
	Remaining  int64     // what a smaller call could have
	Reset      time.Time // when the limit is whole again; for Parallel, when to try again
	RetryAfter time.Duration

	standing
}

// Error is the contract's message.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("Rate limit exceeded for %s: %s. Limit type: %s. Current limit: %d, Remaining: %d. Limit resets at: %s",
		cmp.Or(e.Limit.Scope, "limit"), cmp.Or(e.Limit.Subject, e.Limit.ID), e.Limit.Kind, e.Limit.Max, e.Remaining,
		e.Reset.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// patience is how long a call waits for a slot of another process: about what it takes that process to hear of it and to
// give one back. It is too short to keep a caller whose calls run for seconds.
const patience = 250 * time.Millisecond

// Limiter admits calls. All its methods may be called concurrently. Make it with New.
type Limiter struct {
	// Patience is how long a call waits for a slot; it may be set before the first Take.
	Patience time.Duration

	store  store.Store
	holder string
	now    func() time.Time
	log    *slog.Logger
	due    chan struct{} // tells Run that something is to be given back

	mu      sync.Mutex
	minute  int64 // of windows, since 1970
	windows map[string]*window
	slots   map[string]*slots
}

// New returns a limiter. The holder's name must be this process's alone, and a new one after each start. The clocks of all
// processes must agree within two seconds: they tell when a lease has ended, and nothing else.
func New(s store.Store, holder string, now func() time.Time, log *slog.Logger) *Limiter {
	return &Limiter{
		Patience: patience,
		store:    s, holder: holder, now: now, log: log,
		due:     make(chan struct{}, 1),
		windows: map[string]*window{}, slots: map[string]*slots{},
	}
}
