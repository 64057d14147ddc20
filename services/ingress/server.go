// Package ingress is the public HTTP surface: it knows who calls, serves synchronous and streamed calls itself, and hands
// deferred work to the queue.
package ingress

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/store"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// DefaultMaxBody is the limit for a JSON body, in bytes: images travel in base64. Cloud Run takes no more over HTTP/1.
const DefaultMaxBody = 32 << 20

// Server holds what the routes need; New makes one.
type Server struct {
	Auth     *auth.Authenticator
	Keys     *auth.Manager
	Router   *routing.Router
	Budgets  *budget.Budgets
	Upstream *upstream.Client
	Ledger   *ledger.Recorder
	Store    store.Reader
	Events   *event.Sender
	Files    *batch.Files
	Batches  *batch.Batches
	Now      func() time.Time
	Log      *slog.Logger
	MaxBody  int64 // of a JSON body, in bytes; 0 is DefaultMaxBody

	ids *callIDs
}

// access says whom a route admits.
type access int

const (
	public access = iota
	anyKey        // a valid virtual key, or the master key
	viewer        // who may see everything: the master key, a proxy admin, a viewer
	admin         // who may change everything: the master key, a proxy admin
)

// handler serves one route for an authenticated principal. An error is answered in OpenAI's shape.
type handler func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error

type route struct {
	method, path string
	access       access
	handle       handler
}

// routes is the whole public surface. Those below /v1 are served without it too.
func (s *Server) routes() []route {
	return slices.Concat(s.callRoutes(), s.batchRoutes(), s.keyRoutes(), s.accountRoutes(), s.modelRoutes(), s.spendRoutes(), []route{
		{"GET", "/events", viewer, s.events},
		{"GET", "/health/liveliness", public, alive},
		{"GET", "/health/liveness", public, alive},
		{"GET", "/health/readiness", public, s.ready},
	})
}

func (s *Server) callRoutes() []route {
	return []route{
		{"POST", "/v1/chat/completions", anyKey, s.generate(gateway.OpChat)},
		{"POST", "/v1/completions", anyKey, s.generate(gateway.OpCompletions)},
		{"POST", "/v1/embeddings", anyKey, s.generate(gateway.OpEmbeddings)},
	}
}

func (s *Server) batchRoutes() []route {
	return []route{
		{"POST", "/v1/files", anyKey, s.uploadFile},
		{"GET", "/v1/files", anyKey, s.listFiles},
		{"GET", "/v1/files/{id}", anyKey, s.getFile},
		{"GET", "/v1/files/{id}/content", anyKey, s.fileContent},
		{"DELETE", "/v1/files/{id}", anyKey, s.deleteFile},
		{"POST", "/v1/batches", anyKey, s.createBatch},
		{"GET", "/v1/batches", anyKey, s.listBatches},
		{"GET", "/v1/batches/{id}", anyKey, s.getBatch},
		{"POST", "/v1/batches/{id}/cancel", anyKey, s.cancelBatch},
	}
}

// Handler serves all routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	byPath := map[string]map[string]route{}
	add := func(path string, r route) {
		if byPath[path] == nil {
			byPath[path] = map[string]route{}
			mux.Handle(path, s.dispatch(byPath[path]))
		}
		byPath[path][r.method] = r
	}
	for _, r := range s.routes() {
		add(r.path, r)
		if short, below := strings.CutPrefix(r.path, "/v1"); below {
			add(short, r)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.answerError(w, r, noRoute(r)) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "//") || strings.Contains(r.URL.Path, "/.") {
			s.answerError(w, r, noRoute(r)) // the mux would redirect, and a redirect drops the body
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// dispatch picks the route by method. Access hangs on the route that was matched, never on the text of the URL.
func (s *Server) dispatch(methods map[string]route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, found := methods[r.Method]
		if !found {
			for method := range methods {
				w.Header().Add("Allow", method)
			}
			s.answerError(w, r, gateway.Errorf(gateway.KindMethod, "Method %s is not allowed on this route.", r.Method))
			return
		}
		defer s.recovered(w, r)
		p, err := s.admit(r, route.access)
		if err == nil {
			err = route.handle(w, r, p)
		}
		if err != nil {
			s.answerError(w, r, err)
		}
	})
}

func (s *Server) admit(r *http.Request, a access) (gateway.Principal, error) {
	if a == public {
		return gateway.Principal{}, nil
	}
	p, err := s.Auth.Authenticate(r)
	if err == nil && (a == admin && !p.Admin || a == viewer && !p.SeesAll()) {
		e := gateway.Errorf(gateway.KindForbidden, "Only a proxy admin may call this route.")
		e.Param, e.TypeName = "route", "auth_error"
		err = e
	}
	return p, err
}

func noRoute(r *http.Request) error {
	return gateway.Errorf(gateway.KindNotFound, "Unknown route: %s %.100q.", r.Method, r.URL.Path)
}

func alive(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, "I'm alive!")
}

// ready answers while the process can serve: it does not ask the store, whose absence known keys survive.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"status": "healthy", "db": "connected", "cache": nil})
}
