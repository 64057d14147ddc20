package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/blob/memblob"
	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/queue"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/store/memstore"
)

const chatURL = "/v1/chat/completions"

var (
	alice = gateway.Principal{KeyHash: "key-alice", UserID: "alice"}
	bob   = gateway.Principal{KeyHash: "key-bob", UserID: "bob"}
	admin = gateway.Principal{KeyHash: "key-master", Admin: true}
)

// world is everything a batch needs, in memory.
type world struct {
	t       *testing.T
	deps    batch.Deps
	store   store.Store
	blobs   blob.Bucket
	mail    *mailbox
	vendor  *provider
	keys    *keyring
	files   *batch.Files
	batches *batch.Batches
	engine  *batch.Engine
}

// newWorld makes a world; change may put other drivers or settings into its dependencies.
func newWorld(t *testing.T, change func(*batch.Deps)) *world {
	t.Helper()
	w := &world{t: t, mail: &mailbox{}, vendor: newProvider(), keys: &keyring{}}
	w.deps = batch.Deps{
		Store: memstore.New(), Blobs: memblob.New(), Queue: w.mail, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&w.deps)
	}
	w.store, w.blobs = w.deps.Store, w.deps.Blobs
	w.deps.Events = &event.Sender{Store: w.store, Queue: w.mail, Now: time.Now}
	w.files, w.batches, w.engine = batch.NewFiles(w.deps), batch.NewBatches(w.deps), w.newEngine(w.deps)
	return w
}

func (w *world) newEngine(d batch.Deps) *batch.Engine {
	return batch.NewEngine(d, w.vendor, w.keys, models{})
}

func (w *world) upload(content string) batch.File {
	w.t.Helper()
	f, err := w.files.Upload(w.t.Context(), alice, "input.jsonl", "batch", 0, strings.NewReader(content))
	if err != nil {
		w.t.Fatalf("upload: %v", err)
	}
	return f
}

func (w *world) create(fileID string) batch.Batch {
	w.t.Helper()
	b, err := w.batches.Create(w.t.Context(), alice, batch.Order{InputFileID: fileID, Endpoint: chatURL, CompletionWindow: "24h"})
	if err != nil {
		w.t.Fatalf("create: %v", err)
	}
	return b
}

func (w *world) get(id string) batch.Batch {
	w.t.Helper()
	b, err := w.batches.Get(w.t.Context(), alice, id)
	if err != nil {
		w.t.Fatalf("get: %v", err)
	}
	return b
}

// deliver hands messages to the engine, one after the other, until none is left.
func (w *world) deliver() {
	w.t.Helper()
	for m, ok := w.mail.take(); ok; m, ok = w.mail.take() {
		if err := w.engine.Handle(w.t.Context(), m); err != nil {
			w.t.Fatalf("handle %v %s: %v", m.Attributes, m.Data, err)
		}
	}
}

// run takes a file through a batch to its end.
func (w *world) run(content string) batch.Batch {
	w.t.Helper()
	b := w.create(w.upload(content).ID)
	w.deliver()
	return w.get(b.ID)
}

func (w *world) content(id *string) string {
	w.t.Helper()
	if id == nil {
		return ""
	}
	_, r, err := w.files.Content(w.t.Context(), alice, *id)
	if err != nil {
		w.t.Fatalf("content: %v", err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatalf("read content: %v", err)
	}
	return string(text)
}

func (w *world) output(id *string) []outLine {
	w.t.Helper()
	return decodeLines(w.t, w.content(id))
}

// outLine is a line of a result file.
type outLine struct {
	ID       string `json:"id"`
	CustomID string `json:"custom_id"`
	Response *struct {
		Status    int             `json:"status_code"`
		RequestID string          `json:"request_id"`
		Body      json.RawMessage `json:"body"`
	} `json:"response"`
	Error *struct{ Code, Message string } `json:"error"`
}

func decodeLines(t *testing.T, text string) (lines []outLine) {
	t.Helper()
	for text := range strings.Lines(text) {
		var l outLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("result line %q: %v", text, err)
		}
		lines = append(lines, l)
	}
	return lines
}

func customIDs(lines []outLine) (ids []string) {
	for _, l := range lines {
		ids = append(ids, l.CustomID)
	}
	return ids
}

// entries are all in the ledger, by id.
func (w *world) entries() map[string]ledger.Entry {
	w.t.Helper()
	all := map[string]ledger.Entry{}
	for doc, err := range w.store.Query(w.t.Context(), store.Query{Collection: ledger.Entries}) {
		var e ledger.Entry
		if err == nil {
			err = doc.Decode(&e)
		}
		if err != nil {
			w.t.Fatalf("ledger: %v", err)
		}
		all[e.ID] = e
	}
	return all
}

// input is a file of n good lines, r-0 and so on, whose model is what their custom id says.
func input(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintln(&b, good(fmt.Sprintf("r-%d", i)))
	}
	return b.String()
}

func good(customID string) string {
	return fmt.Sprintf(`{"custom_id":%q,"method":"POST","url":%q,"body":{"model":"m","messages":[]}}`, customID, chatURL)
}

// mailbox is a queue whose work messages the test hands out.
type mailbox struct {
	mu     sync.Mutex
	work   []queue.Message
	events []queue.Message
}

func (m *mailbox) Publish(_ context.Context, topic queue.Topic, ms ...queue.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch topic {
	case queue.Work:
		m.work = append(m.work, ms...)
	case queue.Events:
		m.events = append(m.events, ms...)
	}
	return nil
}

func (m *mailbox) take() (queue.Message, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.work) == 0 {
		return queue.Message{}, false
	}
	first := m.work[0]
	m.work = m.work[1:]
	return first, true
}

func (m *mailbox) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.work)
}

// told counts the events of each type, once for each id.
func (m *mailbox) told() map[event.Type]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, n := map[string]bool{}, map[event.Type]int{}
	for _, e := range m.events {
		if id := e.Attributes["ce-id"]; !seen[id] {
			seen[id] = true
			n[event.Type(e.Attributes["ce-type"])]++
		}
	}
	return n
}

// provider answers calls and keeps its own bill. What it does is asked of answer, by custom id; the default is 200.
type provider struct {
	prices // free, if nil
	mu     sync.Mutex
	bill   map[string]batch.Call // by call id
	tries  map[string]int        // by custom id
	answer func(ctx context.Context, c batch.Call, try int) batch.Reply
}

func newProvider() *provider {
	return &provider{bill: map[string]batch.Call{}, tries: map[string]int{}}
}

func (p *provider) Call(ctx context.Context, c batch.Call) batch.Reply {
	p.mu.Lock()
	if _, twice := p.bill[c.ID]; twice {
		panic("call id used twice: " + c.ID)
	}
	p.bill[c.ID] = c
	p.tries[c.CustomID]++
	try, answer := p.tries[c.CustomID], p.answer
	p.mu.Unlock()
	if p.prices != nil {
		p.begin(c)
	}
	reply := batch.Reply{Status: 200, Body: fmt.Appendf(nil, "{\n\"echo\": %q}", c.CustomID)}
	if answer != nil {
		reply = answer(ctx, c, try)
	}
	reply.RequestID = "req-" + c.CustomID
	if reply.Entries == nil {
		reply.Entries = []ledger.Entry{billed(c, reply.Status)}
	}
	if p.prices != nil {
		p.end(c, reply.Entries)
	}
	return reply
}

// prices are what a provider asks for, and what it has asked for so far.
type prices interface {
	Quote(ctx context.Context, c batch.Call) batch.Quote
	Refuse(ctx context.Context, c batch.Call, short *escrow.Short) batch.Reply
	begin(c batch.Call)
	end(c batch.Call, entries []ledger.Entry)
}

func (p *provider) Quote(ctx context.Context, c batch.Call) batch.Quote {
	if p.prices == nil {
		return batch.Quote{}
	}
	return p.prices.Quote(ctx, c)
}

func (p *provider) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.bill)
}

func billed(c batch.Call, status int) ledger.Entry {
	e := ledger.Entry{
		ID: "att-" + c.ID, CallID: c.ID, Key: c.Principal.KeyHash, User: c.Principal.UserID, Op: c.Op, Model: "m", Provider: "fake",
		Status: status, Outcome: gateway.Rejected, Started: time.Now().UnixMicro(), Ended: time.Now().UnixMicro(),
	}
	if status == 200 {
		e.Outcome, e.Cost, e.Usage = gateway.BilledActual, 7, gateway.Usage{InputTokens: 3, OutputTokens: 2}
	}
	return e
}

// keyring knows every key until it is revoked or away.
type keyring struct {
	mu      sync.Mutex
	revoked bool
	away    error
}

func (k *keyring) set(revoked bool, away error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.revoked, k.away = revoked, away
}

func (k *keyring) Principal(_ context.Context, hash string) (gateway.Principal, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.away != nil:
		return gateway.Principal{}, k.away
	case k.revoked:
		return gateway.Principal{}, gateway.Errorf(gateway.KindUnauthenticated, "revoked")
	}
	for _, p := range []gateway.Principal{alice, bob, admin} {
		if p.KeyHash == hash {
			return p, nil
		}
	}
	return gateway.Principal{}, gateway.Errorf(gateway.KindUnauthenticated, "unknown")
}

// models knows all but those whose names begin with "no".
type models struct{}

func (models) Check(_ gateway.Principal, _ gateway.Op, model string) error {
	if strings.HasPrefix(model, "no") {
		return gateway.Invalid("model", "The model '%s' does not exist.", model)
	}
	return nil
}
