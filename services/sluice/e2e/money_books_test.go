package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// reconciled is what GET /spend/reconcile says: all amounts in nano-dollars.
type reconciled struct {
	Exact       bool
	Entries     int64
	Windows     int64
	Leases      int64
	Ledger      gateway.NanoUSD   `json:"ledger_nano_usd"`
	Allocated   gateway.NanoUSD   `json:"allocated_nano_usd"`
	Charged     gateway.NanoUSD   `json:"charged_nano_usd"`
	Unknown     gateway.NanoUSD   `json:"unknown_nano_usd"`
	Outstanding gateway.NanoUSD   `json:"outstanding_nano_usd"`
	Gone        gateway.NanoUSD   `json:"gone_nano_usd"`
	Found       int64             `json:"found"`
	Differences []json.RawMessage `json:"differences"`
}

// reconcile waits until the books are exact: what was told to the queue may still be on its way.
func (g *sluice) reconcile(t testing.TB) (r reconciled) {
	t.Helper()
	eventually(t, bookLimit, "exact books", func() error {
		var err error
		if r, err = ask[reconciled](t, g, "/spend/reconcile"); err != nil {
			return err
		}
		if !r.Exact {
			return fmt.Errorf("%d differences, first %s", r.Found, bytes.Join(first(r.Differences, 3), []byte("\n")))
		}
		return nil
	})
	if sum := r.Charged + r.Unknown + r.Outstanding + r.Gone; sum != r.Allocated {
		t.Errorf("the books say that they are exact, but the parts add up to %s: %+v", sum, r)
	}
	return r
}

func first(all []json.RawMessage, n int) (some [][]byte) {
	for _, one := range all[:min(n, len(all))] {
		some = append(some, one)
	}
	return some
}

// keyID is how the store calls a key.
func keyID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// document is a document of the Firestore emulator, with its whole numbers.
type document map[string]int64

// documents reads the documents of a collection whose field is value, past the gateway, as of a moment that it told before; "" is now.
func (g *sluice) documents(t testing.TB, at, collection, field, value string) (docs map[string]document, read string) {
	t.Helper()
	query := map[string]any{"structuredQuery": map[string]any{
		"from": []any{map[string]string{"collectionId": collection}},
		"where": map[string]any{"fieldFilter": map[string]any{
			"field": map[string]string{"fieldPath": field}, "op": "EQUAL", "value": map[string]string{"stringValue": value},
		}},
	}}
	if at != "" {
		query["readTime"] = at
	}
	var found []struct {
		ReadTime string
		Document *struct {
			Name   string
			Fields map[string]struct{ IntegerValue *string }
		}
	}
	if err := g.runQuery(t.Context(), query, &found); err != nil {
		t.Fatalf("query %s: %v", collection, err)
	}
	docs = map[string]document{}
	for _, f := range found {
		read = f.ReadTime
		if f.Document == nil {
			continue
		}
		d := document{}
		for name, v := range f.Document.Fields {
			if v.IntegerValue != nil {
				d[name], _ = strconv.ParseInt(*v.IntegerValue, 10, 64)
			}
		}
		docs[f.Document.Name[strings.LastIndexByte(f.Document.Name, '/')+1:]] = d
	}
	return docs, read
}

func (g *sluice) runQuery(ctx context.Context, query, into any) error {
	body, err := json.Marshal(query)
	if err != nil {
		return err
	}
	url := "http://" + os.Getenv("FIRESTORE_EMULATOR_HOST") + "/v1/projects/" + g.project + "/databases/(default)/documents:runQuery"
	a, err := send(ctx, http.MethodPost, url, owner, "application/json", body)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("status %d: %.500s", a.status, a.body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(a.body, into)
}

// escrowed is what the documents of a key's budget say: what processes have taken the right to spend without asking again,
// and how often they have written.
type escrowed struct {
	alloc, granted, opened, spent gateway.NanoUSD
	leases                        int
	writes                        int64 // commits: of a lease by its holder, maybe with the window, or of the window alone
}

// escrow reads the budget of a key that has one window.
func (g *sluice) escrow(t testing.TB, key string) (e escrowed) {
	t.Helper()
	windows, read := g.documents(t, "", "budgets", "subject", keyID(key))
	if len(windows) != 1 {
		t.Fatalf("the key has %d budget windows, want 1", len(windows))
	}
	for id, w := range windows {
		e.alloc, e.writes = gateway.NanoUSD(w["alloc"]), w["asked"]
		leases, _ := g.documents(t, read, "leases", "budget", id) // of the same moment: processes give back what they do not need
		for _, l := range leases {
			e.leases++
			e.granted += gateway.NanoUSD(l["granted"])
			e.opened += gateway.NanoUSD(l["opened"])
			e.spent += gateway.NanoUSD(l["spent"])
			e.writes += l["writes"]
		}
	}
	if e.alloc != e.granted {
		t.Errorf("the window has allocated %s, its leases are granted %s", e.alloc, e.granted)
	}
	return e
}

// checkLedger wants an entry with the right cost for every call of a key that ended well in a process which lives on, and at
// most so many lines of the bill without an entry.
func (f *fleet) checkLedger(t *testing.T, p tariff, key string, lines []fakeprovider.Line, results []result, lost int) {
	t.Helper()
	var entries map[string]entry
	whole := map[string]bool{}
	for _, r := range results {
		whole[r.id] = r.good() && f.alive(r)
	}
	eventually(t, bookLimit, "the ledger explains the bill", func() error {
		entries = map[string]entry{}
		all, err := ask[[]entry](t, f.sluice, "/spend/logs?api_key="+keyID(key))
		if err != nil {
			return err
		}
		for _, e := range all {
			entries[e.ID] = e
		}
		missing, absent := 0, 0
		for _, l := range lines {
			if _, found := entries[l.RequestID]; !found && whole[l.RequestID] {
				missing++
			} else if !found {
				absent++
			}
		}
		if missing > 0 || absent > lost {
			return fmt.Errorf("of %d lines, %d that ended well are missing and %d others, want at most %d", len(lines), missing, absent, lost)
		}
		return nil
	})
	var sum gateway.NanoUSD
	for _, l := range lines {
		e, found := entries[l.RequestID]
		sum = sum.Plus(e.costOr0(t, found))
		if found && e.Outcome == gateway.BilledActual && e.cost(t) != p.cost(l) {
			t.Errorf("entry %s costs %s, the provider's line %s: %+v", e.ID, e.Spend, p.cost(l), l)
		}
	}
	eventually(t, bookLimit, "the key's spend", func() error {
		if got := f.spent(t, key); got != sum {
			return fmt.Errorf("/key/info says %s, the key's entries add up to %s", got, sum)
		}
		return nil
	})
}

func (e entry) costOr0(t testing.TB, found bool) gateway.NanoUSD {
	if !found {
		return 0
	}
	return e.cost(t)
}
