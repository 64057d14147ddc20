package ingress_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// get asks a route that must answer 200, and decodes what it says.
func get[T any](h *house, path, key string) (answer T) {
	h.t.Helper()
	return decode[T](h, "GET", path, key, "")
}

func decode[T any](h *house, method, path, key, body string) (answer T) {
	h.t.Helper()
	response, text := h.do(method, path, key, body)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %d %s, %v", path, response.StatusCode, text, err)
	}
	return answer
}

type modelRow struct {
	Model_name     string
	Litellm_params map[string]any
	Model_info     map[string]json.RawMessage
}

type modelRows struct {
	Data                                         []modelRow
	Total_count, Current_page, Total_pages, Size int
}

func (r modelRows) names() string {
	var names []string
	for _, row := range r.Data {
		names = append(names, row.Model_name)
	}
	return strings.Join(names, " ")
}

// A key learns of the models that it may call, what they cost to the last decimal, and nothing of where they are served.
func TestModelInfo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["public-name", "echo", "wrong-key"]}`)
	for _, path := range []string{"/model/info", "/v1/model/info"} {
		if got := get[modelRows](h, path, key).names(); got != "public-name wrong-key echo" {
			t.Errorf("%s: %s", path, got)
		}
	}
	rows := get[modelRows](h, "/model/info", key)
	row := rows.Data[0]
	for name, want := range map[string]string{
		"input_cost_per_token": "0.00000015", "output_cost_per_token": "0.0000006", "cache_read_input_token_cost": "0.000000075",
		"input_cost_per_token_batches": "0.000000075", "max_output_tokens": "16384", "litellm_provider": `"openai"`, "mode": `"chat"`,
		"key": `"gpt-4o-mini"`, "db_model": "false",
	} {
		if got := string(row.Model_info[name]); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if row.Litellm_params["model"] != "openai/gpt-4o-mini" || row.Litellm_params["api_base"] != nil {
		t.Errorf("params %v", row.Litellm_params)
	}
	if unpriced := rows.Data[1].Model_info["input_cost_per_token"]; string(unpriced) != "null" {
		t.Errorf("an unknown price is %s", unpriced)
	}
	if free := rows.Data[2].Model_info["output_cost_per_token"]; string(free) != "0" {
		t.Errorf("a free model costs %s", free)
	}
	_, text := h.do("GET", "/model/info", master, "")
	if strings.Contains(text, "canary") || strings.Contains(text, "api_key") || !strings.Contains(text, h.vendor) {
		t.Errorf("the master key is told %s", text)
	}
	var id string
	_ = json.Unmarshal(row.Model_info["id"], &id)
	if got := get[modelRows](h, "/v1/model/info?litellm_model_id="+id, key).names(); got != "public-name" {
		t.Errorf("by id: %s", got)
	}
}

func TestModelInfoPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for query, want := range map[string]struct {
		names        string
		total, pages int
	}{
		"":                    {"public-name nowhere metadata backed-up backed-up wrong-key echo", 7, 1},
		"?size=3&page=2":      {"backed-up backed-up wrong-key", 7, 3},
		"?size=3&page=4":      {"", 7, 3},
		"?model=backed-up":    {"backed-up backed-up", 2, 1},
		"?search=PUBLIC":      {"public-name", 1, 1},
		"?modelId=unknown":    {"", 0, 0},
		"?page=1000000":       {"", 7, 1},
		"?model=not-%20there": {"", 0, 0},
	} {
		got := get[modelRows](h, "/v2/model/info"+query, master)
		if got.names() != want.names || got.Total_count != want.total || got.Total_pages != want.pages {
			t.Errorf("%s: %s of %d on %d pages", query, got.names(), got.Total_count, got.Total_pages)
		}
	}
	ids := map[string]bool{}
	for _, row := range get[modelRows](h, "/v2/model/info", master).Data {
		ids[string(row.Model_info["id"])] = true
	}
	if len(ids) != 7 {
		t.Errorf("ids %v", ids)
	}
}

func TestModelGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	type groups struct {
		Data []struct {
			Model_group          string
			Providers            []string
			Input_cost_per_token json.Number
		}
	}
	all := get[groups](h, "/model_group/info", master)
	if len(all.Data) != 6 {
		t.Errorf("groups %+v", all)
	}
	one := get[groups](h, "/model_group/info?model_group=backed-up", master)
	if len(one.Data) != 1 || one.Data[0].Input_cost_per_token != "0.0000025" || !slices.Equal(one.Data[0].Providers, []string{"openai"}) {
		t.Errorf("%+v", one)
	}
}

func TestTokenCounter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["public-name"]}`)
	type counted struct {
		Total_tokens                              int64
		Request_model, Model_used, Tokenizer_type string
	}
	for content, want := range map[string]int64{`"prompt": "12345678901234"`: 4, `"messages": [{"role": "user", "content": "hello"}]`: 10} {
		got := decode[counted](h, "POST", "/utils/token_counter", key, `{"model": "public-name", `+content+`}`)
		if got != (counted{want, "public-name", "gpt-4o-mini", "sluice_estimate"}) {
			t.Errorf("%s: %+v", content, got)
		}
	}
}

func TestModelRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key(`{"models": ["public-name"]}`)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		param              string
	}{
		"info of another's model":  {"GET", "/model/info?litellm_model_id=x", "", 400, "litellm_model_id"},
		"group of another's model": {"GET", "/model_group/info?model_group=echo", "", 400, "model_group"},
		"page":                     {"GET", "/v2/model/info?page=0", "", 400, "page"},
		"count for another":        {"POST", "/utils/token_counter", `{"model": "echo", "prompt": "x"}`, 403, "model"},
		"count nothing":            {"POST", "/utils/token_counter", `{"model": "public-name"}`, 400, "messages"},
		"count a number":           {"POST", "/utils/token_counter", `{"model": "public-name", "prompt": 7}`, 400, "prompt"},
		"count text as messages":   {"POST", "/utils/token_counter", `{"model": "public-name", "messages": "x"}`, 400, "messages"},
		"count for no model":       {"POST", "/utils/token_counter", `{"prompt": "x"}`, 400, "model"},
		"model of another":         {"GET", "/v1/models/echo", "", 404, "model"},
	} {
		answer, text := h.do(c.method, c.path, key, c.body)
		f := parseFault(t, text)
		if answer.StatusCode != c.status || f.Error.Param == nil || *f.Error.Param != c.param {
			t.Errorf("%s: %d %s", name, answer.StatusCode, text)
		}
	}
}
