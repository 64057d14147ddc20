// Package ingress is the public HTTP surface: it knows who calls, serves synchronous and streamed calls itself, and hands
// deferred work to the queue.
package ingress

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/budget"
	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/response"
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
	Accounts *account.Manager
	Router   *routing.Router
	Budgets  *budget.Budgets
	Upstream *upstream.Client
	Ledger   *ledger.Recorder
	Store    store.Reader
	Events   *event.Sender
	Files    *batch.Files
	Batches  *batch.Batches
	Kept     *response.Keeper // of what /v1/responses answered
	Now      func() time.Time
	Log      *slog.Logger
	MaxBody  int64 // of a JSON body, in bytes; 0 is DefaultMaxBody
	// UserHeader names a header, in canonical form, that says whom a caller serves; may be empty.
	UserHeader string
	// UserDefaults are fields that a new user gets where its request says nothing.
	UserDefaults field.Request

	ids      *callIDs
	inFlight *atomic.Int64 // requests that are being served
}

// access says whom a route admits.
type access int

const (
	public access = iota
	anyKey        // a valid virtual key, or the master key
	viewer        // who may see everything: the master key, a proxy admin, a viewer
	admin         // who may change everything: the master key, a proxy admin
)

// handler serves one route for an authenticated principal. An error is answered in the dialect of the route.
type handler func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error

type route struct {
	method, path string
	access       access
	handle       handler
}

// groups are the names by which a key's allowed_routes may mean several routes.
func (r route) groups() []string {
	switch {
	case slices.ContainsFunc(managementPaths, func(p string) bool { return strings.HasPrefix(r.path, p) }):
		if r.method == http.MethodGet {
			return []string{"management_routes", "info_routes"}
		}
		return []string{"management_routes"}
	case strings.HasPrefix(r.path, "/v1/models"), strings.HasPrefix(r.path, "/models"):
		return []string{"llm_api_routes", "openai_routes", "info_routes"}
	default:
		return []string{"llm_api_routes", "openai_routes"}
	}
}

// managementPaths is where routes begin that are about the gateway and not about models.
var managementPaths = []string{
	"/key", "/v2/", "/user", "/team", "/organization", "/budget", "/customer", "/end_user", "/tag", "/audit", "/spend", "/global", "/events",
	"/model/", "/v1/model/", "/model_group", "/utils", "/health",
}

// routes is the whole public surface. Those below /v1 are served without it too.
func (s *Server) routes() []route {
	return slices.Concat(s.callRoutes(), s.batchRoutes(), s.keyRoutes(), s.accountRoutes(), s.modelRoutes(), s.spendRoutes(), s.healthRoutes(), []route{
		{"GET", "/events", viewer, s.events},
	})
}

func (s *Server) callRoutes() []route {
	return []route{
		{"POST", "/v1/chat/completions", anyKey, s.generate(gateway.OpChat)},
		{"POST", "/v1/completions", anyKey, s.generate(gateway.OpCompletions)},
		{"POST", "/v1/embeddings", anyKey, s.generate(gateway.OpEmbeddings)},
		{"POST", "/v1/messages", anyKey, s.generate(gateway.OpMessages)},
		{"POST", "/v1/messages/count_tokens", anyKey, s.countMessages},
		{"POST", "/v1/responses", anyKey, s.respond},
		{"GET", "/v1/responses/{id}", anyKey, s.getResponse},
		{"DELETE", "/v1/responses/{id}", anyKey, s.deleteResponse},
		{"GET", "/v1/responses/{id}/input_items", anyKey, s.inputItems},
		{"POST", "/v1beta/models/{id...}", anyKey, s.generateContent},
		{"POST", "/v1/models/{id...}", anyKey, s.generateContent},
		{"GET", "/v1beta/models", anyKey, s.listGeminiModels},
		{"GET", "/v1beta/models/{id...}", anyKey, s.getGeminiModel},
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
		if short, below := strings.CutPrefix(r.path, "/v1/"); below {
			short = "/" + short
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
		s.inFlight.Add(1)
		defer s.inFlight.Add(-1)
		defer s.recovered(w, r)
		p, err := s.admit(r, route)
		if err == nil {
			err = route.handle(w, r, p)
		}
		if err != nil {
			s.answerError(w, r, err)
		}
	})
}

func (s *Server) admit(r *http.Request, to route) (gateway.Principal, error) {
	if to.access == public {
		return gateway.Principal{}, nil
	}
	p, err := s.Auth.Authenticate(r)
	switch {
	case err != nil:
		return p, err
	case to.access == admin && !p.Admin, to.access == viewer && !p.SeesAll():
		return p, notAllowed("Only a proxy admin may call this route.")
	case len(p.Routes) > 0 && !p.MayUse(to.path, to.groups()...):
		return p, notAllowed("Virtual key is not allowed to call this route: its allowed_routes do not have it.")
	default:
		return p, nil
	}
}

func notAllowed(why string) error {
	e := gateway.Errorf(gateway.KindForbidden, "%s", why)
	e.Param, e.TypeName = "route", "auth_error"
	return e
}

func noRoute(r *http.Request) error {
	return gateway.Errorf(gateway.KindNotFound, "Unknown route: %s %.100q.", r.Method, r.URL.Path)
}
