package auth

import (
	"encoding/json"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Row is the key in LiteLLM's shape, without the token: every field of /key/generate, null where it was not set.
func (k *Key) Row(spend gateway.NanoUSD) map[string]any {
	row := make(map[string]any, len(fields)+16)
	for field := range fields {
		row[field] = nil
	}
	for _, field := range []string{"metadata", "aliases", "config", "permissions", "model_max_budget"} {
		row[field] = struct{}{}
	}
	for field, raw := range k.params() {
		if string(raw) != "null" {
			row[field] = json.RawMessage(raw)
		}
	}
	row["key_name"], row["key_alias"] = k.Name, orNull(k.Alias)
	row["user_id"], row["team_id"] = orNull(k.User), orNull(k.Team)
	row["models"], row["tags"] = k.Models, k.Tags
	row["blocked"] = k.Blocked
	row["spend"] = spend.Dollars()
	row["max_budget"] = nil
	if k.MaxBudget != nil {
		row["max_budget"] = json.Number(k.MaxBudget.String())
	}
	row["expires"] = isoTime(k.Expires * 1_000_000)
	row["created_at"], row["updated_at"] = isoTime(k.Created), isoTime(k.Updated)
	row["created_by"], row["updated_by"] = k.CreatedBy, k.UpdatedBy
	row["model_spend"], row["litellm_budget_table"], row["budget_reset_at"] = struct{}{}, nil, nil
	return row
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
