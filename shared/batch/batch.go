// Package batch does work that waits: files, batches of requests in them, and the engine that carries the requests out.
//
// The queue only wakes the engine up; the truth is documents. A batch is cut into chunks of about a hundred lines, each a
// document with a lease and a fence. Results are documents too (parts), so they can be watched as they arrive. Nothing is
// counted: what a batch has done is the sum over its chunks. The output files are a pure function of frozen chunks, so
// every step may be repeated, by anyone, after any crash.
//
// Money is written ahead: a chunk says how far its lines may have been sent before they are. Lines that a dead worker may
// have sent and left no result for are booked by name, with an unknown outcome. So the ledger is the provider's bill plus
// those. Under a budget a line is written ahead in the transaction that sets aside what it can cost at most, out of every
// window that holds for it then; the chunk keeps that across crashes, and gives back in the transaction that stores the
// line's cost. What a lost line may have cost stays set aside.
package batch

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Caller sends lines to providers. It is called concurrently.
type Caller interface {
	// Call sends one line. It returns soon after ctx ends.
	Call(ctx context.Context, c Call) Reply
	// Quote tells what a line may cost, from memory.
	Quote(ctx context.Context, c Call) Quote
	// Refuse is the answer to a line that a budget does not pay for.
	Refuse(ctx context.Context, c Call, short *escrow.Short) Reply
}

// Quote is what a line may cost, all its tries together.
type Quote struct {
	Bound   gateway.NanoUSD // at most; 0 is free
	Budgets []escrow.Budget // that it counts towards now; their ids differ
	Refusal *Reply          // not nil: it is not to be sent for this reason, or if that is Retryable not now
}

// Call is one try at one line.
type Call struct {
	ID        string // the same for the same batch, chunk, line, claim and try; never used twice
	Principal gateway.Principal
	Op        gateway.Op
	Body      []byte // the line's body, to be read only
	Batch     string
	CustomID  string
	Bound     gateway.NanoUSD // set aside for it, and the most that all its Entries may come to, Doubt included; 0 is nothing
	Leases    []string        // that it is charged to
}

// Reply is how a Call went: an HTTP answer, or without one (Status 0) an error.
type Reply struct {
	Status       int
	RequestID    string
	Body         []byte
	ErrorCode    string // if there was no answer
	ErrorMessage string
	Entries      []ledger.Entry // one for each attempt at a provider; their ids are unique, best derived from Call.ID
	Retryable    bool           // worth another try: 429, 5xx, no connection; it is tried only if this has surely cost nothing
	RetryAfter   time.Duration  // what the provider asks for, 0 if it does not
	Stale        bool           // not sent: by now the line can cost more than Call.Bound, under a budget. It is quoted anew
}

// Keys finds who a batch works for.
type Keys interface {
	// Principal answers a gateway.Error of KindUnauthenticated when the key is revoked or gone. Any other error means that
	// nobody knows at the moment. It is asked before every call and should answer from memory.
	Principal(ctx context.Context, keyHash string) (gateway.Principal, error)
}

// Models tells whether a principal may ask a model for an operation.
type Models interface {
	// Check answers a gateway.Error for a model that is unknown or not allowed.
	Check(p gateway.Principal, op gateway.Op, model string) error
}

// Deps is what files, batches and the engine stand on.
type Deps struct {
	Store    store.Store
	Blobs    blob.Bucket
	Queue    queue.Publisher
	Events   *event.Sender
	Escrow   Escrow           // of the budgets that a Caller quotes; nil if it quotes none
	Now      func() time.Time // for what is stored; waiting uses timers
	Log      *slog.Logger
	Settings Settings // zero fields mean the default
}

// Settings are the sizes and times of the machinery; zero means the default in brackets.
type Settings struct {
	MaxFileBytes int64 // of an upload [200 MB]
	MaxLines     int   // of a batch [50,000]
	MaxLineBytes int   // of one line [8 MiB]

	ChunkLines  int           // lines of a chunk at most [100]
	ChunkBytes  int64         // input of a chunk at most, if it has several lines [1 MiB]
	Window      int           // chunks of a batch that are published or running [8]
	Concurrency int           // lines of a chunk in flight [16]
	FlushLines  int           // results of a part, and lines that are written ahead [25]
	FlushEvery  time.Duration // results wait no longer for being stored [5 s]

	Lease      time.Duration // a chunk without a sign of life for so long is taken over [30 s]
	Heartbeat  time.Duration // between signs of life [10 s]
	YieldAfter time.Duration // a handler starts no more lines after so long [300 s] ...
	YieldBy    time.Duration // ... and hands the chunk back after so long [470 s]
	Grace      time.Duration // for lines in flight when the batch is cancelled [30 s]; a sixth of it when the process ends

	MaxTries  int           // at a line, if the provider asks for short waits [8]
	MaxWait   time.Duration // inside a handler; for longer waits the chunk is handed back [30 s]
	HintAfter time.Duration // a message not acted upon for so long is sent again [2 min]
}

func (s Settings) filled() Settings {
	return Settings{
		MaxFileBytes: cmp.Or(s.MaxFileBytes, 200_000_000),
		MaxLines:     cmp.Or(s.MaxLines, 50_000),
		MaxLineBytes: cmp.Or(s.MaxLineBytes, 8<<20),
		ChunkLines:   cmp.Or(s.ChunkLines, 100),
		ChunkBytes:   cmp.Or(s.ChunkBytes, 1<<20),
		Window:       cmp.Or(s.Window, 8),
		Concurrency:  cmp.Or(s.Concurrency, 16),
		FlushLines:   cmp.Or(s.FlushLines, 25),
		FlushEvery:   cmp.Or(s.FlushEvery, 5*time.Second),
		Lease:        cmp.Or(s.Lease, 30*time.Second),
		Heartbeat:    cmp.Or(s.Heartbeat, 10*time.Second),
		YieldAfter:   cmp.Or(s.YieldAfter, 300*time.Second),
		YieldBy:      cmp.Or(s.YieldBy, 470*time.Second),
		Grace:        cmp.Or(s.Grace, 30*time.Second),
		MaxTries:     cmp.Or(s.MaxTries, 8),
		MaxWait:      cmp.Or(s.MaxWait, 30*time.Second),
		HintAfter:    cmp.Or(s.HintAfter, 2*time.Minute),
	}
}
