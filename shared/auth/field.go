package auth

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

// check tells whether a raw JSON value fits a field; null always does.
type check func(field string, raw json.RawMessage) error

// fields are the request fields of /key/generate and /key/update that are stored and echoed, in LiteLLM's names, with
// what they must be. Fields that are not listed are ignored, as LiteLLM does.
var fields = map[string]check{
	"key_alias": isText, "user_id": isText, "team_id": isText, "organization_id": isText, "project_id": isText,
	"agent_id": isText, "budget_id": isText, "key_type": isText,
	"duration": isDuration, "budget_duration": isDuration, "rotation_interval": isDuration, "auto_rotate": isBool,
	"models": isTexts, "tags": isTexts, "enforced_params": isTexts, "allowed_routes": isTexts, "guardrails": isTexts,
	"policies": isTexts, "prompts": isTexts, "allowed_cache_controls": isList, "access_group_ids": isTexts,
	"max_budget": isAmount, "soft_budget": isAmount, "budget_limits": isList, "model_max_budget": isObject,
	"tpm_limit": isCount, "rpm_limit": isCount, "max_parallel_requests": isCount,
	"tpm_limit_type": isText, "rpm_limit_type": isText, "model_tpm_limit": isObject, "model_rpm_limit": isObject,
	"metadata": isObject, "aliases": isObject, "config": isObject, "permissions": isObject, "router_settings": isObject,
	"object_permission": isObject, "blocked": isBool,
}

// kept lists the fields that have a place of their own in a Key; the others go to Key.Params.
var kept = map[string]bool{
	"key_alias": true, "user_id": true, "team_id": true, "models": true, "tags": true, "max_budget": true, "blocked": true,
}

// knownFields picks and checks what a request may set.
func knownFields(request map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	known := make(map[string]json.RawMessage, len(request))
	for field, raw := range request {
		fits, found := fields[field]
		if !found {
			continue
		}
		if string(raw) != "null" {
			if err := fits(field, raw); err != nil {
				return nil, err
			}
		}
		known[field] = raw
	}
	return known, nil
}

// maxText is the longest text in a field, in bytes.
const maxText = 1024

func isText(field string, raw json.RawMessage) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return gateway.Invalid(field, "%s must be a string.", field)
	}
	if len(s) > maxText {
		return gateway.Invalid(field, "%s must be at most %d bytes, not %d.", field, maxText, len(s))
	}
	return nil
}

func isTexts(field string, raw json.RawMessage) error {
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return gateway.Invalid(field, "%s must be a list of strings.", field)
	}
	for _, s := range list {
		if len(s) > maxText {
			return gateway.Invalid(field, "each of %s must be at most %d bytes.", field, maxText)
		}
	}
	return nil
}

func isList(field string, raw json.RawMessage) error {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return gateway.Invalid(field, "%s must be a list.", field)
	}
	return nil
}

func isObject(field string, raw json.RawMessage) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return gateway.Invalid(field, "%s must be an object.", field)
	}
	return nil
}

func isBool(field string, raw json.RawMessage) error {
	var b bool
	if json.Unmarshal(raw, &b) != nil {
		return gateway.Invalid(field, "%s must be true or false.", field)
	}
	return nil
}

func isCount(field string, raw json.RawMessage) error {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 {
		return gateway.Invalid(field, "%s must be a whole number that is not negative.", field)
	}
	return nil
}

func isAmount(field string, raw json.RawMessage) error {
	if string(raw) == `""` {
		return nil // LiteLLM's forms send it for none
	}
	if _, err := gateway.ParseUSD(string(raw)); err != nil || raw[0] == '"' {
		return gateway.Invalid(field, "%s: %v.", field, gateway.ErrAmount)
	}
	return nil
}

func isDuration(field string, raw json.RawMessage) error {
	var s string
	if err := isText(field, raw); err != nil {
		return err
	}
	_ = json.Unmarshal(raw, &s)
	if _, err := after(time.Now(), s); err != nil && s != neverExpires {
		return gateway.Invalid(field, "%s must be a whole number and a unit: 30s, 30m, 30h, 30d, 2w or 1mo.", field)
	}
	return nil
}

const neverExpires = "-1" // in /key/update: take the expiry away

var durationForm = regexp.MustCompile(`^([1-9][0-9]{0,6})(s|m|h|d|w|mo)$`)

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// after adds a duration such as 30d to a time; months are the calendar's.
func after(t time.Time, duration string) (time.Time, error) {
	m := durationForm.FindStringSubmatch(duration)
	if m == nil {
		return t, gateway.Invalid("duration", "%q is no duration.", duration)
	}
	n, _ := strconv.Atoi(m[1])
	switch {
	case m[2] == "mo" && n > 1200, m[2] != "mo" && time.Duration(n) > 100*365*24*time.Hour/units[m[2]]:
		return t, gateway.Invalid("duration", "a duration is at most 100 years.")
	case m[2] == "mo":
		return t.AddDate(0, n, 0), nil
	default:
		return t.Add(time.Duration(n) * units[m[2]]), nil
	}
}
