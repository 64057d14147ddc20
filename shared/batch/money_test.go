package batch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// till is a provider's prices and the budgets of its callers. It watches that its bill, and the worst that calls may yet come
// to, stay within every limit at every moment.
type till struct {
	t      *testing.T
	limits []limit
	now    func() time.Time

	mu     sync.Mutex
	bounds map[string]int64 // by custom id
	worst  map[string]int64 // by window: what it has charged, and the bounds of calls it works on
}

// limit is one budget of a caller: its windows are so long, for ever if zero; it counts lines whose custom ids end so.
type limit struct {
	name   string
	max    int64
	every  time.Duration
	suffix string
}

func newTill(t *testing.T, now func() time.Time, limits ...limit) *till {
	return &till{t: t, limits: limits, now: now, bounds: map[string]int64{}, worst: map[string]int64{}}
}

// cost is what a provider charges for a good answer; it charges for nothing else.
const cost = 7

// mostOf is the most that a line can cost: it is free, or exactly what it will cost, or more.
func mostOf(customID string) int64 {
	switch customID[len(customID)-1] {
	case '8':
		return 0
	case '6':
		return cost
	case '4':
		return 10 * cost
	}
	return 3 * cost
}

func (s *till) Quote(_ context.Context, c batch.Call) batch.Quote {
	if len(s.limits) > 0 && s.limits[0].suffix == "" && strings.HasSuffix(c.CustomID, "-11") {
		return batch.Quote{Refusal: &batch.Reply{Status: 400, Body: []byte(`{"error":{"code":"model_unpriced"}}`)}}
	}
	q := batch.Quote{Bound: gateway.NanoUSD(mostOf(c.CustomID))}
	for _, l := range s.limits {
		if strings.HasSuffix(c.CustomID, l.suffix) {
			q.Budgets = append(q.Budgets, l.budget(s.now()))
		}
	}
	return q
}

func (l limit) budget(now time.Time) escrow.Budget {
	b := escrow.Budget{ID: l.name, Limit: l.max, Label: escrow.Label{Scope: "key", Subject: l.name}}
	if l.every > 0 {
		start := now.Truncate(l.every)
		b.ID, b.Start, b.End = fmt.Sprintf("%s_%d", l.name, start.Unix()), start.Unix(), start.Add(l.every).Unix()
	}
	return b
}

func (s *till) Refuse(_ context.Context, _ batch.Call, short *escrow.Short) batch.Reply {
	return batch.Reply{Status: 429, Body: fmt.Appendf(nil, `{"error":{"type":"budget_exceeded","param":%q}}`, short.Budget.ID)}
}

// refusal is the window that did not pay for a line, and what the line could have cost.
func (l *outLine) refusal() (window string, bound int64) {
	var body struct {
		Error struct{ Type, Code, Param string }
	}
	if l.Response == nil || json.Unmarshal(l.Response.Body, &body) != nil {
		return "", 0
	}
	if body.Error.Code != "" {
		return "unpriced", 0
	}
	return body.Error.Param, mostOf(l.CustomID)
}

// windows are those that a call is charged to, by the names of its leases.
func windows(c batch.Call) (ids []string) {
	for _, lease := range c.Leases {
		window, _, _ := strings.Cut(lease, "-")
		ids = append(ids, window)
	}
	return ids
}

func (s *till) limitOf(window string) int64 {
	name, _, _ := strings.Cut(window, "_")
	for _, l := range s.limits {
		if l.name == name {
			return l.max
		}
	}
	return 0
}

func (s *till) begin(c batch.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := 0
	for _, l := range s.limits {
		if strings.HasSuffix(c.CustomID, l.suffix) && mostOf(c.CustomID) > 0 {
			limits++
		}
	}
	if len(c.Leases) != limits || int64(c.Bound) < mostOf(c.CustomID) && limits > 0 {
		s.t.Errorf("call %s has %d set aside in %v", c.ID, c.Bound, c.Leases)
	}
	for _, w := range windows(c) {
		if s.worst[w] += int64(c.Bound); s.worst[w] > s.limitOf(w) {
			s.t.Errorf("I4: %s can come to %d, limit %d", w, s.worst[w], s.limitOf(w))
		}
	}
}

func (s *till) end(c batch.Call, entries []ledger.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if e.Outcome == gateway.Unknown {
			return // it may yet charge all of it
		}
	}
	for _, w := range windows(c) {
		for i := range entries {
			s.worst[w] += int64(entries[i].Cost)
		}
		s.worst[w] -= int64(c.Bound)
	}
}

// under puts a world under limits.
func (w *world) under(now func() time.Time, limits ...limit) {
	w.vendor.prices = newTill(w.t, now, limits...)
}

func withEscrow(d *batch.Deps) { d.Escrow = escrow.New(d.Store, "nobody", d.Now, d.Log, nil) }

// randomLimits are those of a schedule: some pay for all, some for a part, some for nothing.
func randomLimits(rng *rand.Rand, lines int) []limit {
	amount := func() int64 {
		switch rng.IntN(4) {
		case 0:
			return int64(rng.IntN(4 * cost))
		case 1:
			return int64(rng.IntN(lines * cost * 2))
		}
		return int64(lines * cost * 30)
	}
	limits := []limit{{name: "key", max: amount()}}
	if rng.IntN(2) == 0 {
		limits = append(limits, limit{name: "team", max: amount(), every: time.Duration(1+rng.IntN(10)) * time.Minute})
	}
	if rng.IntN(2) == 0 {
		limits = append(limits, limit{name: "model", max: amount(), suffix: "1"})
	}
	return limits
}

// books compares leases with the ledger and with windows, when all chunks are done.
func (w *world) checkBooks() map[string]escrow.Window {
	w.t.Helper()
	charged := map[string]int64{}
	for _, e := range w.entries() {
		for _, id := range e.Leases {
			charged[id] += int64(e.Cost + e.Doubt)
		}
	}
	granted, spent := map[string]int64{}, map[string]int64{}
	for id, l := range all[escrow.Lease](w, escrow.Leases) {
		if l.Spent != charged[id] {
			w.t.Errorf("books: lease %s has spent %d, its entries %d", id, l.Spent, charged[id])
		}
		if l.Open || l.Granted != l.Spent || l.Opened != l.Spent {
			w.t.Errorf("books: lease %s is left with %+v", id, l)
		}
		granted[l.Budget] += l.Granted
		spent[l.Budget] += l.Spent
		delete(charged, id)
	}
	for id := range charged {
		w.t.Errorf("books: entries name a lease %s that is not", id)
	}
	found := all[escrow.Window](w, escrow.Budgets)
	for id, b := range found {
		if b.Alloc != granted[id] || b.Spent != spent[id] || b.Alloc > b.Limit {
			w.t.Errorf("books: window %+v, leases have %d granted and %d spent", b, granted[id], spent[id])
		}
	}
	return found
}

func all[D any](w *world, c store.Collection) map[string]D {
	w.t.Helper()
	found := map[string]D{}
	for doc, err := range w.store.Query(w.t.Context(), store.Query{Collection: c}) {
		var d D
		if err == nil {
			err = doc.Decode(&d)
		}
		if err != nil {
			w.t.Fatalf("%s: %v", c.Name, err)
		}
		found[doc.ID] = d
	}
	return found
}
