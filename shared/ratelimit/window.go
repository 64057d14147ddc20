package ratelimit

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/store"
)

const (
	// retention is how long a minute's document stays: a clock that jumps back by less finds its minute as it was.
	retention = 24 * time.Hour
	// brisk is for how long a process takes rights ahead of its calls.
	brisk = time.Second
	// share is the part of what is left that it takes ahead at most: what it does not use is lost to the others.
	share = 16
	// forget is after how long a refusal of tokens is doubted: others give unused ones back.
	forget = 2 * time.Second
)

// window is what this process holds of one limit in one minute. It ends with the minute.
type window struct {
	lane
	kind  Kind
	limit string
	ref   store.Ref
	ends  int64 // Unix seconds

	seen   int64     // of the limit that all processes together had taken when last seen
	seenAt time.Time // zero: never
	rights int64     // taken and not spent; negative is debt
	low    int64     // the least that rights have been since Run last looked

	spent   int64     // since rights were last taken
	takenAt time.Time // when that was
}

// windowDoc is the document of a limit and minute. Allocated never exceeds the limit; what a process has taken and not spent
// when the minute ends, or when it dies, or when the store's answer is lost, stays allocated.
type windowDoc struct {
	Limit     string `json:"limit"`
	Kind      Kind   `json:"kind"`
	Minute    string `json:"minute"`
	Allocated int64  `json:"allocated"`
	Purge     int64  `json:"purge"`
}

// turn forgets the rights of another minute than this.
func (l *Limiter) turn(now time.Time) {
	minute := now.Unix() / 60
	if minute == l.minute {
		return
	}
	l.minute = minute
	l.windows = map[string]*window{}
	for id, s := range l.slots {
		if s.unused() {
			delete(l.slots, id)
		}
	}
}

func (l *Limiter) windowOf(limit *Limit) *window {
	w := l.windows[limit.ID]
	if w == nil {
		w = &window{
			kind: limit.Kind, limit: limit.ID, ends: (l.minute + 1) * 60,
			ref: Rates.Ref(docID(limit.ID) + "-" + strconv.FormatInt(l.minute, 36)),
		}
		l.windows[limit.ID] = w
	}
	return w
}

// docID spreads the documents over the key space, whatever the limits are called.
func docID(limit string) string {
	h := sha256.Sum256([]byte(limit))
	return hex.EncodeToString(h[:16])
}

// usable are the rights that are still within the limit, should that have been lowered.
func (w *window) usable(limit int64) int64 { return w.rights - max(w.seen-limit, 0) }

func (w *window) enough(n, limit int64) bool { return w.usable(limit) >= n }

func (w *window) hopeless(n, limit int64) bool {
	if n-w.usable(limit) <= max(limit-w.seen, 0) {
		return false
	}
	return w.kind != Tokens || time.Since(w.seenAt) < forget
}

func (w *window) spend(n int64) {
	w.rights -= n
	w.spent += n
	w.low = min(w.low, w.rights)
}

func (w *window) leave(n int64) bool {
	w.rights += n
	w.spent -= n
	w.low = min(w.low, w.rights)
	return false
}

func (w *window) remaining(limit int64) int64 { return limit - w.seen + w.rights }

// forecast is what will be used in the next second, if things go on as since rights were last taken; at most twice what was
// used since then.
func (w *window) forecast() int64 {
	since := max(time.Since(w.takenAt), brisk/2)
	return max(w.spent*brisk.Milliseconds()/since.Milliseconds(), 0)
}

// take is the leg that gets rights.
type take struct {
	*window
	limit          int64
	need           int64 // for the call that asks
	want           int64 // for those that wait as well
	ahead          int64 // for those to come
	allocated, got int64
}

func (w *window) depart(n, limit int64, _ time.Time) leg {
	t := &take{window: w, limit: limit, need: n - w.rights, want: n + w.waiting - w.rights, ahead: w.forecast()}
	w.spent, w.takenAt = 0, time.Now()
	return t
}

func (t *take) read(tx store.Tx) (verdict, error) {
	var doc windowDoc
	if _, err := get(tx, t.ref, &doc); err != nil {
		return refused, err
	}
	t.allocated = doc.Allocated
	left := t.limit - doc.Allocated
	if left < t.need {
		return refused, nil
	}
	t.got = min(t.want, left)
	t.got += min(t.ahead, (left-t.got)/share)
	return granted, nil
}

func (t *take) write(tx store.Tx, v verdict) error {
	if v != granted {
		return nil
	}
	return t.put(tx, t.allocated+t.got)
}

func (w *window) put(tx store.Tx, allocated int64) error {
	return tx.Put(w.ref, windowDoc{
		Limit: w.limit, Kind: w.kind, Minute: time.Unix(w.ends-60, 0).UTC().Format(time.RFC3339),
		Allocated: allocated, Purge: w.ends + int64(retention/time.Second),
	})
}

// land counts rights only if they are certain: those of a lost answer are forfeit.
func (t *take) land(v verdict, err error) {
	if err != nil {
		return
	}
	t.seen, t.seenAt = t.allocated, time.Now()
	if v == granted {
		t.seen += t.got
		t.rights += t.got
	}
}

// surplus is what has lain idle since it was last asked and is worth giving back to other processes.
func (w *window) surplus() int64 {
	idle := w.low
	w.low = w.rights
	if idle <= 0 || idle*share < w.seen || w.flight != nil {
		return 0
	}
	return idle
}

// giveBack is the leg that returns rights.
type giveBack struct {
	*window
	n, allocated int64
}

// returns takes the rights from memory before anybody else can have them.
func (w *window) returns(n int64) leg {
	w.rights -= n
	w.low = min(w.low, w.rights)
	return &giveBack{window: w, n: n}
}

func (g *giveBack) read(tx store.Tx) (verdict, error) {
	var doc windowDoc
	_, err := get(tx, g.ref, &doc)
	g.allocated = doc.Allocated - g.n
	return granted, err
}

func (g *giveBack) write(tx store.Tx, _ verdict) error { return g.put(tx, g.allocated) }

func (g *giveBack) land(_ verdict, err error) {
	if err == nil {
		g.seen, g.seenAt = g.allocated, time.Now()
	}
}
