package ingress_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

type healthReport struct {
	Healthy_endpoints, Unhealthy_endpoints []struct{ Model, Model_name, Model_id, Error string }
	Healthy_count, Unhealthy_count         int
}

// Every deployment is asked by itself: one that another stands in for is still ill. What it costs is in the books.
func TestHealth(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	report := get[healthReport](h, "/health", master)
	var well, ill []string
	for _, d := range report.Healthy_endpoints {
		well = append(well, d.Model_name+"="+d.Model)
	}
	for _, d := range report.Unhealthy_endpoints {
		ill = append(ill, d.Model_name+"="+d.Model)
		if d.Error == "" || strings.Contains(d.Error, "canary") {
			t.Errorf("%s: error %q", d.Model_name, d.Error)
		}
	}
	if want := []string{"public-name=openai/gpt-4o-mini", "backed-up=openai/gpt-4o", "echo=echo/echo"}; !slices.Equal(well, want) {
		t.Errorf("healthy %v", well)
	}
	if want := []string{"nowhere=openai/x", "metadata=openai/x", "backed-up=openai/fault-500", "wrong-key=openai/x"}; !slices.Equal(ill, want) {
		t.Errorf("unhealthy %v", ill)
	}
	if report.Healthy_count != 3 || report.Unhealthy_count != 4 {
		t.Errorf("counts %+v", report)
	}
	var billed []string
	for _, line := range h.provider.Bill() {
		if line.CompletionTokens > 0 {
			billed = append(billed, fmt.Sprint(line.Model, " ", line.CompletionTokens))
		}
	}
	if slices.Sort(billed); !slices.Equal(billed, []string{"gpt-4o 1", "gpt-4o-mini 1"}) {
		t.Errorf("the provider billed %v", billed)
	}
	h.entries(master, 4+3*3) // three of the ill are tried three times
}

func TestHealthOfOneModel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for model, want := range map[string]string{"echo": "1 0", "backed-up": "1 1", "text-embedding-3-small": "1 0", "gpt-4o": "1 0", "any/*": "0 0"} {
		report := get[healthReport](h, "/health?model="+model, master)
		if got := fmt.Sprint(report.Healthy_count, report.Unhealthy_count); got != want {
			t.Errorf("%s: %+v", model, report)
		}
	}
	key := h.key(`{}`)
	for path, status := range map[string]int{"/health": 403, "/health?model=echo": 403, "/health/backlog": 403} {
		if answer, text := h.do("GET", path, key, ""); answer.StatusCode != status {
			t.Errorf("%s by a plain key: %d %s", path, answer.StatusCode, text)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ready := get[map[string]any](h, "/health/readiness", "")
	if ready["status"] != "healthy" || ready["db"] != "connected" || ready["version"] == "" || len(ready) != 4 {
		t.Errorf("%v", ready)
	}
	for _, path := range []string{"/health/liveliness", "/health/liveness"} {
		if got := get[string](h, path, ""); got != "I'm alive!" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// The backlog is what is being served besides the question itself, and comes back to nothing.
func TestBacklog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	backlog := func(want float64) {
		t.Helper()
		var got map[string]float64
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if got = get[map[string]float64](h, "/health/backlog", master); got["in_flight_requests"] == want {
				return
			}
		}
		t.Errorf("backlog %v, want %v", got, want)
	}
	backlog(0)
	key := h.key(`{}`)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	r, err := http.NewRequestWithContext(ctx, "POST", h.url+"/v1/chat/completions", strings.NewReader(ask("fault-silent", "hi", "")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
		}
	}()
	backlog(1)
	hangUp()
	<-done
	backlog(0)
}
