package ingress

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func (s *Server) healthRoutes() []route {
	return []route{
		{"GET", "/health", viewer, s.health},
		{"GET", "/health/liveliness", public, alive},
		{"GET", "/health/liveness", public, alive},
		{"GET", "/health/readiness", public, s.ready},
		{"GET", "/health/backlog", viewer, s.backlog},
	}
}

func alive(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, "I'm alive!")
}

// ready answers while the process can serve: it does not ask the store, whose absence known keys survive.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"status": "healthy", "db": "connected", "cache": nil, "version": version()})
}

// version is the module's, or else the commit that the program was built from.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && (info.Main.Version == "" || info.Main.Version == "(devel)") {
			return setting.Value
		}
	}
	return cmp.Or(info.Main.Version, "unknown")
})

// backlog tells how many requests this process serves besides the one that asks.
func (s *Server) backlog(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"in_flight_requests": s.inFlight.Load() - 1})
}

const (
	maxProbes    = 100 // in one call
	probesAtOnce = 8
	probeTimeout = 10 * time.Second
)

// health asks deployments with the smallest call there is: all of one model, or for an admin of every model. It costs what such
// calls cost, charged to the caller's key. Patterns name no model that could be asked, and are left out.
func (s *Server) health(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked, err := s.toAsk(r.URL.Query().Get("model"), p)
	if err != nil {
		return err
	}
	faults := make([]error, len(asked))
	tokens := make(chan struct{}, probesAtOnce)
	var all sync.WaitGroup
	for i := range asked {
		tokens <- struct{}{}
		all.Go(func() {
			faults[i] = s.probe(r, p, &asked[i])
			<-tokens
		})
	}
	all.Wait()
	well, ill := []map[string]any{}, []map[string]any{}
	for i, d := range asked {
		end := map[string]any{"model": d.Provider + "/" + d.VendorModel, "model_name": d.Model, "model_id": d.id, "api_base": d.BaseURL}
		if faults[i] == nil {
			well = append(well, end)
			continue
		}
		end["error"] = gateway.AsError(faults[i]).Message
		ill = append(ill, end)
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"healthy_endpoints": well, "unhealthy_endpoints": ill, "healthy_count": len(well), "unhealthy_count": len(ill),
	})
}

func (s *Server) toAsk(name string, p gateway.Principal) (asked []deployed, err error) {
	switch {
	case name != "":
		asked, err = s.deployments(p, name)
	case p.Admin:
		asked = s.everyDeployment(p)
	default:
		err = gateway.Invalid("model", "model is required: only a proxy admin may ask all models, since each is called.")
	}
	asked = slices.DeleteFunc(asked, func(d deployed) bool { return strings.HasSuffix(d.Model, "*") })
	if len(asked) > maxProbes {
		err = gateway.Invalid("model", "model is required: there are %d deployments, and each would be called.", len(asked))
	}
	return asked, err
}

// probe sends one deployment a call on the way that all calls take: by a server that knows this deployment only.
func (s *Server) probe(r *http.Request, p gateway.Principal, d *deployed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Log.ErrorContext(r.Context(), "panic in a probe", "model", d.Model, "panic", v, "stack", string(debug.Stack()))
			err = gateway.Errorf(gateway.KindInternal, "Internal error.")
		}
	}()
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	alone := *s
	alone.Router = new(routing.Router)
	alone.Router.Use(routing.NewTable([]routing.Deployment{d.Deployment}))
	p.Aliases = nil
	op, fields := d.smallest()
	fields["model"] = d.Model
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	err = alone.generate(op)(nowhere{}, request, p)
	if ctx.Err() != nil && r.Context().Err() == nil {
		return gateway.Errorf(gateway.KindTimeout, "No answer within %s.", probeTimeout)
	}
	return err
}

// smallest is the cheapest call that the deployment serves.
func (d *deployed) smallest() (gateway.Op, map[string]any) {
	switch {
	case d.price.Mode == "embedding" || d.onlyEmbeds():
		return gateway.OpEmbeddings, map[string]any{"input": "x"}
	case d.price.Mode == "completion":
		return gateway.OpCompletions, map[string]any{"prompt": "x", "max_tokens": 1}
	}
	chat := map[string]any{"messages": []map[string]string{{"role": "user", "content": "x"}}}
	if strings.HasPrefix(d.BaseURL, "https://api.openai.com/") {
		chat["max_completion_tokens"] = 16 // OpenAI's reasoning models know no max_tokens, and fail on less
	} else {
		chat["max_tokens"] = 1
	}
	return gateway.OpChat, chat
}

// onlyEmbeds reports whether no text can be had from the deployment.
func (d *deployed) onlyEmbeds() bool {
	_, generates := d.Carrier(gateway.OpChat)
	return !generates
}

// nowhere takes an answer that nobody reads.
type nowhere map[string][]string

func (n nowhere) Header() http.Header         { return http.Header(n) }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
