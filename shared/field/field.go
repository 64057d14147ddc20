// Package field checks the request fields of the management API: each by its name, with one table for each kind of request. It is
// pure.
package field

import (
	"encoding/json"
	"maps"
	"strings"
	"unicode"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
)

// Request is the JSON object that a management route got.
type Request = map[string]json.RawMessage

// Check tells whether a raw JSON value fits a field. null always does, and is not asked about.
type Check func(name string, raw json.RawMessage) error

// Table says what fields a request may have. Fields that it does not list are ignored, as LiteLLM does.
type Table map[string]Check

// With returns a table that has the fields of others, too.
func (t Table) With(others ...Table) Table {
	all := maps.Clone(t)
	for _, o := range others {
		maps.Copy(all, o)
	}
	return all
}

// Pick returns the listed fields of a request, checked. The error is a gateway.Error that names the field.
func (t Table) Pick(request Request) (Request, error) {
	known := make(Request, len(request))
	for name, raw := range request {
		check, found := t[name]
		if !found {
			continue
		}
		if string(raw) != "null" {
			if err := check(name, raw); err != nil {
				return nil, err
			}
		}
		known[name] = raw
	}
	return known, nil
}

// Common are the fields that keys, users and teams share and that are stored and echoed without meaning of their own.
var Common = Table{
	"metadata": Object, "tags": Texts, "aliases": TextMap, "model_aliases": TextMap, "config": Object, "permissions": Object,
	"router_settings": Object, "object_permission": Object, "guardrails": Texts, "policies": Texts, "prompts": Texts,
	"access_group_ids": Texts, "blocked": Bool, "models": Texts, "allowed_passthrough_routes": Texts,
}

// Limits are the fields that Apply reads.
var Limits = Table{
	"max_budget": Amount, "soft_budget": Amount, "budget_duration": Duration, "budget_limits": budgetLimits,
	"model_max_budget": modelBudgets, "tpm_limit": Count, "rpm_limit": Count, "max_parallel_requests": Count,
	"tpm_limit_type": Text, "rpm_limit_type": Text, "model_tpm_limit": counts, "model_rpm_limit": counts, "budget_id": Text,
}

// MaxText is the longest text in a field, in bytes.
const MaxText = 1024

// Text accepts a string of at most MaxText bytes without control characters.
func Text(name string, raw json.RawMessage) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return gateway.Invalid(name, "%s must be a string.", name)
	}
	if len(s) > MaxText {
		return gateway.Invalid(name, "%s must be at most %d bytes, not %d.", name, MaxText, len(s))
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return gateway.Invalid(name, "%s must not contain control characters.", name)
	}
	return nil
}

// Texts accepts a list of strings.
func Texts(name string, raw json.RawMessage) error {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return gateway.Invalid(name, "%s must be a list of strings.", name)
	}
	for _, item := range list {
		if Text(name, item) != nil {
			return gateway.Invalid(name, "each of %s must be a string of at most %d bytes.", name, MaxText)
		}
	}
	return nil
}

// List accepts a list of anything.
func List(name string, raw json.RawMessage) error {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return gateway.Invalid(name, "%s must be a list.", name)
	}
	return nil
}

// Object accepts an object of anything.
func Object(name string, raw json.RawMessage) error {
	var object Request
	if json.Unmarshal(raw, &object) != nil {
		return gateway.Invalid(name, "%s must be an object.", name)
	}
	return nil
}

// TextMap accepts an object of strings.
func TextMap(name string, raw json.RawMessage) error {
	var object map[string]string
	if json.Unmarshal(raw, &object) != nil {
		return gateway.Invalid(name, "%s must be an object of strings.", name)
	}
	return nil
}

// Bool accepts true and false.
func Bool(name string, raw json.RawMessage) error {
	var b bool
	if json.Unmarshal(raw, &b) != nil {
		return gateway.Invalid(name, "%s must be true or false.", name)
	}
	return nil
}

// Count accepts a whole number that is not negative.
func Count(name string, raw json.RawMessage) error {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 {
		return gateway.Invalid(name, "%s must be a whole number that is not negative.", name)
	}
	return nil
}

// Amount accepts dollars as gateway.ParseUSD does, and "" for none: LiteLLM's forms send it.
func Amount(name string, raw json.RawMessage) error {
	if string(raw) == `""` {
		return nil
	}
	if _, err := gateway.ParseUSD(string(raw)); err != nil || raw[0] == '"' {
		return gateway.Invalid(name, "%s: %v.", name, gateway.ErrAmount)
	}
	return nil
}

// Duration accepts a period such as 30d.
func Duration(name string, raw json.RawMessage) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if _, err := period.Parse(s); err == nil {
			return nil
		}
	}
	return gateway.Invalid(name, "%s: %v.", name, period.ErrForm)
}

// Expiry is a Duration, or -1 for never.
func Expiry(name string, raw json.RawMessage) error {
	if string(raw) == `"-1"` {
		return nil
	}
	return Duration(name, raw)
}

// OneOf accepts one of the words.
func OneOf[S ~string](words ...S) Check {
	return func(name string, raw json.RawMessage) error {
		var s S
		if json.Unmarshal(raw, &s) == nil {
			for _, w := range words {
				if s == w {
					return nil
				}
			}
		}
		return gateway.Invalid(name, "%s must be one of %v.", name, words)
	}
}

// Read decodes a field that was checked; an absent one leaves into as it is, null makes it zero. It reports whether the field was
// there.
func Read[T any](request Request, name string, into *T) bool {
	raw, found := request[name]
	if found {
		var v T
		_ = json.Unmarshal(raw, &v)
		*into = v
	}
	return found
}
