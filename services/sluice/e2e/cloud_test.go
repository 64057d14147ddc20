package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// tickEvery is how often the test plays the scheduler, which ticks once a minute in the cloud.
const tickEvery = 2 * time.Second

// pubsub is the REST API of the Pub/Sub emulator, for one project.
type pubsub struct{ api, project string }

// requireEmulators skips the test, loudly, where the emulators are not running; it fails it where they must be.
func requireEmulators(t *testing.T) {
	t.Helper()
	if os.Getenv("FIRESTORE_EMULATOR_HOST") != "" && os.Getenv("PUBSUB_EMULATOR_HOST") != "" {
		return
	}
	const why = "FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST are not set: the tests on Google's engine did not run"
	if os.Getenv("SLUICE_REQUIRE_EMULATORS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// startCloud runs ingress and worker as the cloud does, with the emulators as Firestore and Pub/Sub, a folder as the bucket
// and the test as the scheduler.
func startCloud(t *testing.T, models func(api string) string) *sluice {
	t.Helper()
	requireEmulators(t)
	g, flags := newGateway(t, "cloud", models)
	g.project = fmt.Sprintf("%.18s-%d", "e2e-"+title(t), rand.Uint32()) // its own, so that tests do not mix
	env := func(port int) []string {
		return []string{
			"FIRESTORE_EMULATOR_HOST=" + os.Getenv("FIRESTORE_EMULATOR_HOST"), "PUBSUB_EMULATOR_HOST=" + os.Getenv("PUBSUB_EMULATOR_HOST"),
			"SLUICE_PROJECT=" + g.project, "SLUICE_BUCKET=file://" + g.dir + "/bucket", "SLUICE_PUSH_AUTH=none", "SLUICE_MASTER_KEY=" + masterKey,
			"HOST=127.0.0.1", "PORT=" + strconv.Itoa(port),
		}
	}
	t.Cleanup(func() { g.forget(t) })
	ps := g.pubsub()
	for _, topic := range []string{"sluice-work", "sluice-ledger", "sluice-events", "sluice-dead"} {
		ps.call(t, http.MethodPut, "topics/"+topic, struct{}{}, nil)
	}
	workerPort := freePort(t)
	workerURL := "http://127.0.0.1:" + strconv.Itoa(workerPort)
	g.startWorker = func(t testing.TB) *process {
		p := spawn(t, g.dir, env(workerPort), bin.worker, flags...)
		p.untilServing(t, workerURL+"/health")
		return p
	}
	g.restart(t)
	for topic, path := range map[string]string{"sluice-work": "/push/work", "sluice-ledger": "/push/ledger"} {
		ps.subscribe(t, topic, topic+"-push", map[string]any{"pushEndpoint": workerURL + path})
	}
	g.spawnFront = func(t testing.TB, port int) (*process, string) {
		return spawn(t, g.dir, env(port), bin.ingress, flags...), "http://127.0.0.1:" + strconv.Itoa(port)
	}
	ingress := func(t testing.TB, port int) (*process, string) {
		p, url := g.spawnFront(t, port)
		p.untilServing(t, url+readiness)
		return p, url
	}
	g.another = func(t testing.TB) string {
		_, url := ingress(t, freePort(t))
		return url
	}
	port := freePort(t)
	g.startFront = func(t testing.TB) (p *process) {
		p, g.url = ingress(t, port)
		return p
	}
	g.restartFront(t)
	ps.tick(t)
	return g
}

// owner is the emulator's name for who may do everything.
const owner = "owner"

// forget takes all documents out of the emulator, which keeps them in memory.
func (g *sluice) forget(t testing.TB) {
	url := "http://" + os.Getenv("FIRESTORE_EMULATOR_HOST") + "/emulator/v1/projects/" + g.project + "/databases/(default)/documents"
	a, err := send(context.WithoutCancel(t.Context()), http.MethodDelete, url, owner, "", nil)
	if err != nil || a.status != http.StatusOK {
		t.Logf("the emulator's documents stay: status %d, error %v", a.status, err)
	}
}

func (g *sluice) pubsub() pubsub {
	return pubsub{"http://" + os.Getenv("PUBSUB_EMULATOR_HOST") + "/v1/projects/" + g.project, g.project}
}

// subscribe makes a subscription that is deleted when the test ends; without a push configuration it is for pulling.
func (p pubsub) subscribe(t testing.TB, topic, name string, push map[string]any) {
	t.Helper()
	subscription := map[string]any{
		"topic": "projects/" + p.project + "/topics/" + topic, "ackDeadlineSeconds": 600,
		"retryPolicy": map[string]any{"minimumBackoff": "1s", "maximumBackoff": "10s"}, // in the cloud a minute: too long for a test
	}
	if push != nil {
		subscription["pushConfig"] = push
	}
	p.call(t, http.MethodPut, "subscriptions/"+name, subscription, nil)
	t.Cleanup(func() { p.call(t, http.MethodDelete, "subscriptions/"+name, nil, nil) })
}

// tick plays the scheduler until the test ends.
func (p pubsub) tick(t testing.TB) {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	stopped := make(chan struct{})
	t.Cleanup(func() { stop(); <-stopped })
	go func() {
		defer close(stopped)
		clock := time.NewTicker(tickEvery)
		defer clock.Stop()
		for {
			message := map[string]any{"attributes": map[string]string{"type": "tick"}}
			if err := p.do(ctx, http.MethodPost, "topics/sluice-work:publish", map[string]any{"messages": []any{message}}, nil); err != nil && ctx.Err() == nil {
				t.Logf("tick: %v", err)
			}
			select {
			case <-clock.C:
			case <-ctx.Done():
				return
			}
		}
	}()
}

func (p pubsub) call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	if err := p.do(context.WithoutCancel(t.Context()), method, path, in, out); err != nil {
		t.Fatal(err)
	}
}

func (p pubsub) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, p.api+"/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s %s: status %d: %.500s", method, path, resp.StatusCode, text)
	case out == nil:
		return nil
	default:
		return json.Unmarshal(text, out)
	}
}
