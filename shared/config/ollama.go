package config

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/routing"
)

// OllamaBaseURL is where an Ollama on the same machine serves OpenAI's routes.
const OllamaBaseURL = "http://127.0.0.1:11434/v1"

const (
	probeTimeout  = time.Second // it delays a start, so it is short; a local Ollama answers in milliseconds
	maxProbeBytes = 1 << 20
)

// ProbeOllama asks an Ollama for its models, and serves each as "ollama/<name>" and any other as the unlisted "ollama/*".
// An empty base means OllamaBaseURL. An error means that no Ollama answers there, which is ordinary.
func ProbeOllama(ctx context.Context, client *http.Client, base string) ([]routing.Deployment, error) {
	found, _, err := upstream{name: "ollama/*", model: "ollama/*", base: base}.resolve(func(string) string { return "" })
	if err != nil {
		return nil, fmt.Errorf("probe ollama: %w", err)
	}
	all := found[0]
	names, err := ollamaTags(ctx, client, strings.TrimSuffix(all.BaseURL, "/v1")+"/api/tags")
	if err != nil {
		return nil, fmt.Errorf("probe ollama: %w", err)
	}
	var out []routing.Deployment
	for _, name := range names {
		d := all
		d.Model, d.VendorModel = "ollama/"+name, name
		out = append(out, d)
	}
	all.Hidden = true
	return append(out, all), nil
}

func ollamaTags(ctx context.Context, client *http.Client, url string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProbeBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxProbeBytes {
		return nil, fmt.Errorf("more than %d bytes", maxProbeBytes)
	}
	var tags struct {
		Models []struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if err := json.Unmarshal(body, &tags); err != nil {
		return nil, fmt.Errorf("not an Ollama: %w", err)
	}
	var names []string
	for _, m := range tags.Models {
		if m.Name != "" && !strings.Contains(m.Name, "*") {
			names = append(names, m.Name)
		}
	}
	return names, nil
}
