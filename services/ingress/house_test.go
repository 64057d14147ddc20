package ingress_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-gateway/sluice/services/ingress"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/queue/memqueue"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
	"github.com/sluice-gateway/sluice/shared/upstream"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

const master = "sk-master-key-of-tests"

// house is an ingress on memory drivers before a fake provider.
type house struct {
	t        *testing.T
	url      string
	vendor   string // the fake provider's
	store    *counting
	provider *fakeprovider.Provider
	log      *bytes.Buffer
}

// counting counts what the ingress asks of the store.
type counting struct {
	store.Store
	calls atomic.Int64
}

func (c *counting) Get(ctx context.Context, ref store.Ref, into any) (store.Version, error) {
	c.calls.Add(1)
	return c.Store.Get(ctx, ref, into)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	provider := fakeprovider.New(fakeprovider.WithCanaries(master))
	vendor := httptest.NewServer(provider)
	t.Cleanup(vendor.Close)
	h := &house{t: t, vendor: vendor.URL, store: &counting{Store: memstore.New()}, provider: provider, log: new(bytes.Buffer)}
	log := slog.New(slog.NewJSONHandler(&syncWriter{w: h.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	books := &ledger.Booker{Store: h.store.Store, Now: time.Now, Events: &event.Sender{Store: h.store.Store, Now: time.Now}}
	router := new(routing.Router)
	credential := routing.Credential{Kind: routing.Bearer, Value: fakeprovider.DefaultKey}
	router.Use(routing.NewTable([]routing.Deployment{
		{Model: "*", Provider: "openai", VendorModel: "*", BaseURL: vendor.URL + "/v1", Credential: credential, Hidden: true},
		{Model: "public-name", Provider: "openai", VendorModel: "gpt-4o-mini", BaseURL: vendor.URL + "/v1", Credential: credential},
		{Model: "nowhere", Provider: "openai", VendorModel: "x", BaseURL: "http://127.0.0.1:1/v1", Credential: credential},
		{Model: "metadata", Provider: "openai", VendorModel: "x", BaseURL: "http://169.254.169.254/v1", Credential: credential},
		{Model: "backed-up", Provider: "openai", VendorModel: "fault-500", BaseURL: vendor.URL + "/v1", Credential: credential},
		{Model: "backed-up", Provider: "openai", VendorModel: "gpt-4o", BaseURL: vendor.URL + "/v1", Credential: credential},
		{Model: "wrong-key", Provider: "openai", VendorModel: "x", BaseURL: vendor.URL + "/v1",
			Credential: routing.Credential{Kind: routing.Bearer, Value: "sk-canary-of-the-owner"}},
		{Model: "echo", Provider: "echo", VendorModel: "echo", BaseURL: "http://echo.invalid/v1"},
	}))
	calls := upstream.New(nil, time.Now, log)
	calls.Timers = upstream.Timers{Header: 2 * time.Second, Idle: time.Second}
	keys := auth.New(h.store, master, time.Now, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = keys.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	money := budget.New(budget.Config{
		Store: h.store.Store, Holder: uuid.NewString(), Events: &event.Sender{Store: h.store.Store, Now: time.Now}, Now: time.Now, Log: log,
	})
	server := ingress.New(ingress.Config{
		Engine: engine.Engine{Store: h.store, Queue: memqueue.New(nil), Bucket: memblob.New()}, Auth: keys, Router: router, Upstream: calls,
		Ledger: ledger.NewRecorder(books, ledger.OnDisk), Budgets: money, Now: time.Now, Log: log,
	})
	server.MaxBody = 1 << 20
	front := httptest.NewServer(server.Handler())
	t.Cleanup(front.Close)
	h.url = front.URL
	return h
}

// in is the house for a subtest.
func (h *house) in(t *testing.T) *house { sub := *h; sub.t = t; return &sub }

// at is the house as if it were served elsewhere.
func (h *house) at(url string) *house { other := *h; other.url = url; return &other }

// arrived waits until the provider has got a request for the model.
func (h *house) arrived(model string) {
	for h.t.Context().Err() == nil {
		for _, seen := range h.provider.Seen() {
			if bytes.Contains(seen.Body, []byte(model)) {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// do sends a request; the answer's body has been read.
func (h *house) do(method, path, key, body string, header ...string) (*http.Response, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer, string(text)
}

func (h *house) key(fields string) string {
	h.t.Helper()
	answer, text := h.do("POST", "/key/generate", master, fields)
	var row struct{ Key string }
	if err := json.Unmarshal([]byte(text), &row); err != nil || answer.StatusCode != 200 || row.Key == "" {
		h.t.Fatalf("generate: %d %s", answer.StatusCode, text)
	}
	return row.Key
}

// entries waits until the ledger has n entries of the key, and returns them, the newest first.
func (h *house) entries(key string, n int) []ledger.Entry {
	h.t.Helper()
	var entries []ledger.Entry
	for deadline := time.Now().Add(10 * time.Second); ; {
		entries = nil
		for e, err := range ledger.Select(h.t.Context(), h.store, ledger.Filter{Key: auth.Hash(gateway.Secret(key))}) {
			if err != nil {
				h.t.Fatal(err)
			}
			entries = append(entries, e)
		}
		if len(entries) >= n || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if len(entries) != n {
		h.t.Fatalf("the ledger has %d entries, want %d: %+v", len(entries), n, entries)
	}
	return entries
}

// bill is the provider's line for an attempt.
func (h *house) bill(attempt string) fakeprovider.Line {
	h.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, line := range h.provider.Bill() {
			if line.RequestID == attempt {
				return line
			}
		}
	}
	h.t.Fatalf("the provider has no line for %s: %+v", attempt, h.provider.Bill())
	return fakeprovider.Line{}
}

// priced is what the price book makes of a line of the provider's bill.
func priced(t *testing.T, line fakeprovider.Line) gateway.NanoUSD {
	t.Helper()
	price, ok := pricing.Default().Lookup("openai", line.Model)
	if !ok {
		t.Fatalf("no price for %s", line.Model)
	}
	return price.Cost(gateway.Usage{
		InputTokens: line.PromptTokens, CachedTokens: line.CachedTokens, OutputTokens: line.CompletionTokens,
	}, pricing.Options{})
}
