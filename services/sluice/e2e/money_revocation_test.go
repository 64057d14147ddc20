package e2e_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	revokedWithin = time.Second
	// stale is how long a process may go without proof that its keys are current.
	stale = 5 * time.Second
)

// revocation takes a key's calls away and gives them back.
type revocation struct {
	name       string
	key        func(t *testing.T, f *fleet) string
	take, give func(t *testing.T, f *fleet, key string)
}

func post(path string, fields map[string]any) func(t *testing.T, f *fleet, key string) {
	return func(t *testing.T, f *fleet, key string) {
		t.Helper()
		body := map[string]any{"key": key}
		for name, value := range fields {
			if body[name] = value; name == "team_id" {
				delete(body, "key")
			}
		}
		must[map[string]any](t, f.sluice, masterKey, http.MethodPost, path, body)
	}
}

func keyWith(fields map[string]any) func(t *testing.T, f *fleet) string {
	return func(t *testing.T, f *fleet) string { t.Helper(); return f.newKey(t, fields) }
}

var revocations = []revocation{
	{"blocked key", keyWith(nil), post("/key/block", nil), post("/key/unblock", nil)},
	{
		"lowered budget", keyWith(map[string]any{"max_budget": 1}),
		post("/key/update", map[string]any{"max_budget": 0.000000001}), post("/key/update", map[string]any{"max_budget": 1}),
	},
	{
		"other models", keyWith(map[string]any{"models": []string{chatModel}}),
		post("/key/update", map[string]any{"models": []string{embedModel}}), post("/key/update", map[string]any{"models": []string{chatModel}}),
	},
	{
		"blocked team", func(t *testing.T, f *fleet) string {
			t.Helper()
			must[map[string]any](t, f.sluice, masterKey, http.MethodPost, "/team/new", map[string]any{"team_id": "revoked-team"})
			return f.newKey(t, map[string]any{"team_id": "revoked-team"})
		},
		post("/team/block", map[string]any{"team_id": "revoked-team"}), post("/team/unblock", map[string]any{"team_id": "revoked-team"}),
	},
}

// What is taken from a key is gone everywhere within a second of the answer that says so, and comes back.
func moneyRevocation(t *testing.T) {
	f := newFleet(t, startCloud(t, allModels), sized(8, 4))
	frozen := f.newKey(t, nil)
	var keys []string
	for _, r := range revocations {
		keys = append(keys, r.key(t, f))
	}
	for round := range sized(10, 1) {
		for i, r := range revocations {
			d := f.demandFor(t, keys[i])
			d.everybody(t, r.name)
			r.take(t, f, keys[i])
			taken := time.Now()
			pause(t.Context(), revokedWithin*3/2)
			d.check(t, r.name, taken)
			r.give(t, f, keys[i])
			given := time.Now()
			d.everybody(t, "the end of "+r.name)
			t.Logf("round %d: back after %v", round, time.Since(given).Round(time.Millisecond))
			d.stop()
		}
	}
	f.thawed(t, frozen)
	f.stop(t)
	f.checkBooks(t)
	f.checkAll(t)
}

// thawed blocks a key while a process that serves it is frozen. When it goes on, it must not serve the key once more.
func (f *fleet) thawed(t *testing.T, key string) {
	t.Helper()
	d := f.demandFor(t, key)
	defer d.stop()
	d.everybody(t, "before the freeze")
	p := f.members[0].p
	p.freeze(t)
	post("/key/block", nil)(t, f, key)
	blocked := time.Now()
	pause(t.Context(), sized(time.Minute, stale+3*time.Second))
	thawed := time.Now()
	p.thaw(t)
	eventually(t, callLimit, "the thawed process answers", func() error {
		if !d.answeredBy(0, thawed) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	pause(t.Context(), revokedWithin)
	d.stop()
	for _, r := range d.results {
		if r.good() && r.begun.After(blocked.Add(revokedWithin)) {
			t.Errorf("a call that began %v after the key was blocked (%v after the thaw) was served: %v", r.begun.Sub(blocked), r.begun.Sub(thawed), r)
		}
	}
}

// demand is callers of every member who do not give up.
type demand struct {
	*fleet
	stop func()

	mu      sync.Mutex
	results []result
	stall   time.Duration // the longest that this process itself was kept from running
}

func (f *fleet) demandFor(t *testing.T, key string) *demand {
	ctx, cancel := context.WithCancel(t.Context())
	d := &demand{fleet: f}
	var all sync.WaitGroup
	for _, m := range f.members {
		for range 2 {
			all.Go(func() {
				for pause(ctx, 20*time.Millisecond) {
					r := f.ask(t.Context(), m, key, order{model: chatModel, words: 2, limit: 4})
					d.mu.Lock()
					d.results = append(d.results, r)
					d.mu.Unlock()
				}
			})
		}
	}
	all.Go(func() {
		const beat = 10 * time.Millisecond
		for last := time.Now(); pause(ctx, beat); last = time.Now() {
			d.mu.Lock()
			d.stall = max(d.stall, time.Since(last)-beat)
			d.mu.Unlock()
		}
	})
	d.stop = func() { cancel(); all.Wait() }
	t.Cleanup(d.stop)
	return d
}

// everybody waits until each member serves a call that begins from now on.
func (d *demand) everybody(t *testing.T, what string) {
	t.Helper()
	since := time.Now()
	eventually(t, callLimit, what+": every process serves", func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		served := map[int]bool{}
		last := map[int]result{}
		for _, r := range d.results {
			if last[r.member] = r; r.good() && r.begun.After(since) {
				served[r.member] = true
			}
		}
		if len(served) < len(d.members) {
			return fmt.Errorf("%d of %d do; the last answers are %v", len(served), len(d.members), last)
		}
		return nil
	})
}

// answeredBy tells whether a member has answered a call that began after a time.
func (d *demand) answeredBy(member int, since time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.results {
		if r.member == member && r.status != 0 && r.begun.After(since) {
			return true
		}
	}
	return false
}

// check wants no success of a call that began later than a second after taken; one that ran already may go on. A stall of this process may make an answer look late; it is said.
func (d *demand) check(t *testing.T, what string, taken time.Time) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	began, ended := time.Duration(math.MinInt64), time.Duration(math.MinInt64)
	kinds := map[string]int{}
	for _, r := range d.results {
		if r.good() {
			began, ended = max(began, r.begun.Sub(taken)), max(ended, r.ended.Sub(taken))
			continue
		}
		kinds[fmt.Sprint(r.status, " ", r.kind)]++
	}
	t.Logf("%s: the last success began %v and ended %v after the answer; refusals %v; this process stalled for %v at most",
		what, began.Round(time.Millisecond), ended.Round(time.Millisecond), kinds, d.stall.Round(time.Millisecond))
	if began > revokedWithin+d.stall {
		t.Errorf("%s: a call that began %v after the answer was served", what, began)
	}
	if len(kinds) == 0 {
		t.Errorf("%s: nothing was refused", what)
	}
}
