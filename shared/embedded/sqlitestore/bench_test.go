//go:build unix

package sqlitestore_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
)

var (
	ledger = store.Collection{Name: "ledger", Indexes: []store.Index{{"key", "started"}, {"user", "started"}, {"started"}}}
	rollup = store.Collection{Name: "rollup", Indexes: []store.Index{{"key", "day"}}}
)

// entry is about what a ledger entry is: 700 bytes of JSON.
type entry struct {
	Key        string   `json:"key"`
	User       string   `json:"user,omitempty"`
	Team       string   `json:"team"`
	Model      string   `json:"model"`
	Deployment string   `json:"deployment"`
	Outcome    string   `json:"outcome"`
	Call       string   `json:"call"`
	Text       string   `json:"text"`
	Started    int64    `json:"started"`
	Ended      int64    `json:"ended"`
	In         int64    `json:"in"`
	Out        int64    `json:"out"`
	Cached     int64    `json:"cached"`
	Cost       int64    `json:"cost"`
	Reserved   int64    `json:"reserved"`
	Tags       []string `json:"tags"`
}

var text = strings.Repeat("lorem ipsum ", 24)

func newEntry(n int64) (string, entry) {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:]), entry{
		Key: fmt.Sprintf("%064x", n%11), User: fmt.Sprint("user-", n%7), Team: "team-1", Model: "gpt-4o-mini",
		Deployment: "openai/gpt-4o-mini", Outcome: "billed_actual", Call: hex.EncodeToString(id[:]), Text: text,
		Started: 1_790_000_000_000_000 + n*1000, Ended: 1_790_000_000_000_000 + n*2000, In: 1234, Out: 567, Cached: 89,
		Cost: 123_456, Reserved: 234_567, Tags: []string{"production", "chat"},
	}
}

// BenchmarkLedger books messages of 50 entries and 5 rollups, one after another and several at a time.
func BenchmarkLedger(b *testing.B) {
	for _, callers := range []int{1, 8} {
		b.Run(fmt.Sprint(callers, "-at-once"), func(b *testing.B) {
			db := open(b, sqlitestore.Options{}, ledger, rollup)
			var n atomic.Int64
			book := func(tx store.Tx) error {
				for range 50 {
					id, e := newEntry(n.Add(1))
					if err := tx.Create(ledger.Ref(id), e); err != nil {
						return err
					}
				}
				for i := range 5 {
					base := map[string]any{"key": fmt.Sprint("key-", i), "day": 20260}
					if err := tx.Add(rollup.Ref(fmt.Sprint(i)), base, store.Deltas{"in": 1, "out": 2, "cost": 3}); err != nil {
						return err
					}
				}
				return nil
			}
			before := cpu()
			b.SetParallelism((callers + 1) / 2)
			if callers == 1 {
				for b.Loop() {
					must(b, db.Tx(b.Context(), book))
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						must(b, db.Tx(b.Context(), book))
					}
				})
			}
			b.ReportMetric(float64(cpu()-before)/float64(time.Microsecond)/float64(n.Load()), "cpu-us/doc")
		})
	}
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCreate has many callers create one document each: what a commit costs is shared by all that wait.
func BenchmarkCreate(b *testing.B) {
	db := open(b, sqlitestore.Options{}, ledger)
	var n atomic.Int64
	before := cpu()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id, e := newEntry(n.Add(1))
			_, err := db.Create(b.Context(), ledger.Ref(id), e)
			must(b, err)
		}
	})
	b.ReportMetric(float64(cpu()-before)/float64(time.Microsecond)/float64(b.N), "cpu-us/doc")
}

// BenchmarkGet reads one document.
func BenchmarkGet(b *testing.B) {
	db := open(b, sqlitestore.Options{}, ledger)
	_, e := newEntry(1)
	_, err := db.Create(b.Context(), ledger.Ref("a"), e)
	must(b, err)
	for b.Loop() {
		var got entry
		_, err := db.Get(b.Context(), ledger.Ref("a"), &got)
		must(b, err)
	}
}

// BenchmarkQueue takes messages from Publish to their acknowledgement, in batches of 50.
func BenchmarkQueue(b *testing.B) {
	const batch = 50
	q := open(b, sqlitestore.Options{}).Queue(map[queue.Topic][]queue.Subscription{queue.Work: {"sub"}})
	ms, outcomes := make([]queue.Message, batch), make([]queue.Outcome, batch)
	for i := range ms {
		ms[i] = queue.Message{Data: []byte(text), Attributes: map[string]string{"kind": "work"}}
	}
	before := cpu()
	for b.Loop() {
		must(b, q.Publish(b.Context(), queue.Work, ms...))
		leased, err := q.Lease(b.Context(), "sub", batch, time.Minute)
		must(b, err)
		for i, m := range leased {
			outcomes[i] = queue.Outcome{Subscription: "sub", ID: m.ID, Token: m.Token, Ack: true}
		}
		must(b, q.Settle(b.Context(), outcomes...))
	}
	b.ReportMetric(float64(cpu()-before)/float64(time.Microsecond)/float64(b.N*batch), "cpu-us/message")
}
