package config

import (
	"errors"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// Settings are an owner's choices about money and limits: what of litellm_settings and general_settings has an effect.
type Settings struct {
	Location  *time.Location // of budget windows
	Proxy     gateway.Limits // of all calls together
	Customers gateway.Limits // of each customer that has none of its own
	Users     gateway.Limits // of each internal user that has none of its own

	// Fields of management requests, all checked. A new key or user gets the defaults where its request says nothing (null says
	// something); no request for a key may ask for more than KeyUpper.
	KeyDefaults, KeyUpper, UserDefaults field.Request

	UserHeader   string        // the request header that names the customer, in canonical form; may be empty
	BudgetStatus int           // HTTP status of a call over budget
	HideAmounts  bool          // in errors about budgets
	Unpriced     Unpriced      // may be called under a budget, or not
	Drop         bool          // leave out what a deployment's format cannot carry, where the deployment does not say otherwise
	Staleness    time.Duration // how long what is known of keys is trusted after the last proof that no change was missed
}

// Unpriced says what happens to a call under a budget when nobody knows its model's price.
type Unpriced string

const (
	UnpricedDeny  Unpriced = "deny"
	UnpricedAllow Unpriced = "allow" // and it counts as nothing
)

// DefaultSettings hold where an owner says nothing.
func DefaultSettings() Settings {
	return Settings{Location: time.UTC, BudgetStatus: http.StatusTooManyRequests, Unpriced: UnpricedDeny, Staleness: 5 * time.Second}
}

// setting reads one entry that is there and not null.
type setting func(s section, e entry) error

// section is a section of settings while it is read.
type section struct {
	*reader
	to      *File
	entries map[string]entry // that are not null, by path
}

// known has every setting that has an effect, by its path in the file.
var known = map[string]setting{
	"general_settings.master_key":             readMasterKey,
	"general_settings.user_header_name":       readUserHeader,
	"general_settings.budget_exceeded_status": readBudgetStatus,
	"general_settings.hide_budget_amounts":    readHideAmounts,
	"general_settings.unpriced_models":        readUnpriced,
	"general_settings.auth_staleness":         readStaleness,

	"litellm_settings.drop_params":                    readDrop,
	"litellm_settings.timezone":                       readTimezone,
	"litellm_settings.max_budget":                     readBudget("litellm_settings.budget_duration", func(s *Settings) *gateway.Limits { return &s.Proxy }),
	"litellm_settings.budget_duration":                readDuration("litellm_settings.max_budget"),
	"litellm_settings.max_end_user_budget":            readBudget("", func(s *Settings) *gateway.Limits { return &s.Customers }),
	"litellm_settings.max_internal_user_budget":       readBudget("litellm_settings.internal_user_budget_duration", func(s *Settings) *gateway.Limits { return &s.Users }),
	"litellm_settings.internal_user_budget_duration":  readDuration("litellm_settings.max_internal_user_budget"),
	"litellm_settings.default_key_generate_params":    readRequest(keyDefaults, func(s *Settings) *field.Request { return &s.KeyDefaults }),
	"litellm_settings.upperbound_key_generate_params": readRequest(keyUpper, func(s *Settings) *field.Request { return &s.KeyUpper }),
	"litellm_settings.default_internal_user_params":   readRequest(userDefaults, func(s *Settings) *field.Request { return &s.UserDefaults }),
}

// Fields that the three objects may have. What names one key or one person makes no sense in them.
var (
	keyDefaults = field.Limits.With(field.Common, field.Table{
		"duration": field.Duration, "team_id": field.Text, "organization_id": field.Text, "project_id": field.Text, "agent_id": field.Text,
		"key_type": field.Text, "allowed_routes": field.Texts, "enforced_params": field.Texts, "allowed_cache_controls": field.List,
		"auto_rotate": field.Bool, "rotation_interval": field.Duration,
	})
	keyUpper = field.Table{
		"max_budget": field.Amount, "budget_duration": field.Duration, "duration": field.Duration,
		"tpm_limit": field.Count, "rpm_limit": field.Count, "max_parallel_requests": field.Count,
	}
	userDefaults = field.Limits.With(field.Common, field.Table{
		"user_role": field.OneOf(gateway.Roles...), "teams": field.List, "organizations": field.Texts, "auto_create_key": field.Bool,
	})
)

// settings reads a section. What has an effect and cannot be read is an error, an unset variable included: it may be what limits
// the spend.
func (r *reader) settings(f *File, sec entry) error {
	entries, err := r.fields(sec.path, sec.val)
	if err != nil {
		return err
	}
	s := section{r, f, map[string]entry{}}
	for _, e := range entries {
		if !isNull(e.val) {
			s.entries[e.path] = e
		}
	}
	for _, e := range entries {
		read, found := known[e.path]
		switch {
		case !found:
			r.warn(e.line, "%s has no effect yet", e.path)
		case isNull(e.val):
		default:
			if err := r.set(read(s, e)); err != nil {
				return err
			}
		}
	}
	return nil
}

// set gives an unset variable its place in the file.
func (r *reader) set(err error) error {
	if u := (*unset)(nil); errors.As(err, &u) {
		return r.errorf(u.line, "%s", u)
	}
	return err
}
