package account

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// memberFields are a team's fields that limit each of its members, and what they are called there.
var memberFields = map[string]string{
	"team_member_budget": "max_budget", "team_member_budget_duration": "budget_duration",
	"team_member_rpm_limit": "rpm_limit", "team_member_tpm_limit": "tpm_limit",
}

// kept reports whether a field has a place of its own in an Account; the others go to Params.
func (k *kind) kept(name string) bool {
	switch name {
	case "":
		return false
	case k.id, k.alias, k.role, k.aliases, "user_email", "organization_id", "blocked", "models", "budget_id", "spend", "max_budget_in_team",
		"budget_reset_at":
		return true
	case "budget_duration", "tpm_limit_type", "rpm_limit_type":
		return false // a duration outlives the budget it was for
	default:
		_, limit := field.Limits[name]
		return limit
	}
}

// set takes over the fields of a request. It returns what is to be spent already, if the request says so.
func (k *kind) set(a *Account, request field.Request) (spend *gateway.NanoUSD, err error) {
	for _, name := range readOnly {
		if _, given := request[name]; given && name != k.id {
			return nil, ReadOnly(name)
		}
	}
	if _, given := request["role"]; given && k.role != "role" {
		return nil, ReadOnly("role")
	}
	given, err := k.fields.Pick(request)
	if err != nil {
		return nil, err
	}
	if a.Kind == Customer && isSet(given, "max_budget") && isSet(given, "budget_id") {
		return nil, gateway.Invalid("budget_id", "max_budget and budget_id exclude each other: set one of them.")
	}
	k.setNames(a, given)
	field.Read(given, "blocked", &a.Blocked)
	field.Read(given, "models", &a.Models)
	if raw, ok := given[k.aliases]; ok {
		if a.Aliases = string(raw); a.Aliases == "null" {
			a.Aliases = ""
		}
	}
	if raw, ok := given["max_budget_in_team"]; ok {
		given["max_budget"] = raw
	}
	params := a.params()
	if a.Limits, err = applyLimits(a.Limits, given, params); err != nil {
		return nil, err
	}
	if a.Member, err = field.Apply(a.Member, renamed(given, memberFields)); err != nil {
		return nil, err
	}
	if isSet(given, "spend") {
		amount, _ := gateway.ParseUSD(string(given["spend"])) // checked; "" is zero
		spend = &amount
	}
	maps.Copy(params, given)
	maps.DeleteFunc(params, func(name string, raw json.RawMessage) bool { return k.kept(name) || string(raw) == "null" })
	return spend, a.setParams(params)
}

func (k *kind) setNames(a *Account, given field.Request) {
	field.Read(given, k.alias, &a.Alias)
	if field.Read(given, k.role, &a.Role) && a.Role == "" {
		a.Role = k.first
	}
	field.Read(given, "user_email", &a.Email)
	a.Email = strings.ToLower(strings.TrimSpace(a.Email))
	if a.Kind == Team {
		field.Read(given, "organization_id", &a.Org)
	}
	if a.Kind != Budget {
		field.Read(given, "budget_id", &a.Budget)
	}
}

// applyLimits is field.Apply for a budget whose duration was set before its amount.
func applyLimits(l gateway.Limits, given, params field.Request) (gateway.Limits, error) {
	_, names := given["budget_duration"]
	main := slices.ContainsFunc(l.Budgets, func(b gateway.Budget) bool { return !b.Extra })
	if every, known := params["budget_duration"]; known && !names && !main && isSet(given, "max_budget") {
		given = maps.Clone(given)
		given["budget_duration"] = every
	}
	return field.Apply(l, given)
}

func isSet(given field.Request, name string) bool {
	raw, found := given[name]
	return found && string(raw) != "null"
}

// renamed picks fields and gives them other names.
func renamed(given field.Request, names map[string]string) field.Request {
	picked := field.Request{}
	for from, to := range names {
		if raw, found := given[from]; found {
			picked[to] = raw
		}
	}
	return picked
}

// maxParams is the most that a request may store that is not otherwise limited, in bytes: an audit record holds it twice, as text in
// text.
const maxParams = 100_000

func (a *Account) setParams(params field.Request) error {
	a.Params = ""
	if len(params) > 0 {
		text, err := json.Marshal(params)
		if err != nil {
			return err
		}
		a.Params = string(text)
	}
	size := len(a.Params) + len(a.Aliases)
	for _, m := range a.Models {
		size += len(m) + 3
	}
	for _, m := range a.Limits.Models {
		size += len(m.Model) + 200
	}
	if size > maxParams {
		return gateway.Invalid("", "The fields are too large together: at most %d bytes can be stored.", maxParams)
	}
	return nil
}

func (a *Account) params() field.Request {
	m := field.Request{}
	_ = json.Unmarshal([]byte(a.Params), &m) // written by setParams: an object, or empty
	return m
}

// Param returns a stored field as the caller gave it; nil if it did not.
func (a *Account) Param(name string) json.RawMessage { return a.params()[name] }
