package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider"
)

// Models that the price book knows; every other name goes to the provider too and costs what otherModel costs.
const (
	chatModel  = "gpt-3.5-turbo"
	otherModel = "gpt-4o-mini"
	embedModel = "text-embedding-3-small"
)

const masterKey = "sk-e2e-master-0123456789"

// sluice is a running gateway, with a provider of its own whose bill is the truth.
type sluice struct {
	engine   string
	url      string
	dir      string
	provider *fakeprovider.Provider

	worker      *process // does the deferred work; on the local engine it is the whole gateway
	startWorker func(t testing.TB) *process
	front       *process // answers callers; on the local engine it is the same process
	startFront  func(t testing.TB) *process
	another     func(t testing.TB) string                             // starts one more ingress on the same store; on the local engine there is only one
	project     string                                                // of the cloud engine
	spawnFront  func(t testing.TB, port int) (p *process, url string) // the same, before it serves; only on the cloud engine
}

// kill is kill -9 of the process that does deferred work.
func (g *sluice) kill() { g.worker.kill() }

// restart starts it again.
func (g *sluice) restart(t testing.TB) {
	g.worker = g.startWorker(t)
	if g.engine == "local" {
		g.front = g.worker
	}
}

// restartFront starts the process that answers callers again.
func (g *sluice) restartFront(t testing.TB) {
	if g.engine == "local" {
		g.restart(t)
		return
	}
	g.front = g.startFront(t)
}

// engines are the two that every gateway can run on.
var engines = map[string]func(t *testing.T, models func(api string) string) *sluice{"local": startLocal, "cloud": startCloud}

// onBothEngines runs a test against a gateway on each engine.
func onBothEngines(t *testing.T, test func(t *testing.T, g *sluice)) {
	t.Helper()
	t.Parallel()
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, allModels))
		})
	}
}

// allModels is a config.yaml that sends every model to the provider at api.
func allModels(api string) string {
	row := func(name, model, more string) string {
		return fmt.Sprintf("  - model_name: %q\n    litellm_params: {model: %q, api_base: %q, api_key: %q}\n%s",
			name, "openai/"+model, api, fakeprovider.DefaultKey, more)
	}
	return "model_list:\n" + row(chatModel, chatModel, "") + row(otherModel, otherModel, "") + row(embedModel, embedModel, "") +
		row("*", "*", "    model_info: {base_model: "+otherModel+"}\n")
}

// newGateway makes what both engines need: a folder, a provider that must never see the master key, and the flags for a
// config file. Without models there is no file, and the gateway serves what it finds by itself: echo.
func newGateway(t *testing.T, engine string, models func(api string) string) (g *sluice, flags []string) {
	t.Helper()
	g = &sluice{engine: engine, dir: t.TempDir()}
	var api string
	g.provider, api = fakeprovider.Start(t, fakeprovider.WithCanaries(masterKey))
	t.Cleanup(func() {
		for _, v := range g.provider.Violations() {
			t.Errorf("the provider got what it never should: %+v", v)
		}
	})
	if models == nil {
		return g, nil
	}
	config := filepath.Join(g.dir, "config.yaml")
	if err := os.WriteFile(config, []byte(models(api+"/v1")), 0o600); err != nil {
		t.Fatal(err)
	}
	return g, []string{"--config", config}
}

func startLocal(t *testing.T, models func(api string) string) *sluice {
	t.Helper()
	g, flags := newGateway(t, "local", models)
	port := strconv.Itoa(freePort(t))
	g.url = "http://127.0.0.1:" + port
	g.startWorker = func(t testing.TB) *process {
		p := spawn(t, g.dir, []string{"SLUICE_MASTER_KEY=" + masterKey}, bin.sluice,
			append([]string{"serve", "--port", port, "--data", filepath.Join(g.dir, "data")}, flags...)...)
		p.untilServing(t, g.url+"/health/readiness")
		return p
	}
	g.another = func(testing.TB) string { return g.url }
	g.restart(t)
	return g
}

// title is the test's name as part of a project id: lower case letters, digits and hyphens.
func title(t testing.TB) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
}
