package config

import (
	"strings"

	"github.com/sluice-gateway/sluice/shared/routing"
)

// huggingface makes a deployment of Hugging Face's router, which has chat only, or of an endpoint: its text generation or embedding
// server. The router calls "provider/organization/model" of LiteLLM's "organization/model:provider" (Hugging Face's documentation of
// inference providers, read 2026-11).
func huggingface(p provider, u upstream, vendor string, env lookup) ([]routing.Deployment, []string, error) {
	ds, notes, err := plain(p, u, vendor, env)
	if err != nil || ds[0].BaseURL != p.base {
		return ds, notes, err
	}
	ds[0].Speaks = chatOnly
	if parts := strings.Split(vendor, "/"); len(parts) == 3 && !strings.HasSuffix(vendor, "*") {
		ds[0].VendorModel = parts[1] + "/" + parts[2] + ":" + parts[0]
	}
	return ds, notes, nil
}

// probed are hosts that are found by asking them, not by a variable.
func probed(provider, lookup) bool { return false }
