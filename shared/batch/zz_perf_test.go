package batch_test

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/embedded"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/embedded/sqlitestore"
	"github.com/sluice-gateway/sluice/shared/engine"
)

func rss() string {
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(l, "VmRSS") || strings.HasPrefix(l, "VmHWM") {
			fmt.Println(l)
		}
	}
	return ""
}

func TestPerf(t *testing.T) {
	l, err := embedded.Open(t.Context(), t.TempDir(), slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t, func(d *batch.Deps) {
		d.Store, d.Blobs = l.Store, l.Bucket
	})
	q := l.Queue.(*sqlitestore.Queue)
	w.deps.Queue = l.Queue
	w.batches, w.engine = batch.NewBatches(w.deps), w.newEngine(w.deps)
	n := 10000
	text := input(n)
	f := w.upload(text)
	runtime.GC()
	rss()
	start := time.Now()
	b := w.create(f.ID)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				ms, err := q.Lease(t.Context(), engine.WorkPush, 1, time.Minute*10)
				if err != nil {
					t.Error(err)
					return
				}
				if len(ms) == 0 {
					time.Sleep(5 * time.Millisecond)
				}
				for _, m := range ms {
					if err := w.engine.Handle(t.Context(), m.Message); err != nil {
						t.Error(err)
					}
					q.Settle(t.Context(), queue.Outcome{Subscription: engine.WorkPush, ID: m.ID, Token: m.Token, Ack: true})
				}
			}
		})
	}
	for isOpen(w.get(b.ID).Status) {
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("took", time.Since(start), w.get(b.ID).RequestCounts)
	close(stop)
	wg.Wait()
	rss()
}
