package config_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func TestProbeOllama(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/tags" {
				http.NotFound(w, r)
				return
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	two := answer(200, `{"models":[{"name":"qwen3:4b"},{"name":""},{"name":"llama3.2:latest"},{"name":"odd*"}]}`)
	for _, base := range []string{two.URL, two.URL + "/", two.URL + "/v1"} {
		got, err := config.ProbeOllama(t.Context(), two.Client(), base)
		if err != nil {
			t.Fatal(err)
		}
		d := routing.Deployment{Provider: "ollama", BaseURL: two.URL + "/v1", Credential: noCredential}
		qwen, llama, rest := d, d, d
		qwen.Model, qwen.VendorModel = "ollama/qwen3:4b", "qwen3:4b"
		llama.Model, llama.VendorModel = "ollama/llama3.2:latest", "llama3.2:latest"
		rest.Model, rest.VendorModel, rest.Hidden = "ollama/*", "*", true
		equal(t, got, []routing.Deployment{qwen, llama, rest})
	}
	for name, s := range map[string]*httptest.Server{
		"error":     answer(500, "{}"),
		"not JSON":  answer(200, "<html>"),
		"too large": answer(200, `{"models":[{"name":"`+strings.Repeat("x", 1<<20)+`"}]}`),
	} {
		if got, err := config.ProbeOllama(t.Context(), s.Client(), s.URL); err == nil || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if _, err := config.ProbeOllama(t.Context(), http.DefaultClient, "nonsense"); err == nil {
		t.Error("a wrong base is no error")
	}
}

// silent never answers; it gives up with its request.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, fmt.Errorf("gave up: %w", r.Context().Err())
}

func TestProbeOllamaGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if _, err := config.ProbeOllama(t.Context(), &http.Client{Transport: silent{}}, ""); err == nil {
			t.Error("no error")
		}
		if waited := time.Since(start); waited > 2*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}
