package config_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

const allSettings = `x: &limits {max_budget: 100.5, rpm_limit: 60}
general_settings:
  user_header_name: x-openwebui-user-id
  budget_exceeded_status: 402
  hide_budget_amounts: true
  unpriced_models: allow
  auth_staleness: 2s
litellm_settings:
  timezone: Europe/Berlin
  max_budget: os.environ/CAP
  budget_duration: 30d
  max_end_user_budget: 1e-3
  max_internal_user_budget: 0.000000001
  internal_user_budget_duration: 1mo
  upperbound_key_generate_params: {<<: *limits, duration: 30d, key_alias: x}
  default_key_generate_params:
    <<: *limits
    models: [gpt-4o, "openai/*"]
    metadata: {team: core, n: 12345678901234567890, deep: [1.10, true, ~, 2026-01-02]}
    team_id: os.environ/TEAM
    soft_budget: null
  default_internal_user_params: {user_role: internal_user, max_budget: 5, budget_duration: 7d, teams: [{team_id: t, max_budget_in_team: 1}]}
`

func TestSettings(t *testing.T) {
	t.Parallel()
	f, warnings, err := config.Parse("c.yaml", []byte(allSettings), environment("CAP", "1000", "TEAM", "core"))
	if err != nil {
		t.Fatal(err)
	}
	request := func(pairs ...string) field.Request {
		r := field.Request{}
		for i := 0; i < len(pairs); i += 2 {
			r[pairs[i]] = []byte(pairs[i+1])
		}
		return r
	}
	want := config.Settings{
		Proxy:     gateway.Limits{Budgets: []gateway.Budget{{Max: 1000 * gateway.USD, Every: "30d"}}},
		Customers: gateway.Limits{Budgets: []gateway.Budget{{Max: 1_000_000}}},
		Users:     gateway.Limits{Budgets: []gateway.Budget{{Max: 1, Every: "1mo"}}},
		KeyDefaults: request("max_budget", "100.5", "rpm_limit", "60", "models", `["gpt-4o","openai/*"]`, "team_id", `"core"`, "soft_budget", "null",
			"metadata", `{"team":"core","n":12345678901234567890,"deep":[1.10,true,null,"2026-01-02"]}`),
		KeyUpper: request("max_budget", "100.5", "rpm_limit", "60", "duration", `"30d"`),
		UserDefaults: request("user_role", `"internal_user"`, "max_budget", "5", "budget_duration", `"7d"`,
			"teams", `[{"team_id":"t","max_budget_in_team":1}]`),
		UserHeader: "X-Openwebui-User-Id", BudgetStatus: http.StatusPaymentRequired, HideAmounts: true, Unpriced: config.UnpricedAllow,
		Staleness: 2 * time.Second,
	}
	if got := f.Settings.Location.String(); got != "Europe/Berlin" {
		t.Errorf("time zone %s", got)
	}
	f.Settings.Location = nil
	if diff := cmp.Diff(want, f.Settings); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	equal(t, strings.Split(lines(warnings), "\n"), []string{
		"c.yaml:15: litellm_settings.upperbound_key_generate_params.key_alias has no effect yet",
		"c.yaml:1: section x has no effect yet",
	})
}

func TestDefaultSettings(t *testing.T) {
	t.Parallel()
	f, warnings, err := config.Parse("c.yaml", []byte("general_settings: {unpriced_models: ~}\nlitellm_settings:\n"), environment())
	if diff := cmp.Diff(config.DefaultSettings(), f.Settings, cmp.Comparer(func(a, b *time.Location) bool { return a == b })); err != nil || len(warnings) > 0 || diff != "" {
		t.Errorf("%v, %v, %s", err, warnings, diff)
	}
}

func TestSettingsFaults(t *testing.T) {
	t.Parallel()
	const amount = "an amount in US dollars must be between 0 and 1000000000 with at most 9 decimals"
	for name, c := range map[string]struct{ yaml, want string }{
		"amount is negative":    {"litellm_settings:\n  max_budget: -1\n", "c.yaml:2: litellm_settings.max_budget: " + amount},
		"amount is too fine":    {"litellm_settings: {max_end_user_budget: 1e-10}\n", amount},
		"amount is infinite":    {"litellm_settings: {max_internal_user_budget: .inf}\n", amount},
		"amount is text":        {"litellm_settings: {max_budget: s3cret}\n", amount},
		"amount is a list":      {"litellm_settings: {max_budget: [1]}\n", "litellm_settings.max_budget must be a number"},
		"amount is true":        {"litellm_settings: {max_budget: true}\n", "litellm_settings.max_budget must be a number"},
		"amount is not set":     {"litellm_settings:\n  max_budget: os.environ/CAP\n", "c.yaml:2: litellm_settings.max_budget: environment variable CAP is not set"},
		"duration":              {"litellm_settings: {max_budget: 1, budget_duration: 30y}\n", "litellm_settings.budget_duration: a duration is"},
		"duration is a number":  {"litellm_settings: {max_budget: 1, budget_duration: 30}\n", "litellm_settings.budget_duration must be text"},
		"time zone":             {"litellm_settings: {timezone: Mars/s3cret}\n", "c.yaml:1: litellm_settings.timezone must be a time zone's IANA name"},
		"time zone of the host": {"litellm_settings: {timezone: Local}\n", "must be a time zone's IANA name"},
		"time zone is a path":   {"litellm_settings: {timezone: ../s3cret}\n", "must be a time zone's IANA name"},
		"status":                {"general_settings: {budget_exceeded_status: 200}\n", "general_settings.budget_exceeded_status must be 400, 402, 422 or 429"},
		"status is text":        {"general_settings: {budget_exceeded_status: s3cret}\n", "must be 400, 402, 422 or 429"},
		"hidden":                {"general_settings: {hide_budget_amounts: 1}\n", "general_settings.hide_budget_amounts must be true or false"},
		"hidden is text":        {"general_settings: {hide_budget_amounts: s3cret}\n", "general_settings.hide_budget_amounts must be true or false"},
		"unpriced":              {"general_settings: {unpriced_models: s3cret}\n", "general_settings.unpriced_models must be deny or allow"},
		"staleness":             {"general_settings: {auth_staleness: 1h}\n", "general_settings.auth_staleness must be a duration from 1s to 10m0s"},
		"staleness of no unit":  {"general_settings: {auth_staleness: 5}\n", "general_settings.auth_staleness must be text"},
		"header":                {"general_settings: {user_header_name: 'a b'}\n", "general_settings.user_header_name must be the name of a header"},
		"header of a key":       {"general_settings: {user_header_name: X-API-key}\n", "must not be a header that carries a credential"},
		"params a list":         {"litellm_settings: {default_key_generate_params: [s3cret]}\n", "litellm_settings.default_key_generate_params must be a mapping"},
		"params' amount": {"litellm_settings:\n  default_key_generate_params:\n    max_budget: -1\n",
			"c.yaml:3: litellm_settings.default_key_generate_params: max_budget: " + amount},
		"params' amount is text": {"litellm_settings: {upperbound_key_generate_params: {max_budget: s3cret}}\n", "upperbound_key_generate_params: max_budget: " + amount},
		"params' amount in hex":  {"litellm_settings: {upperbound_key_generate_params: {max_budget: 0x10}}\n", "max_budget must be true, false or a plain decimal number"},
		"params' role":           {"litellm_settings: {default_internal_user_params: {user_role: s3cret}}\n", "default_internal_user_params: user_role must be one of"},
		"params' windows": {"litellm_settings: {default_key_generate_params: {max_budget: 1, budget_limits: [{max_budget: 2}]}}\n",
			`default_key_generate_params: budget_limits: there are two budgets for the window ""`},
		"params' variable": {"litellm_settings:\n  default_key_generate_params:\n    metadata: {a: os.environ/NOPE}\n",
			"c.yaml:3: litellm_settings.default_key_generate_params.metadata.a: environment variable NOPE is not set"},
		"params twice":     {"litellm_settings: {default_key_generate_params: {tags: [], tags: []}}\n", "default_key_generate_params.tags is given twice"},
		"params explode":   {"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d]\nlitellm_settings: {default_key_generate_params: {metadata: {x: *e}}}\n", "is too large or nested too deeply"},
		"params in itself": {"litellm_settings: {default_key_generate_params: {metadata: &m {x: [*m]}}}\n", "is too large or nested too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := config.Parse("c.yaml", []byte(c.yaml), environment())
			if err == nil || !strings.HasPrefix(err.Error(), "c.yaml:") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("repeats the value: %v", err)
			}
		})
	}
}

func TestSettingsWarnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"litellm_settings: {budget_duration: 1d}":                   "c.yaml:1: litellm_settings.budget_duration has no effect without litellm_settings.max_budget",
		"litellm_settings: {internal_user_budget_duration: 1d}":     "c.yaml:1: litellm_settings.internal_user_budget_duration has no effect without litellm_settings.max_internal_user_budget",
		"litellm_settings: {max_budget: 0}":                         "c.yaml:1: litellm_settings.max_budget is 0: only what is free can be called",
		"litellm_settings: {num_retries: 3}":                        "c.yaml:1: litellm_settings.num_retries has no effect yet",
		"general_settings: {max_budget: 3}":                         "c.yaml:1: general_settings.max_budget has no effect yet",
		"litellm_settings: {default_key_generate_params: {key: x}}": "c.yaml:1: litellm_settings.default_key_generate_params.key has no effect yet",
	} {
		_, warnings, err := config.Parse("c.yaml", []byte(text), environment())
		if got := lines(warnings); err != nil || got != want {
			t.Errorf("%s: %v\n%s\nwant:\n%s", text, err, got, want)
		}
	}
}

// Both the file's settings and, without a file, the defaults reach those who build a gateway.
func TestChoiceOfSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("general_settings: {budget_exceeded_status: 422}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		choice config.Choice
		status int
	}{"file": {config.Choice{File: file}, 422}, "no file": {config.Choice{Model: "echo"}, 429}} {
		m, _, err := c.choice.Models(environment())
		if err != nil || m.Settings.BudgetStatus != c.status || m.Settings.Location == nil {
			t.Errorf("%s: %v, %+v", name, err, m.Settings)
		}
	}
}
