package ingress

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
)

// The routes about models speak LiteLLM's shapes. What nobody knows is null or absent, never guessed.

// infoRow is a row of /model/info.
type infoRow struct {
	Name   string         `json:"model_name"`
	Params map[string]any `json:"litellm_params"`
	Info   map[string]any `json:"model_info"`
}

// row tells all of a deployment but its credential. Where it is served concerns those only who run the gateway.
func (d *deployed) row(p gateway.Principal) infoRow {
	params := map[string]any{"model": d.Provider + "/" + d.VendorModel, "custom_llm_provider": d.Provider}
	if p.SeesAll() {
		params["api_base"] = d.BaseURL
	}
	info := d.costs()
	info["id"], info["db_model"], info["key"], info["litellm_provider"] = d.id, false, d.VendorModel, d.Provider
	return infoRow{d.Model, params, info}
}

// costs are the limits and prices of a deployment's model, the prices in US dollars for one token.
func (d *deployed) costs() map[string]any {
	c := map[string]any{
		"max_tokens": known(d.price.MaxOutput), "max_input_tokens": known(d.price.MaxInput), "max_output_tokens": known(d.price.MaxOutput),
		"mode": nil, "input_cost_per_token": nil, "output_cost_per_token": nil,
	}
	if d.price.Mode != "" {
		c["mode"] = d.price.Mode
	}
	if !d.priced {
		return c
	}
	rates, inBatch := d.price.Rates(0, pricing.Options{}), d.price.Rates(0, pricing.Options{Batch: true})
	c["input_cost_per_token"], c["output_cost_per_token"] = perToken(rates.Input), perToken(rates.Output)
	c["cache_read_input_token_cost"], c["cache_creation_input_token_cost"] = perToken(rates.Cached), perToken(rates.CacheWrite)
	c["input_cost_per_token_batches"], c["output_cost_per_token_batches"] = perToken(inBatch.Input), perToken(inBatch.Output)
	if above := d.price.LongAbove; above > 0 {
		long := d.price.Rates(above+1, pricing.Options{})
		c[fmt.Sprintf("input_cost_per_token_above_%dk_tokens", above/1000)] = perToken(long.Input)
		c[fmt.Sprintf("output_cost_per_token_above_%dk_tokens", above/1000)] = perToken(long.Output)
	}
	if d.price.Source != "" {
		c["price_source"] = d.price.Source
	}
	if d.price.Read != "" {
		c["price_read"] = d.price.Read
	}
	return c
}

func known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// perToken is a price as an exact decimal in US dollars.
func perToken(p pricing.PicoUSD) json.Number {
	const usd = 1_000_000_000_000
	text := strings.TrimRight(fmt.Sprintf("%d.%012d", p/usd, p%usd), "0")
	return json.Number(strings.TrimSuffix(text, "."))
}

func (s *Server) modelInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.URL.Query().Get("litellm_model_id")
	rows := []infoRow{}
	for _, d := range s.everyDeployment(p) {
		if id == "" || d.id == id {
			rows = append(rows, d.row(p))
		}
	}
	if id != "" && len(rows) == 0 {
		return gateway.Invalid("litellm_model_id", "Model id = %.100q is not there, or you do not have access to it.", id)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"data": rows})
}

func (s *Server) modelInfoPage(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	paging, err := pageIn(query, "size", 50, 1000)
	if err != nil {
		return err
	}
	name, id, part := query.Get("model"), query.Get("modelId"), strings.ToLower(query.Get("search"))
	all := slices.DeleteFunc(s.everyDeployment(p), func(d deployed) bool {
		return name != "" && d.Model != name || id != "" && d.id != id || !strings.Contains(strings.ToLower(d.Model), part)
	})
	rows := []infoRow{}
	for _, d := range all[min(paging.skip(), len(all)):min(paging.skip()+paging.size, len(all))] {
		rows = append(rows, d.row(p))
	}
	list := paging.counted("data", rows, int64(len(all)))
	list["size"] = paging.size
	return writeJSON(w, http.StatusOK, list)
}

// modelGroups has a row for each public name.
func (s *Server) modelGroups(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	only := r.URL.Query().Get("model_group")
	rows := []map[string]any{}
	for _, listed := range s.Router.Table().Models(p) {
		if only != "" && listed.Model != only {
			continue
		}
		if found, err := s.deployments(p, listed.Model); err == nil {
			rows = append(rows, group(found))
		}
	}
	if only != "" && len(rows) == 0 {
		return gateway.Invalid("model_group", "Model group %.100q is not there, or you do not have access to it.", only)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"data": rows})
}

// group has the limits and prices of the dearest: what a call by that name may come to.
func group(found []deployed) map[string]any {
	dearest := slices.MaxFunc(found, func(a, b deployed) int { return cmp.Compare(a.sum(), b.sum()) })
	row := dearest.costs()
	var providers []string
	for _, d := range found {
		if !slices.Contains(providers, d.Provider) {
			providers = append(providers, d.Provider)
		}
	}
	row["model_group"], row["providers"] = dearest.Model, providers
	return row
}

// sum puts deployments in the order of their prices.
func (d *deployed) sum() pricing.PicoUSD {
	r := d.price.Rates(0, pricing.Options{})
	return r.Input + r.Output
}
