package field_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func request(t *testing.T, text string) (r field.Request) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func apply(t *testing.T, l gateway.Limits, text string) (gateway.Limits, error) {
	t.Helper()
	given, err := field.Limits.Pick(request(t, text))
	if err != nil {
		return l, err
	}
	return field.Apply(l, given)
}

func TestApply(t *testing.T) {
	t.Parallel()
	five, cent := int64(5), 10*gateway.USD/1000
	for _, c := range []struct {
		name, request string
		had, want     gateway.Limits
	}{
		{"nothing", `{}`, gateway.Limits{RPM: &five}, gateway.Limits{RPM: &five}},
		{"lifetime", `{"max_budget": 1.5}`, gateway.Limits{}, gateway.Limits{Budgets: []gateway.Budget{{Max: 1_500_000_000}}}},
		{"duration alone", `{"budget_duration": "1d"}`, gateway.Limits{Budgets: []gateway.Budget{{Max: 1}}},
			gateway.Limits{Budgets: []gateway.Budget{{Max: 1, Every: "1d"}}}},
		{"no budget any more", `{"max_budget": null, "soft_budget": 0.01}`, gateway.Limits{Budgets: []gateway.Budget{{Max: 1}, {Max: 2, Every: "1h", Extra: true}}},
			gateway.Limits{Budgets: []gateway.Budget{{Max: 2, Every: "1h", Extra: true}}, Soft: &cent}},
		{"windows", `{"budget_limits": [{"max_budget": 1, "budget_duration": "1h"}, {"budget_limit": 2, "time_period": "7d"}]}`,
			gateway.Limits{Budgets: []gateway.Budget{{Max: 3}, {Max: 4, Every: "2h", Extra: true}}},
			gateway.Limits{Budgets: []gateway.Budget{{Max: 3}, {Max: gateway.USD, Every: "1h", Extra: true}, {Max: 2 * gateway.USD, Every: "7d", Extra: true}}}},
		{"models", `{"model_max_budget": {"b": {"budget_limit": 1, "time_period": "1d"}}, "model_rpm_limit": {"a": 5, "b": 5}}`,
			gateway.Limits{Models: []gateway.ModelLimits{{Model: "c", RPM: &five}}},
			gateway.Limits{Models: []gateway.ModelLimits{
				{Model: "a", RPM: &five}, {Model: "b", RPM: &five, Budgets: []gateway.Budget{{Max: gateway.USD, Every: "1d"}}},
			}}},
		{"rates", `{"rpm_limit": 5, "tpm_limit": null, "max_parallel_requests": 5}`, gateway.Limits{TPM: &five}, gateway.Limits{RPM: &five, Parallel: &five}},
	} {
		got, err := apply(t, c.had, c.request)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func TestBadLimits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"max_budget": -1}`, `{"max_budget": "NaN"}`, `{"max_budget": 1e308}`, `{"max_budget": 0.1234567890123456789}`, `{"max_budget": "10 USD"}`,
		`{"max_budget": []}`, `{"soft_budget": -0.1}`, `{"budget_duration": "1y"}`, `{"budget_duration": ""}`, `{"budget_duration": 30}`,
		`{"budget_limits": {}}`, `{"budget_limits": [{}]}`, `{"budget_limits": [{"max_budget": 1, "budget_duration": "x"}]}`,
		`{"budget_limits": [{"max_budget": -1}]}`, `{"budget_limits": [{"max_budget": "1"}]}`,
		`{"max_budget": 1, "budget_duration": "1d", "budget_limits": [{"max_budget": 2, "budget_duration": "1d"}]}`,
		`{"budget_limits": [{"max_budget": 1},{"max_budget": 1},{"max_budget": 1},{"max_budget": 1},{"max_budget": 1},{"max_budget": 1},{"max_budget": 1},{"max_budget": 1}]}`,
		`{"model_max_budget": {"m": 1}}`, `{"model_max_budget": {"": {"max_budget": 1}}}`, `{"model_max_budget": {"m": {"time_period": "1d"}}}`,
		`{"model_rpm_limit": {"m": -1}}`, `{"model_tpm_limit": {"m": null}}`, `{"model_tpm_limit": {"m": 1.5}}`, `{"rpm_limit": 1e400}`,
		`{"rpm_limit": 9223372036854775808}`, `{"max_parallel_requests": "5"}`, `{"budget_id": 7}`, `{"budget_id": "a\u0000"}`,
	} {
		if l, err := apply(t, gateway.Limits{}, text); err == nil {
			t.Errorf("%s was taken as %+v", text, l)
		} else if e := gateway.AsError(err); e.Status() != 400 || e.Param == "" {
			t.Errorf("%s: %d, param %q: %s", text, e.Status(), e.Param, e.Message)
		}
	}
}
