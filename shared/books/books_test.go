package books_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/books"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// world is a store with entries of three days, and budgets that they were charged to.
type world struct {
	t *testing.T
	*memstore.Store
	booker *ledger.Booker
}

const (
	closed = iota
	live
	reaped
	leases
)

func lease(n int) string { return fmt.Sprintf("lease%d", n) }

func entry(n int) ledger.Entry {
	return ledger.Entry{
		ID: fmt.Sprintf("a%d", n), CallID: fmt.Sprintf("c%d", n), Key: fmt.Sprintf("key%d", n%3), KeyAlias: "alias", User: "u", Team: "t", Org: "o",
		Customer: fmt.Sprintf("customer%d", n%5), Tags: []string{"tag", fmt.Sprintf("tag%d", n%2), "tag"}, Model: "m", Provider: "p",
		Outcome: []gateway.Outcome{gateway.BilledActual, gateway.Unknown}[n%2], Usage: gateway.Usage{InputTokens: 10, CachedTokens: 3, OutputTokens: int64(n)},
		Cost: gateway.NanoUSD(n - n/2), Doubt: gateway.NanoUSD(n / 2), Leases: []string{lease(n % leases)}, Started: start.Add(time.Duration(n) * time.Hour).UnixMicro(),
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := memstore.New()
	w := &world{t, s, &ledger.Booker{Store: s, Now: time.Now, Events: &event.Sender{Store: s, Now: time.Now}}}
	var entries []ledger.Entry
	var spent [leases]int64
	for n := range 60 {
		entries = append(entries, entry(n))
		spent[n%leases] += int64(n)
	}
	w.must(w.booker.Book(t.Context(), entries))
	label := escrow.Label{Scope: "key", Subject: "key0", Every: "30d", Start: start.Unix(), End: start.Add(100 * 24 * time.Hour).Unix()}
	docs := [leases]escrow.Lease{
		closed: {Granted: spent[closed], Opened: spent[closed], Spent: spent[closed], Reported: spent[closed]},
		live:   {Granted: spent[live] + 50, Opened: spent[live] + 20, Spent: spent[live] - 5, Reported: spent[live] - 9, Open: true},
		reaped: {Granted: spent[reaped] + 7, Opened: spent[reaped] + 7, Spent: spent[reaped] - 2, Reported: spent[reaped] - 2, Dead: true},
	}
	win := escrow.Window{ID: "w", Label: label, Limit: 1 << 40, Opening: 1000, Purge: label.End}
	for n, l := range docs {
		l.Budget = "w"
		win.Alloc += l.Granted
		win.Spent += l.Reported
		w.put(escrow.Leases.Ref(lease(n)), &l)
	}
	w.put(escrow.Budgets.Ref("w"), &win)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(ref store.Ref, doc any) {
	w.t.Helper()
	w.must(w.Tx(w.t.Context(), func(tx store.Tx) error { return tx.Put(ref, doc) }))
}

// edit changes a document behind the books' back.
func edit[T any](w *world, ref store.Ref, change func(*T)) {
	w.t.Helper()
	doc := new(T)
	version, err := w.Get(w.t.Context(), ref, doc)
	w.must(err)
	change(doc)
	_, err = w.Update(w.t.Context(), ref, doc, version)
	w.must(err)
}

func (w *world) check() *books.Report {
	w.t.Helper()
	r, err := books.Check(w.t.Context(), w, start)
	w.must(err)
	return r
}

func TestExact(t *testing.T) {
	t.Parallel()
	got := newWorld(t).check()
	want := &books.Report{
		Exact: true, Entries: 60, Facts: 9, Rollups: 4*5*3 + 3*4*2, Windows: 1, Leases: 3, Ledger: 900, Doubt: 870,
		Allocated: 59*60/2 + 57, Charged: 59 * 60 / 2, Unknown: 7, Outstanding: 50, Differences: []books.Difference{},
		Unknowns: []books.Unknown{{
			Lease: lease(reaped), Amount: 7, Budget: books.Window{ID: "w", Scope: "key", Subject: "key0", Every: "30d", Start: start.Unix()},
		}},
	}
	want.Facts, want.Rollups = got.Facts, got.Rollups // below
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Facts != 4*3 && got.Facts != 3*3 || got.Rollups == 0 {
		t.Errorf("%d facts, %d rollups", got.Facts, got.Rollups)
	}
}

// Each kind of document is made wrong once; the check names it.
func TestDifferences(t *testing.T) {
	t.Parallel()
	group, part := ledger.GroupOf(ptr(entry(0))), ledger.PartsOf(ptr(entry(0)))
	fact, customer, tag, charged := group.Ref(), part[0].Ref(), part[1].Ref(), part[3].Ref()
	for name, c := range map[string]struct {
		spoil func(w *world)
		want  books.Difference // Kind, Subject, Field, Want, Got
		found int64
	}{
		"an entry's cost": {func(w *world) {
			edit(w, ledger.Entries.Ref("a0"), func(e *ledger.Entry) { e.Cost += 5 })
		}, books.Difference{Kind: "fact", Subject: "key0", Field: "spend", Want: 15, Got: 10}, 5},
		"an entry lost": {func(w *world) { w.must(w.Delete(w.t.Context(), ledger.Entries.Ref("a9"))) },
			books.Difference{Kind: "fact", Subject: "key0", Field: "spend", Want: 5, Got: 10}, 5},
		"a fact": {func(w *world) { edit(w, fact, func(f *ledger.Fact) { f.OutputTokens-- }) },
			books.Difference{Kind: "fact", Subject: "key0", Field: "output_tokens", Want: 18, Got: 17}, 1},
		"a fact lost": {func(w *world) { w.must(w.Delete(w.t.Context(), fact)) },
			books.Difference{Kind: "fact", Subject: "key0", Field: "spend", Want: 10, Got: 0}, 1},
		"a fact moved": {func(w *world) { edit(w, fact, func(f *ledger.Fact) { f.Team = "other" }) },
			books.Difference{Kind: "fact", Subject: "key0", Field: "id"}, 2},
		"a fact of nothing": {func(w *world) {
			g := group
			g.Day, g.Key = "2024-02-29", "ghost"
			w.put(g.Ref(), &ledger.Fact{Named: ledger.Named{Group: g}, Sums: ledger.Sums{Spend: 4, Attempts: 1}})
		}, books.Difference{Kind: "fact", Subject: "ghost", Field: "spend", Want: 0, Got: 4}, 1},
		"a customer's sum": {func(w *world) { edit(w, customer, func(r *ledger.Rollup) { r.Spend = 1 }) },
			books.Difference{Kind: "rollup", Subject: "customer0", Field: "spend", Want: 0, Got: 1}, 1},
		"a tag's sum": {func(w *world) { edit(w, tag, func(r *ledger.Rollup) { r.Attempts++ }) },
			books.Difference{Kind: "rollup", Subject: "tag", Field: "attempts", Want: 4, Got: 5}, 1},
		"a lease's sum": {func(w *world) { edit(w, charged, func(r *ledger.Rollup) { r.Failures = 9 }) },
			books.Difference{Kind: "rollup", Subject: "lease0", Field: "failures", Want: 2, Got: 9}, 1},
		"a sum of no scope": {func(w *world) {
			p := ledger.Part{Scope: "planet", Subject: "mars", Day: "2026-11-20"}
			w.put(p.Ref(), &ledger.Rollup{Part: p})
		}, books.Difference{Kind: "rollup", Subject: "mars", Field: "id"}, 1},
		"a window's grants": {func(w *world) { edit(w, escrow.Budgets.Ref("w"), func(x *escrow.Window) { x.Alloc-- }) },
			books.Difference{Kind: "window", Subject: "key0", Field: "alloc", Want: 1827, Got: 1826}, 1},
		"a window's spend": {func(w *world) { edit(w, escrow.Budgets.Ref("w"), func(x *escrow.Window) { x.Spent++ }) },
			books.Difference{Kind: "window", Subject: "key0", Field: "spent", Want: 1759, Got: 1760}, 1},
		"a window lost": {func(w *world) { w.must(w.Delete(w.t.Context(), escrow.Budgets.Ref("w"))) },
			books.Difference{Kind: "lease", Field: "budget", Want: 1}, 3},
		"a lease lost": {func(w *world) { w.must(w.Delete(w.t.Context(), escrow.Leases.Ref(lease(closed)))) },
			books.Difference{Kind: "window", Subject: "key0", Field: "alloc", Want: 1257, Got: 1827}, 1},
		"a lease that spent more than its entries": {func(w *world) {
			edit(w, escrow.Leases.Ref(lease(live)), func(l *escrow.Lease) { l.Spent += 6 })
		}, books.Difference{Kind: "lease", Subject: "key0", Field: "spent", Want: 590, Got: 591}, 1},
		"a reaped lease with more entries than it opened": {func(w *world) {
			edit(w, escrow.Leases.Ref(lease(reaped)), func(l *escrow.Lease) { l.Opened -= 8 })
		}, books.Difference{Kind: "lease", Subject: "key0", Field: "opened", Want: 610, Got: 609}, 1},
		"a closed lease that holds something": {func(w *world) {
			edit(w, escrow.Leases.Ref(lease(closed)), func(l *escrow.Lease) { l.Granted++ })
			edit(w, escrow.Budgets.Ref("w"), func(x *escrow.Window) { x.Alloc++ })
		}, books.Difference{Kind: "lease", Subject: "key0", Field: "granted", Want: 570, Got: 571}, 1},
		"a lease that spent more than it opened": {func(w *world) {
			edit(w, escrow.Leases.Ref(lease(live)), func(l *escrow.Lease) { l.Opened = 1 })
		}, books.Difference{Kind: "lease", Subject: "key0", Field: "opened", Want: 585, Got: 1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.spoil(w)
				r := w.check()
				if r.Exact || len(r.Differences) == 0 {
					t.Fatal("the check found nothing")
				}
				first := r.Differences[0]
				got := books.Difference{Kind: first.Kind, Subject: first.Subject, Field: first.Field, Want: first.Want, Got: first.Got}
				if diff := cmp.Diff(c.want, got); diff != "" || r.Found != c.found {
					t.Errorf("%d found, want %d: %+v\n%s", r.Found, c.found, r.Differences, diff)
				}
				if first.Document == "" || first.Why == "" {
					t.Errorf("not named: %+v", first)
				}
				if c.want.Kind == "window" || c.want.Kind == "lease" {
					return
				}
				before := *r
				changes, err := books.Rebuild(t.Context(), w)
				w.must(err)
				if n := changes.Created + changes.Updated + changes.Deleted; n != c.found || changes.Skipped != 0 {
					t.Errorf("of %d differences %d were changed: %+v", c.found, n, changes)
				}
				for _, d := range w.check().Differences {
					if d.Kind != "lease" { // an entry was spoiled, and the lease is right
						t.Errorf("%+v is left of %+v", d, before.Differences)
					}
				}
				if changes, err = books.Rebuild(t.Context(), w); err != nil || len(changes.Changes) > 0 {
					t.Errorf("there is more to change: %+v, %v", changes, err)
				}
			})
		})
	}
}

func ptr[T any](v T) *T { return &v }

// Of what ended long ago documents may be gone already, in any order.
func TestPurged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.Delete(t.Context(), escrow.Leases.Ref(lease(live))))
	r, err := books.Check(t.Context(), w, start.Add(101*24*time.Hour))
	w.must(err)
	if !r.Exact || r.Windows != 0 || r.Leases != 0 {
		t.Errorf("%+v", r)
	}
	endless := newWorld(t)
	edit(endless, escrow.Budgets.Ref("w"), func(x *escrow.Window) { x.End, x.Purge = 0, 0 })
	w.must(endless.Delete(t.Context(), escrow.Leases.Ref(lease(closed))))
	if r := endless.check(); !r.Exact || r.Gone != 570 || r.Charged+r.Unknown+r.Outstanding+r.Gone != r.Allocated {
		t.Errorf("%+v", r)
	}
}

// While others book, nothing that is right is called wrong, and what is wrong is still found and set right.
func TestBesideBooking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 100; n < 2000; n += 10 {
			var group []ledger.Entry
			for i := range 10 {
				e := entry(n + i)
				e.Started, e.Leases = start.UnixMicro(), nil
				group = append(group, e)
			}
			if err := w.booker.Book(t.Context(), group); err != nil {
				t.Error(err)
			}
		}
	}()
	moving, checks := int64(0), 0
	for running := true; running; checks++ {
		select {
		case <-done:
			running = false
		default:
		}
		r := w.check()
		if moving += r.Moving; !r.Exact {
			t.Fatalf("a false alarm: %+v", r.Differences)
		}
		if checks == 2 {
			w.spoilAndRebuild()
		}
	}
	w.spoilAndRebuild()
	t.Logf("%d sums moved in %d checks", moving, checks)
}

// spoilAndRebuild makes a sum wrong and has it set right.
func (w *world) spoilAndRebuild() {
	w.t.Helper()
	wrong := entry(40)
	ref := ledger.GroupOf(&wrong).Ref()
	edit(w, ref, func(f *ledger.Fact) { f.Spend++ })
	if r := w.check(); r.Found != 1 || r.Differences[0].Document != ref.ID {
		w.t.Errorf("%+v", r.Differences)
	}
	changes, err := books.Rebuild(w.t.Context(), w)
	w.must(err)
	if changes.Updated != 1 || changes.Created+changes.Deleted+changes.Skipped != 0 {
		w.t.Errorf("%+v", changes)
	}
	if r := w.check(); !r.Exact {
		w.t.Errorf("%+v", r.Differences)
	}
}
