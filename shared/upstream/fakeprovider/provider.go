package fakeprovider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// MaxBodyBytes is the largest request body that is read.
const MaxBodyBytes = 64 << 20

// Provider is the fake. It is an http.Handler, safe for concurrent use; its routes answer with and without /v1.
type Provider struct {
	vendors []vendor
	bill    *bill
	plans   sync.Map // model name -> *plan
	ids     atomic.Int64
	stop    chan struct{}
	once    sync.Once

	mu         sync.Mutex
	canaries   [][]byte
	violations []Violation
	seen       []Seen
	faults     map[string]int      // faults served so far, for plans that end
	prompts    map[string][]prefix // recent prompts by model, for cached tokens
}

type options struct {
	key, billFile string
	canaries      []string
}

// Option sets up a Provider.
type Option func(*options)

// WithKey sets the API key that callers must send as a bearer token.
func WithKey(key string) Option { return func(o *options) { o.key = key } }

// WithBillFile also appends every line of the bill to a file; ReadBill reads it.
func WithBillFile(path string) Option { return func(o *options) { o.billFile = path } }

// WithCanaries names secrets that must never arrive, in any header or body; see Provider.AddCanaries.
func WithCanaries(secrets ...string) Option {
	return func(o *options) { o.canaries = append(o.canaries, secrets...) }
}

// New makes a provider. It panics if the bill file cannot be opened.
func New(opts ...Option) *Provider {
	o := options{key: DefaultKey}
	for _, opt := range opts {
		opt(&o)
	}
	b, err := openBill(o.billFile)
	if err != nil {
		panic("fakeprovider: " + err.Error())
	}
	p := &Provider{
		vendors: vendorsOf(o.key), bill: b, stop: make(chan struct{}),
		faults: make(map[string]int), prompts: make(map[string][]prefix),
	}
	p.AddCanaries(o.canaries...)
	return p
}

// Close ends every answer that is being held back. The provider must get no more requests.
func (p *Provider) Close() { p.once.Do(func() { close(p.stop) }) }

// Start serves a new provider on a loopback port until the test ends, and returns it with its base URL, without /v1.
func Start(t testing.TB, opts ...Option) (*Provider, string) {
	t.Helper()
	p := New(opts...)
	srv := httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close()
		srv.CloseClientConnections()
		srv.Close()
	})
	return p, srv.URL
}

// Listen serves p on addr until ctx ends, for a provider that is a process of its own. It calls ready with the base URL, without
// /v1, when the port is open.
func (p *Provider) Listen(ctx context.Context, addr string, ready func(url string)) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() {
		p.Close()
		_ = srv.Close()
	})
	ready("http://" + l.Addr().String())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// ServeHTTP answers the routes of every wire and OpenAI's GET models, and, without a key, GET bill and violations as JSON lines.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for i := range p.vendors {
		v := &p.vendors[i]
		if t := v.match(r); t != nil {
			p.serve(w, r, v, t)
			return
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	switch r.Method + " " + path {
	case "GET /models":
		p.listModels(w, r)
	case "GET /bill":
		writeLines(w, p.Bill())
	case "GET /violations":
		writeLines(w, p.Violations())
	default:
		if path == redirectPath {
			p.violate(r, "", "followed a redirect")
		}
		writeError(w, openai.Chat{}, wire.Refusal{Status: http.StatusNotFound, Message: "Unknown request URL: " + r.Method + " " + r.URL.Path})
	}
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, v *vendor, t *wire.Target) {
	if t.Handle == nil {
		p.generate(w, r, v, t)
		return
	}
	if no := p.admit(r, v); no != nil {
		writeError(w, t.Format, *no)
		return
	}
	t.Handle(w, r)
}

// admit checks headers and credential of a request without a body.
func (p *Provider) admit(r *http.Request, v *vendor) *wire.Refusal {
	if no := p.checkHeaders(r, v); no != nil {
		return no
	}
	return v.authorize(r, nil)
}

func (p *Provider) listModels(w http.ResponseWriter, r *http.Request) {
	if no := p.admit(r, &p.vendors[0]); no != nil {
		writeError(w, openai.Chat{}, *no)
		return
	}
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	list := []model{}
	for _, id := range []string{"fake-echo", "gpt-3.5-turbo", "gpt-4o-mini", "text-embedding-3-small"} {
		list = append(list, model{id, "model", openai.Created, "fakeprovider"})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": list})
}

func writeLines[T any](w http.ResponseWriter, list []T) {
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(w)
	for _, l := range list {
		if enc.Encode(l) != nil {
			return
		}
	}
}

// ParseBill reads what GET /bill answers.
func ParseBill(data []byte) ([]Line, error) {
	var lines []Line
	for text := range bytes.Lines(data) {
		if text[len(text)-1] != '\n' {
			break
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("line %d of the bill: %w", len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
