package account

import (
	"encoding/json"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Row is the account in LiteLLM's shape, without what it has spent: every field that its kind takes, null where it was not set.
func (a *Account) Row() map[string]any {
	k := kinds[a.Kind]
	row := make(map[string]any, len(k.fields)+8)
	for name := range k.fields {
		row[name] = nil
	}
	for name := range row {
		switch name {
		case "metadata", "aliases", "model_aliases", "config", "permissions":
			row[name] = struct{}{}
		case "tags", "team_member_permissions":
			row[name] = []string{}
		}
	}
	for name, raw := range a.params() {
		row[name] = raw
	}
	for name, value := range LimitFields(a.Limits) {
		if _, has := k.fields[name]; has && (value != nil || name != "budget_duration") {
			row[name] = value
		}
	}
	a.nameRow(k, row)
	row["created_at"], row["updated_at"] = isoTime(a.Created), isoTime(a.Updated)
	row["created_by"], row["updated_by"] = a.CreatedBy, a.UpdatedBy
	delete(row, "spend")
	return row
}

// nameRow adds what has a place of its own in the account.
func (a *Account) nameRow(k *kind, row map[string]any) {
	for name, value := range map[string]any{
		k.alias: orNull(a.Alias), k.role: orNull(string(a.Role)), "user_email": orNull(a.Email), "blocked": a.Blocked,
		"models": append([]string{}, a.Models...), "organization_id": orNull(a.Org), "budget_id": orNull(a.Budget),
	} {
		if _, has := row[name]; has {
			row[name] = value
		}
	}
	if a.Aliases != "" {
		row[k.aliases] = json.RawMessage(a.Aliases)
	}
	switch a.Kind {
	case Member:
		row["team_id"], row["user_id"] = a.Team, a.User
		delete(row, "max_budget_in_team")
	case OrgUser:
		row["organization_id"], row["user_id"] = a.Org, a.User
		delete(row, "max_budget_in_organization")
	default:
		row[k.id] = a.ID
	}
}

// LimitFields are the request fields that make such limits; null where nothing is limited.
func LimitFields(l gateway.Limits) map[string]any {
	row := map[string]any{
		"max_budget": nil, "budget_duration": nil, "budget_limits": nil, "soft_budget": nil, "tpm_limit": number(l.TPM),
		"rpm_limit": number(l.RPM), "max_parallel_requests": number(l.Parallel), "model_max_budget": struct{}{},
		"model_tpm_limit": nil, "model_rpm_limit": nil,
	}
	var windows []any
	for _, b := range l.Budgets {
		if b.Extra {
			windows = append(windows, windowOf(b))
			continue
		}
		row["max_budget"], row["budget_duration"] = amount(b.Max), orNull(b.Every)
	}
	if windows != nil {
		row["budget_limits"] = windows
	}
	if l.Soft != nil {
		row["soft_budget"] = amount(*l.Soft)
	}
	budgets, tpm, rpm := map[string]any{}, map[string]any{}, map[string]any{}
	for _, m := range l.Models {
		if len(m.Budgets) > 0 {
			budgets[m.Model] = windowOf(m.Budgets[0])
		}
		if m.TPM != nil {
			tpm[m.Model] = *m.TPM
		}
		if m.RPM != nil {
			rpm[m.Model] = *m.RPM
		}
	}
	for name, models := range map[string]map[string]any{"model_max_budget": budgets, "model_tpm_limit": tpm, "model_rpm_limit": rpm} {
		if len(models) > 0 {
			row[name] = models
		}
	}
	return row
}

func windowOf(b gateway.Budget) any {
	return map[string]any{"max_budget": amount(b.Max), "budget_duration": orNull(b.Every)}
}

func amount(n gateway.NanoUSD) json.Number { return json.Number(n.String()) }

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

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
