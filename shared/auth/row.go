package auth

import (
	"encoding/json"
	"time"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

// emptyRow is a row in LiteLLM's shape before anything is set.
var emptyRow = map[string]any{
	"metadata": struct{}{}, "aliases": struct{}{}, "config": struct{}{}, "permissions": struct{}{},
	"model_spend": struct{}{}, "soft_budget_cooldown": false, "last_active": nil, "object_permission_id": nil,
	"litellm_budget_table": nil,
}

// Row is the key in LiteLLM's shape, without the token: every field of /key/generate, null where it was not set. spent is what its
// rollups say.
func (m *Manager) Row(k *Key, spent gateway.NanoUSD) map[string]any {
	now := m.Now()
	row := make(map[string]any, len(table)+len(emptyRow)+16)
	for name := range table {
		row[name] = nil
	}
	for name, value := range emptyRow {
		row[name] = value
	}
	params := k.params()
	for name, raw := range params {
		if string(raw) != "null" {
			row[name] = raw
		}
	}
	for _, name := range []string{"duration", "key_type", "model_aliases", "send_invite_email", "temp_budget_increase", "temp_budget_expiry"} {
		delete(row, name)
	}
	row["key_name"], row["key_alias"] = k.Name, orNull(k.Alias)
	row["user_id"], row["team_id"], row["organization_id"] = orNull(k.User), orNull(k.Team), orNull(k.Org)
	row["models"], row["tags"], row["allowed_routes"] = list(k.Models), list(k.Tags), list(k.Routes)
	row["blocked"], row["budget_id"] = k.Blocked, orNull(k.Budget)
	if k.Aliases != "" {
		row["aliases"] = json.RawMessage(k.Aliases)
	}
	row["spend"] = amount(&spent, k.Spent)
	k.limitsRow(row, params)
	row["expires"] = isoTime(k.Expires * 1_000_000)
	row["budget_reset_at"] = isoTime(account.ResetAt(k.Limits, now, m.location()))
	row["created_at"], row["updated_at"] = isoTime(k.Created), isoTime(k.Updated)
	row["created_by"], row["updated_by"] = k.CreatedBy, k.UpdatedBy
	row["rotation_count"], row["last_rotation_at"], row["key_rotation_at"] = k.Rotations, isoTime(k.RotatedAt), k.rotatesAt(params)
	if k.TempUntil != 0 {
		row["temp_budget_increase"], row["temp_budget_expiry"] = amount(&k.TempMax, 0), isoTime(k.TempUntil*1_000_000)
	}
	return row
}

// limitsRow shows the limits; those of models and further windows as they were given.
func (k *Key) limitsRow(row map[string]any, params field.Request) {
	for name, value := range account.LimitFields(k.Limits) {
		_, echoed := params[name]
		switch name {
		case "model_max_budget", "model_rpm_limit", "model_tpm_limit", "budget_limits":
			if echoed {
				continue
			}
		case "budget_duration":
			if value == nil {
				continue
			}
		}
		row[name] = value
	}
}

// rotatesAt is when the owner wants the key to be regenerated, null if never.
func (k *Key) rotatesAt(params field.Request) any {
	var wanted bool
	var every string
	field.Read(params, "auto_rotate", &wanted)
	field.Read(params, "rotation_interval", &every)
	p, err := period.Parse(every)
	if !wanted || err != nil {
		return nil
	}
	return isoTime(p.After(time.UnixMicro(max(k.Created, k.RotatedAt)).UTC()).UnixMicro())
}

// amount is exact: a number of dollars, or null.
func amount(n *gateway.NanoUSD, more gateway.NanoUSD) any {
	if n == nil {
		return nil
	}
	return json.Number(n.Plus(more).String())
}

func list(s []string) []string { return append([]string{}, s...) }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// isoTime formats Unix microseconds; zero is null.
func isoTime(micros int64) any {
	if micros == 0 {
		return nil
	}
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
}
