package auth

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

// table has the request fields of /key/generate and /key/update, in LiteLLM's names.
var table = field.Table{
	"key_alias": isAlias, "user_id": field.Text, "team_id": field.Text, "organization_id": field.Text, "project_id": field.Text,
	"agent_id": field.Text, "key_type": field.OneOf("default", "llm_api", "management", "read_only"),
	"duration": field.Expiry, "rotation_interval": field.Duration, "auto_rotate": field.Bool, "allowed_routes": field.Texts,
	"enforced_params": field.Texts, "allowed_cache_controls": field.List, "allowed_vector_store_indexes": field.List,
	"disable_global_guardrails": field.Bool, "budget_fallbacks": field.Object, "send_invite_email": field.Bool,
	"spend": field.Amount, "temp_budget_increase": field.Amount, "temp_budget_expiry": isUntil,
}.With(field.Common, field.Limits)

// kept lists the fields that have a place of their own in a Key; the others go to Key.Params.
var kept = map[string]bool{
	"key_alias": true, "user_id": true, "team_id": true, "organization_id": true, "models": true, "aliases": true, "tags": true,
	"allowed_routes": true, "key_type": true, "blocked": true, "duration": true, "budget_id": true, "max_budget": true,
	"soft_budget": true, "rpm_limit": true, "tpm_limit": true, "max_parallel_requests": true, "spend": true,
	"temp_budget_increase": true, "temp_budget_expiry": true,
}

// readOnly lists the fields of a row that nobody may set.
var readOnly = []string{
	"token", "token_id", "hash", "key_hash", "id", "key_name", "tenant_id", "role", "user_role", "expires", "created_at", "created_by",
	"updated_at", "updated_by", "deleted", "last_active", "model_spend", "soft_budget_cooldown", "budget_reset_at",
	"litellm_budget_table", "rotation_count", "last_rotation_at", "key_rotation_at",
}

func checkReadOnly(request field.Request, admin bool) error {
	names := readOnly
	if !admin {
		names = append(slices.Clone(names), "spend")
	}
	for _, name := range names {
		if _, found := request[name]; found {
			e := gateway.Invalid(name, "%s cannot be set.", name)
			e.Code = "read_only_field"
			return e
		}
	}
	return nil
}

// routesOf says what the key types stand for.
var routesOf = map[string][]string{
	"llm_api": {"llm_api_routes"}, "management": {"management_routes"}, "read_only": {"info_routes"},
}

const maxAlias = 128 // characters

func isAlias(name string, raw json.RawMessage) error {
	var s string
	if json.Unmarshal(raw, &s) == nil && utf8.RuneCountInString(s) > maxAlias {
		return gateway.Invalid(name, "%s must be at most %d characters.", name, maxAlias)
	}
	return field.Text(name, raw)
}

// isUntil accepts a period from now, or a time.
func isUntil(name string, raw json.RawMessage) error {
	if until(raw, time.Unix(0, 0)).IsZero() {
		return gateway.Invalid(name, "%s must be a duration such as 10d, or a time such as 2026-12-31T00:00:00Z.", name)
	}
	return nil
}

func until(raw json.RawMessage, now time.Time) time.Time {
	var s string
	_ = json.Unmarshal(raw, &s)
	if p, err := period.Parse(s); err == nil {
		return p.After(now)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// maxFields is how much text the fields of one key may have together, in bytes: every process holds many keys in memory.
const maxFields = 64 << 10

// set takes over the checked fields of a request, all but spend.
func (k *Key) set(given field.Request, now time.Time) error {
	size := 0
	for _, raw := range given {
		size += len(raw)
	}
	if size > maxFields {
		return gateway.Invalid("", "The fields of a key must have at most %d bytes together.", maxFields)
	}
	field.Read(given, "key_alias", &k.Alias)
	field.Read(given, "user_id", &k.User)
	field.Read(given, "team_id", &k.Team)
	field.Read(given, "organization_id", &k.Org)
	field.Read(given, "budget_id", &k.Budget)
	field.Read(given, "models", &k.Models)
	field.Read(given, "tags", &k.Tags)
	field.Read(given, "blocked", &k.Blocked)
	if raw, found := given["aliases"]; found {
		k.Aliases = string(raw)
		if len(k.aliases()) == 0 {
			k.Aliases = ""
		}
	}
	k.setRoutes(given)
	k.setExpiry(given, now)
	if err := k.setLimits(given); err != nil {
		return err
	}
	if err := k.setTemporary(given, now); err != nil {
		return err
	}
	return k.setParams(given)
}

func (k *Key) setRoutes(given field.Request) {
	var kind string
	if field.Read(given, "key_type", &kind) && kind != "" {
		k.Routes = routesOf[kind]
	}
	var routes []string
	if field.Read(given, "allowed_routes", &routes) && (kind == "" || len(routes) > 0) {
		k.Routes = routes
	}
}

func (k *Key) setExpiry(given field.Request, now time.Time) {
	var duration string
	if !field.Read(given, "duration", &duration) {
		return
	}
	k.Expires = 0
	if p, err := period.Parse(duration); err == nil {
		k.Expires = p.After(now).Unix()
	}
}

// setLimits lets a max_budget that comes later have the budget_duration that came before.
func (k *Key) setLimits(given field.Request) (err error) {
	earlier := k.params()["budget_duration"]
	if given["max_budget"] != nil && given["budget_duration"] == nil && earlier != nil && k.mainBudget() == nil {
		given = maps.Clone(given)
		given["budget_duration"] = earlier
	}
	k.Limits, err = field.Apply(k.Limits, given)
	return err
}

// mainBudget is the one of max_budget, nil if there is none.
func (k *Key) mainBudget() *gateway.Budget {
	for i := range k.Limits.Budgets {
		if b := &k.Limits.Budgets[i]; !b.Extra {
			return b
		}
	}
	return nil
}

func (k *Key) setTemporary(given field.Request, now time.Time) error {
	more, end := given["temp_budget_increase"], given["temp_budget_expiry"]
	switch {
	case more == nil && end == nil:
		return nil
	case more == nil || end == nil || (string(more) == "null") != (string(end) == "null"):
		return gateway.Invalid("temp_budget_increase", "temp_budget_increase and temp_budget_expiry belong together: send both or neither.")
	case string(end) == "null":
		k.TempMax, k.TempUntil = 0, 0
		return nil
	case k.mainBudget() == nil:
		return gateway.Invalid("temp_budget_increase", "The key has no max_budget that could be increased.")
	}
	t := until(end, now)
	if !t.After(now) || t.After(now.AddDate(100, 0, 0)) {
		return gateway.Invalid("temp_budget_expiry", "temp_budget_expiry must be in the future, at most 100 years away.")
	}
	k.TempMax, _ = gateway.ParseUSD(string(more))
	k.TempUntil = t.Unix()
	return nil
}

func (k *Key) setParams(given field.Request) error {
	params := k.params()
	maps.Copy(params, given)
	maps.DeleteFunc(params, func(name string, _ json.RawMessage) bool { return kept[name] })
	text, err := json.Marshal(params)
	k.Params = string(text)
	if len(text) > maxFields {
		return gateway.Invalid("", "The fields of a key must have at most %d bytes together.", maxFields)
	}
	return err
}

func (k *Key) params() field.Request {
	m := field.Request{}
	_ = json.Unmarshal([]byte(k.Params), &m) // written by setParams: an object, or still empty
	return m
}
