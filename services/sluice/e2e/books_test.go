package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// bookLimit is how long booking may take after the last answer.
var bookLimit = sized(5*time.Minute, time.Minute)

// entry is a row of /spend/logs.
type entry struct {
	ID               string          `json:"request_id"`
	Key              string          `json:"api_key"`
	Spend            json.Number     `json:"spend"`
	PromptTokens     int64           `json:"prompt_tokens"`
	CompletionTokens int64           `json:"completion_tokens"`
	Model            string          `json:"model"`
	Outcome          gateway.Outcome `json:"outcome"`
	Usage            gateway.Usage   `json:"usage"`
	Batch            string          `json:"batch_id"`
	CustomID         string          `json:"custom_id"`
}

func (e entry) cost(t testing.TB) gateway.NanoUSD { t.Helper(); return usd(t, e.Spend) }

// usd reads an amount exactly.
func usd(t testing.TB, n json.Number) gateway.NanoUSD {
	t.Helper()
	amount, err := gateway.ParseUSD(n.String())
	if err != nil {
		t.Fatalf("amount %q: %v", n, err)
	}
	return amount
}

// ledger reads all entries, of the key or of everybody.
func (g *sluice) ledger(t testing.TB, key string) []entry {
	t.Helper()
	return must[[]entry](t, g, key, http.MethodGet, "/spend/logs", nil)
}

// spent is what /key/info says that a key has spent.
func (g *sluice) spent(t testing.TB, keyOrHash string) gateway.NanoUSD {
	t.Helper()
	info := must[struct {
		Info struct{ Spend json.Number }
	}](t, g, masterKey, http.MethodGet, "/key/info?key="+url.QueryEscape(keyOrHash), nil)
	return usd(t, info.Info.Spend)
}

// price is what the price book says of a model of the provider's: see allModels.
func price(t testing.TB, model string, u gateway.Usage) gateway.NanoUSD {
	t.Helper()
	p, ok := pricing.Default().Lookup("openai", model)
	if !ok {
		p, ok = pricing.Default().Lookup("openai", otherModel)
	}
	if !ok {
		t.Fatalf("the price book does not know %s", otherModel)
	}
	return p.Cost(u, pricing.Options{})
}

// expected is what a line of the provider's bill costs.
func expected(t testing.TB, l fakeprovider.Line) gateway.NanoUSD {
	t.Helper()
	return price(t, l.Model, gateway.Usage{
		InputTokens: l.PromptTokens, CachedTokens: l.CachedTokens, OutputTokens: l.CompletionTokens, ReasoningTokens: l.ReasoningTokens,
	})
}

// checkBooks compares the ledger with the provider's bill, line by line and both ways, and each key's spend with its
// entries. It waits for what is still to be booked. Money that nobody can know is allowed only under its name: an entry of
// unknown outcome for the very attempt, or for the line's attempts that died with a worker.
func (g *sluice) checkBooks(t testing.TB) []entry {
	t.Helper()
	var entries []entry
	eventually(t, bookLimit, "the ledger explains the bill", func() error {
		entries = g.ledger(t, masterKey)
		return unexplained(g.provider.Bill(), entries)
	})
	bill := map[string]fakeprovider.Line{}
	for _, l := range g.provider.Bill() {
		if _, twice := bill[l.RequestID]; twice {
			t.Errorf("two requests to the provider have the id %s", l.RequestID)
		}
		bill[l.RequestID] = l
	}
	seen := map[string]bool{}
	sums := map[string]gateway.NanoUSD{}
	for _, e := range entries {
		if seen[e.ID] {
			t.Errorf("two ledger entries have the id %s", e.ID)
		}
		seen[e.ID] = true
		sums[e.Key] = sums[e.Key].Plus(e.cost(t))
		g.checkEntry(t, e, bill)
	}
	for key, sum := range sums {
		eventually(t, bookLimit, "spend of key "+key[:8], func() error {
			if got := g.spent(t, key); got != sum {
				return fmt.Errorf("/key/info says %s, its ledger entries add up to %s", got, sum)
			}
			return nil
		})
	}
	return entries
}

// checkEntry compares one entry with the bill's line of the same id.
func (g *sluice) checkEntry(t testing.TB, e entry, bill map[string]fakeprovider.Line) {
	t.Helper()
	l, billed := bill[e.ID]
	switch e.Outcome {
	case gateway.BilledActual:
		if !billed || l.Outcome != fakeprovider.Billed {
			t.Errorf("entry %s is billed, the provider's line is %+v", e.ID, l)
		}
		if e.PromptTokens != l.PromptTokens || e.CompletionTokens != l.CompletionTokens || e.cost(t) != expected(t, l) {
			t.Errorf("entry %s: %d and %d tokens, %s; the provider's line %+v costs %s",
				e.ID, e.PromptTokens, e.CompletionTokens, e.Spend, l, expected(t, l))
		}
	case gateway.Rejected, gateway.NotSent:
		if e.cost(t) != 0 || billed && l.Outcome != fakeprovider.Rejected {
			t.Errorf("entry %s is %s and costs %s, the provider's line is %+v", e.ID, e.Outcome, e.Spend, l)
		}
	case gateway.BilledPartial, gateway.Unknown: // priced by what is known, and named
		if e.Batch == "" && !billed {
			t.Errorf("entry %s is %s, and the provider has no line for it", e.ID, e.Outcome)
		}
	default:
		t.Errorf("entry %s has the outcome %q", e.ID, e.Outcome)
	}
}

// unexplained names the lines of the bill that cost money and that no entry explains.
func unexplained(bill []fakeprovider.Line, entries []entry) error {
	known := map[string]gateway.Outcome{}
	for _, e := range entries {
		known[e.ID] = e.Outcome
	}
	var errs []error
	for _, l := range bill {
		if l.Outcome == fakeprovider.Rejected {
			continue
		}
		switch outcome, found := known[l.RequestID]; {
		case found && (outcome == gateway.Rejected || outcome == gateway.NotSent):
			errs = append(errs, fmt.Errorf("line %d of the bill (%s) is in the ledger as %s", l.Seq, l.RequestID, outcome))
		case !found && known[lostTry(l.RequestID)] != gateway.Unknown:
			errs = append(errs, fmt.Errorf("line %d of the bill (%s, %s) is not in the ledger", l.Seq, l.RequestID, l.Outcome))
		}
	}
	if len(errs) > 5 {
		errs = append(errs[:5], fmt.Errorf("and %d more", len(errs)-5))
	}
	return errors.Join(errs...)
}

// lostTry is the id of the entry that stands for whatever an attempt at a batch's line did before its worker died: the id
// of a try, which ends in "-TRY" or "-TRY.RETRY", with 0 for the try.
func lostTry(id string) string {
	at := strings.LastIndexByte(id, '-')
	return id[:at+1] + "0"
}
