package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/services/sluice/cli"
)

const (
	newKey = "sk-abcdefghijklmnopqr1234"
	hash   = "0f4c1e0b9d2a4b6c8e0f4c1e0b9d2a4b6c8e0f4c1e0b9d2a4b6c8e0f4c1e0b9d"
)

func TestKeyCreate(t *testing.T) {
	t.Parallel()
	answer := `{"key":"` + newKey + `","key_name":"sk-...1234","key_alias":"ci","token":"` + hash + `","models":["gpt-4o","openai/*"],` +
		`"max_budget":10.5,"expires":"2026-12-22T00:00:00Z","user_id":null,"spend":0}`
	for name, c := range map[string]struct {
		args string
		want string // the body
	}{
		"nothing": {"", `{}`},
		"everything": {`--models gpt-4o,openai/* --alias ci --user u --team t --duration 30d --max-budget 10.50 --budget-duration 7d --metadata {"a":{"b":[1]}}`,
			`{"budget_duration":"7d","duration":"30d","key_alias":"ci","max_budget":10.50,"metadata":{"a":{"b":[1]}},"models":["gpt-4o","openai/*"],"team_id":"t","user_id":"u"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan string, 1)
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- r.Method + " " + r.URL.Path + " " + string(body)
				_, _ = io.WriteString(w, answer)
			})
			got := sluice(t.Context(), cli.Options{}, "", append(strings.Fields("key create "+c.args), "--url", url)...)
			if body := <-bodies; body != "POST /key/generate "+c.want {
				t.Errorf("sent %s", body)
			}
			if got.code != 0 || got.out != newKey+"\n" || strings.Contains(got.note, newKey) {
				t.Errorf("%+v", got)
			}
			contains(t, "details", got.note, "alias    ci\n", "budget   $10.5\n", "models   gpt-4o,openai/*\n", "expires  2026-12-22T00:00:00Z\n", "hash     "+hash)
		})
	}
	url := serve(t, says(200, answer))
	got := sluice(t.Context(), cli.Options{}, "", "key", "create", "--json", "--url", url)
	var whole map[string]any
	if err := json.Unmarshal([]byte(got.out), &whole); err != nil || whole["key"] != newKey || got.note != "" {
		t.Errorf("--json: %+v, %v", got, err)
	}
	for _, bad := range []string{`{}`, `[]`, `{"key":7}`} {
		got := sluice(t.Context(), cli.Options{}, "", "key", "create", "--url", serve(t, says(200, bad)))
		if got.code != 1 || !strings.Contains(got.note, "holds no key") {
			t.Errorf("answer %s: %+v", bad, got)
		}
	}
}

func TestKeyList(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"1": `{"keys":[{"key_name":"sk-...1234","key_alias":"a\tb\u001b[2J\nc","token":"` + hash + `","models":[],"spend":0.000125,"max_budget":null,"expires":null}],"total_count":2,"current_page":1,"total_pages":2}`,
		"2": `{"keys":[{"key_name":"sk-...5678","key_alias":null,"token":"ff","models":["x"],"spend":1,"max_budget":5,"expires":"2027-01-01"}],"total_count":2,"current_page":2,"total_pages":2}`,
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); r.URL.Path != "/key/list" || q.Get("return_full_object") != "true" || q.Get("size") != "100" {
			t.Errorf("called %s", r.URL)
		}
		_, _ = io.WriteString(w, pages[r.URL.Query().Get("page")])
	})
	got := sluice(t.Context(), cli.Options{}, "", "key", "list", "--url", url)
	want := "" +
		"NAME        ALIAS  SPEND      BUDGET  EXPIRES     MODELS  HASH\n" +
		"sk-...1234  a b c  $0.000125  -       never       all     0f4c1e0b9d2a\n" +
		"sk-...5678  -      $1         $5      2027-01-01  x       ff\n"
	if got.code != 0 || got.out != want || got.note != "" {
		t.Errorf("%+v\nwant:\n%s", got, want)
	}
	got = sluice(t.Context(), cli.Options{}, "", "key", "list", "--json", "--url", url)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(got.out), &rows); err != nil || len(rows) != 2 {
		t.Errorf("--json: %s, %v", got.out, err)
	}
	if got := sluice(t.Context(), cli.Options{}, "", "key", "list", "--url", serve(t, says(200, `{"keys":["hash"],"total_pages":1}`))); got.code != 1 {
		t.Errorf("hashes only: %+v", got)
	}
}

func TestKeyInfo(t *testing.T) {
	t.Parallel()
	queries := make(chan string, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		queries <- r.URL.String()
		_, _ = io.WriteString(w, `{"key":"`+hash+`","info":{"key_name":"sk-...1234","blocked":true,"spend":2}}`)
	})
	for _, c := range []struct{ arg, want string }{{"", "/key/info"}, {hash, "/key/info?key=" + hash}} {
		args := []string{"key", "info", "--url", url}
		if c.arg != "" {
			args = append(args, c.arg)
		}
		got := sluice(t.Context(), cli.Options{}, "", args...)
		if query := <-queries; query != c.want || got.code != 0 {
			t.Errorf("%v: called %s, %+v", args, query, got)
		}
		contains(t, "output", got.out, "name     sk-...1234\n", "spend    $2\n", "blocked  yes\n", "hash     "+hash)
	}
	got := sluice(t.Context(), cli.Options{}, "", "key", "info", newKey, "--json", "--url", url)
	if query := <-queries; strings.Contains(query, newKey) || len(query) != len("/key/info?key=")+64 {
		t.Errorf("the key went into the address: %s", query)
	}
	contains(t, "--json", got.out, `"info": {`)
}

func TestKeyDelete(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		deleted string
		want    result
	}{
		{`["` + newKey + `","` + hash + `"]`, result{"deleted sk-...1234\ndeleted " + hash + "\n", "", 0}},
		{`["` + hash + `"]`, result{"deleted " + hash + "\n", "sluice: 1 of 2 keys were not deleted\n", 1}},
	} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); string(body) != `{"keys":["`+newKey+`","`+hash+`"]}` || r.URL.Path != "/key/delete" {
				t.Errorf("sent %s to %s", body, r.URL)
			}
			_, _ = io.WriteString(w, `{"deleted_keys":`+c.deleted+`}`)
		})
		if got := sluice(t.Context(), cli.Options{}, "", "key", "delete", newKey, hash, "--url", url); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}
