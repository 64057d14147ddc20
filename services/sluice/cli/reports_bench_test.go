//go:build unix

package cli_test

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/engine"
	outbox "github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue/memqueue"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

const benchMaster = "sk-master-of-the-benchmark"

// BenchmarkReports asks for reports over 30 days of a ledger in which each of 200 keys, in 20 teams, calls each of 10 models every day.
// SLUICE_BENCH_ENTRIES says how many entries (a million takes about three minutes to book; default 100000), SLUICE_BENCH_DIR
// where to keep the file for the next run.
func BenchmarkReports(b *testing.B) {
	server := reportServer(b)
	const month = "start_date=2026-11-01&end_date=2026-11-30"
	for _, c := range []struct{ name, path string }{
		{"team", "/global/spend/report?group_by=team&" + month},
		{"key", "/global/spend/report?group_by=api_key&" + month},
		{"activity", "/global/activity?" + month},
		{"models", "/global/spend/models?" + month},
		{"week", "/user/daily/activity?page_size=7&" + month},
		{"summary", "/spend/logs?summarize=true&" + month},
		{"total", "/global/spend"},
		{"page", "/spend/logs/v2?page=100&team_id=team-3"},
		{"reconcile", "/spend/reconcile"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var most uint64
			var size int64
			cpu := time.Duration(0)
			for b.Loop() {
				peak := heapPeak()
				before := cpuTime()
				size = fetch(b, server.URL+c.path)
				cpu += cpuTime() - before
				most = max(most, peak())
			}
			b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "ms-cpu/op")
			b.ReportMetric(float64(most)/(1<<20), "MiB-peak")
			b.ReportMetric(float64(size)/(1<<10), "KiB-answer")
		})
	}
}

func fetch(b *testing.B, url string) int64 {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+benchMaster)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d, %v", url, answer.StatusCode, err)
	}
	return n
}

// cpuTime is what the process has used: on a machine that others use it tells more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heapPeak begins to watch the heap; the result ends that and tells how far it grew.
func heapPeak() func() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(10 * time.Millisecond); ; {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			case <-done:
				tick.Stop()
				return
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-ended
		return most - before
	}
}

func reportServer(b *testing.B) *httptest.Server {
	b.Helper()
	entries, dir := 100_000, os.Getenv("SLUICE_BENCH_DIR")
	if n, err := strconv.Atoi(os.Getenv("SLUICE_BENCH_ENTRIES")); err == nil {
		entries = n
	}
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, fmt.Sprintf("reports-%d.db", entries))
	_, err := os.Stat(path)
	db, failed := sqlitestore.Open(b.Context(), path, engine.Collections()...)
	if failed != nil {
		b.Fatal(failed)
	}
	b.Cleanup(func() { _ = db.Close() })
	if os.IsNotExist(err) {
		bookMonth(b, db, entries)
	}
	log := slog.New(slog.DiscardHandler)
	server := ingress.New(ingress.Config{
		Engine: engine.Engine{Store: db, Queue: memqueue.New(nil), Bucket: memblob.New()}, Auth: auth.New(db, benchMaster, time.Now, log),
		Router: new(routing.Router), Upstream: upstream.New(nil, time.Now, log), Now: time.Now, Log: log,
	})
	front := httptest.NewServer(server.Handler())
	b.Cleanup(front.Close)
	return front
}

func bookMonth(b *testing.B, db *sqlitestore.DB, entries int) {
	b.Helper()
	booker := &ledger.Booker{Store: db, Now: time.Now, Events: &outbox.Sender{Store: db, Now: time.Now}}
	random := rand.New(rand.NewPCG(1, 2))
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	step := (30 * 24 * time.Hour).Microseconds() / int64(entries)
	group := make([]ledger.Entry, 0, ledger.MaxBooking)
	began := time.Now()
	for n := range entries {
		key := random.IntN(200)
		group = append(group, ledger.Entry{
			ID: fmt.Sprintf("%x-%08x", n%16, n/16), CallID: fmt.Sprint("call-", n), Key: fmt.Sprintf("%064x", key), KeyAlias: fmt.Sprint("key-", key),
			User: fmt.Sprint("user-", key%50), Team: fmt.Sprint("team-", key%20), Op: gateway.OpChat, Model: fmt.Sprint("model-", random.IntN(10)),
			Provider: "openai", Vendor: "gpt-4o", Outcome: gateway.BilledActual, Priced: true,
			Usage: gateway.Usage{InputTokens: 1000, OutputTokens: int64(random.IntN(1000)), Source: gateway.UsageReported},
			Cost:  gateway.NanoUSD(random.IntN(10_000_000)), Started: first + int64(n)*step, Ended: first + int64(n)*step + 900,
		})
		if len(group) == ledger.MaxBooking || n == entries-1 {
			if err := booker.Book(b.Context(), group); err != nil {
				b.Fatal(err)
			}
			group = group[:0]
		}
	}
	b.Logf("%d entries booked in %v", entries, time.Since(began))
}
