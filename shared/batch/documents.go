package batch

import (
	"encoding/json"
	"slices"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

var (
	files = store.Collection{Name: "files", Indexes: []store.Index{
		{"owner", "created"}, {"owner", "purpose", "created"}, {"created"}, {"purpose", "created"}, {"expires"},
	}}
	batches = store.Collection{Name: "batches", Indexes: []store.Index{
		{"owner", "created"}, {"created"}, {"open"}, {"open", "input"},
	}}
	chunks = store.Collection{Name: "chunks", TTL: "expires", Indexes: []store.Index{
		{"batch"}, {"batch", "state"}, {"batch", "done"},
	}}
	parts = store.Collection{Name: "parts", TTL: "expires", Indexes: []store.Index{{"chunk"}, {"batch"}}}
)

// Collections are all documents of the package, for whoever creates their indexes. A submitter watches results arrive with
// a listener on parts where batch is the batch's id.
var Collections = []store.Collection{files, batches, chunks, parts}

// fileDoc is an uploaded file or a result file. Times named At or Expires are Unix seconds, all others microseconds.
type fileDoc struct {
	ID       string `json:"id"`
	Owner    string `json:"owner"`
	Key      string `json:"key"` // hash of the creating key
	Filename string `json:"filename"`
	Purpose  string `json:"purpose"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
	Blob     string `json:"blob"`
	Created  int64  `json:"created"`
	Expires  int64  `json:"expires,omitempty"`
	Deleted  bool   `json:"deleted,omitempty"` // gone for everybody; the sweeper removes what is left
	Batch    string `json:"batch,omitempty"`   // whose result it is
}

func (f *fileDoc) ref() store.Ref { return files.Ref(f.ID) }

// gone reports whether the file is absent for callers at the time, in Unix seconds.
func (f *fileDoc) gone(now int64) bool { return f.Deleted || (f.Expires != 0 && f.Expires <= now) }

// state is where a batch is. All but expiring are OpenAI's.
type state string

const (
	validating state = "validating"
	inProgress state = "in_progress"
	finalizing state = "finalizing"
	cancelling state = "cancelling"
	expiring   state = "expiring" // no more lines are started; callers still see the state before
	failed     state = "failed"
	completed  state = "completed"
	cancelled  state = "cancelled"
	expired    state = "expired"
)

// moves are the only ways from state to state. States without a way out are final.
var moves = map[state][]state{
	validating: {inProgress, failed, cancelling, expiring},
	inProgress: {finalizing, cancelling, expiring},
	finalizing: {completed},
	cancelling: {cancelled},
	expiring:   {expired},
}

func (s state) final() bool            { return moves[s] == nil }
func (s state) mayBecome(t state) bool { return slices.Contains(moves[s], t) }

// batchDoc is a batch. It is written about six times in its life.
type batchDoc struct {
	ID       string   `json:"id"`
	Owner    string   `json:"owner"`
	Key      string   `json:"key"` // whom it works for, as of creation
	KeyAlias string   `json:"key_alias,omitempty"`
	User     string   `json:"user,omitempty"`
	Team     string   `json:"team,omitempty"`
	Tags     []string `json:"tags,omitempty"`

	Endpoint  string          `json:"endpoint"`
	Input     string          `json:"input"`              // id of the input file
	Blob      string          `json:"blob"`               // its object, which outlives the file until the batch is final
	Metadata  string          `json:"metadata,omitempty"` // JSON text: its names are the caller's
	OutputTTL int64           `json:"output_ttl,omitempty"`
	Request   string          `json:"request,omitempty"` // fingerprint, if made with an idempotency key
	State     state           `json:"state"`
	Open      bool            `json:"open"` // not final
	At        map[state]int64 `json:"at"`   // when it came into each state
	Created   int64           `json:"created"`
	ExpiresAt int64           `json:"expires_at"`
	Hinted    int64           `json:"hinted"` // when the last message about it was sent, Unix seconds

	Chunks int     `json:"chunks"` // 0 until it is in progress
	Lines  int     `json:"lines"`
	Model  string  `json:"model,omitempty"` // if all lines name the same
	Faults []fault `json:"faults,omitempty"`

	Output string `json:"output,omitempty"` // ids of the result files
	Errors string `json:"errors,omitempty"`
	Tally  tally  `json:"tally"` // once final
}

func (b *batchDoc) ref() store.Ref { return batches.Ref(b.ID) }

// fault is one reason why a file did not validate.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// tally is what lines have come to.
type tally struct {
	OK              int64 `json:"ok"`
	Failed          int64 `json:"failed"`
	InputTokens     int64 `json:"input_tokens"`
	CachedTokens    int64 `json:"cached_tokens"`
	OutputTokens    int64 `json:"output_tokens"`
	ReasoningTokens int64 `json:"reasoning_tokens"`
}

// tallyFields are the fields of a chunk document that make a tally, in its order.
var tallyFields = []string{"ok", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"}

func newTally(sums []int64) tally { return tally{sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]} }

func (t *tally) add(u gateway.Usage) {
	t.InputTokens += u.InputTokens
	t.CachedTokens += u.CachedTokens
	t.OutputTokens += u.OutputTokens
	t.ReasoningTokens += u.ReasoningTokens
}

// chunkState is where a chunk is.
type chunkState string

const (
	pending chunkState = "pending" // nobody has been told of it yet
	queued  chunkState = "queued"  // a message is on its way, or it waits for NotBefore
	running chunkState = "running" // somebody has it until LeaseUntil
	done    chunkState = "done"    // frozen
)

// chunkDoc is a range of the input file with consecutive lines First to Last, blank ones included.
type chunkDoc struct {
	Batch  string `json:"batch"`
	N      int    `json:"n"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	First  int    `json:"first"`
	Last   int    `json:"last"`
	Lines  int    `json:"lines"` // without blank ones

	State      chunkState `json:"state"`
	Done       bool       `json:"done"`
	Attempt    int        `json:"attempt"` // claims so far
	Owner      string     `json:"owner,omitempty"`
	Step       int        `json:"step"`        // commits of this attempt, so that a repeated one is known
	LeaseUntil int64      `json:"lease_until"` // Unix microseconds
	NotBefore  int64      `json:"not_before,omitempty"`
	Hinted     int64      `json:"hinted"`
	Started    int        `json:"started"`           // lines below it may have been sent by this attempt
	Take       int        `json:"take,omitempty"`    // which run of the last commit's transaction took effect
	Starved    int        `json:"starved,omitempty"` // times in a row that it waited for money
	Doubts     []doubt    `json:"doubts,omitempty"`
	Parts      []string   `json:"parts,omitempty"`
	Booked     int        `json:"booked"` // of Parts, whose entries are in the ledger
	tally                 // of Parts
	money
	Expires int64 `json:"expires"`
}

func (c *chunkDoc) id() string     { return chunkID(c.Batch, c.N) }
func (c *chunkDoc) ref() store.Ref { return chunks.Ref(c.id()) }

// doubt remembers an attempt that died: its lines below Started that are in none of the first Parts parts may have been
// sent.
type doubt struct {
	Attempt int     `json:"attempt"`
	Started int     `json:"started"`
	Parts   int     `json:"parts"`
	At      int64   `json:"at"`               // when it was found, Unix microseconds
	Booked  bool    `json:"booked,omitempty"` // its lines are in the ledger
	Stakes  []stake `json:"stakes,omitempty"` // that its lines had
}

// partDoc is a few results, created once and never changed.
type partDoc struct {
	Batch   string            `json:"batch"`
	Chunk   string            `json:"chunk"`
	Owner   string            `json:"owner"` // whose batch it is
	Count   int               `json:"count"`
	Results []json.RawMessage `json:"results,omitempty"` // result, in the order they came
	Entries string            `json:"entries,omitempty"` // JSON text of the []ledger.Entry that came with them
	Blob    string            `json:"blob,omitempty"`    // object with a partDoc, where this one would be too large
	Expires int64             `json:"expires"`
}

// result is what became of one line.
type result struct {
	CustomID  string `json:"custom_id"`
	Line      int    `json:"line"` // in the input file, from 1
	Status    int    `json:"status_code,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Body      string `json:"body,omitempty"` // JSON text
	Code      string `json:"error_code,omitempty"`
	Message   string `json:"error_message,omitempty"`
}

func (r *result) ok() bool { return r.Status >= 200 && r.Status < 300 }
