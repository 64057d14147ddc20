package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

const (
	callers   = 8   // that stream at the same time
	untilDown = 300 // requests to the provider before the process goes down
)

// The process that answers callers goes down under load. Killed, it may leave unexplained no more than what was in flight,
// and nothing of a stream that ended in [DONE]. Asked to end, it leaves nothing unexplained at all.
func TestFrontGoesDown(t *testing.T) {
	for name, down := range map[string]struct {
		end  func(t *testing.T, p *process)
		lost int // lines of the bill without ledger entry, at most
	}{
		"killed":  {func(_ *testing.T, p *process) { p.kill() }, callers},
		"stopped": {func(t *testing.T, p *process) { p.stop(t) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onBothEngines(t, func(t *testing.T, g *sluice) {
				key := g.newKey(t, nil)
				done := streamUntilDown(t, g, key, down.end)
				g.restartFront(t)
				entries := map[string]entry{}
				eventually(t, bookLimit, "the ledger has every whole stream", func() error {
					for _, e := range g.ledger(t, masterKey) {
						entries[e.ID] = e
					}
					for _, id := range done {
						if _, found := entries[id]; !found {
							return fmt.Errorf("a stream that ended well (%s) is not in the ledger", id)
						}
					}
					if n := without(g.provider.Bill(), entries); n > down.lost {
						return fmt.Errorf("%d lines of the bill are not in the ledger, want at most %d", n, down.lost)
					}
					return nil
				})
				for _, id := range done {
					if entries[id].Outcome != gateway.BilledActual {
						t.Errorf("a stream that ended well is in the ledger as %+v", entries[id])
					}
				}
				t.Logf("%d whole streams, %d lines on the bill, %d of them not in the ledger", len(done), len(g.provider.Bill()),
					without(g.provider.Bill(), entries))
				checkEntries(t, g, entries)
			})
		})
	}
}

// streamUntilDown lets callers stream, ends the process under their hands, and returns the ids of the streams that had ended
// well by then.
func streamUntilDown(t *testing.T, g *sluice, key string, end func(*testing.T, *process)) (done []string) {
	t.Helper()
	request := chatBody("fake-slow-1ms", "a stream of some words that come one by one")
	request["stream"] = true
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				a, err := send(ctx, http.MethodPost, g.url+"/v1/chat/completions", key, "application/json", body)
				if err != nil || a.status != http.StatusOK {
					return
				}
				if bytes.HasSuffix(a.body, []byte("data: [DONE]\n\n")) {
					mu.Lock()
					done = append(done, a.header.Get("X-Request-Id"))
					mu.Unlock()
				}
			}
		})
	}
	g.provider.AwaitBill(ctx, untilDown)
	end(t, g.front)
	all.Wait()
	if len(done) < untilDown/2 {
		t.Errorf("only %d streams ended well before the process went down", len(done))
	}
	return done
}

// without counts the lines of the bill that cost money and have no entry.
func without(bill []fakeprovider.Line, entries map[string]entry) (n int) {
	for _, l := range bill {
		if _, found := entries[l.RequestID]; !found && l.Outcome != fakeprovider.Rejected {
			n++
		}
	}
	return n
}

func checkEntries(t *testing.T, g *sluice, entries map[string]entry) {
	t.Helper()
	bill := map[string]fakeprovider.Line{}
	for _, l := range g.provider.Bill() {
		bill[l.RequestID] = l
	}
	for _, e := range entries {
		g.checkEntry(t, e, bill)
	}
}
