package account

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// kind says what requests about one kind of account look like. Names of fields are LiteLLM's; an empty one means that the kind has
// no such field.
type kind struct {
	name    string       // in messages
	id      string       // field that names one
	alias   string       // field of its human name
	role    string       // field of its role
	first   gateway.Role // the role if none is given
	aliases string       // field of its model aliases
	fields  field.Table
	spends  bool // calls are charged to it
	virtual bool // calls are charged to it before anybody creates it
	taken   int  // status of a request to create one that exists
}

var kinds = map[Kind]*kind{
	User: {
		name: "User", id: "user_id", alias: "user_alias", role: "user_role", first: gateway.RoleUser, aliases: "aliases",
		spends: true, taken: http.StatusConflict,
		fields: field.Common.With(field.Limits, field.Table{
			"user_id": ID, "user_alias": alias, "user_email": field.Text, "user_role": field.OneOf(gateway.Roles...),
			"sso_user_id": field.Text, "allowed_cache_controls": field.List, "spend": field.Amount,
		}),
	},
	Team: {
		name: "Team", id: "team_id", alias: "team_alias", aliases: "model_aliases", spends: true,
		fields: field.Common.With(field.Limits, field.Table{
			"team_id": ID, "team_alias": alias, "organization_id": field.Text, "spend": field.Amount,
			"team_member_permissions": field.Texts, "team_member_budget": field.Amount, "team_member_budget_duration": field.Duration,
			"team_member_rpm_limit": field.Count, "team_member_tpm_limit": field.Count, "team_member_key_duration": field.Duration,
			"secret_manager_settings": field.Object, "enforced_batch_output_expires_after": field.Object,
			"enforced_file_expires_after": field.Object,
		}),
	},
	Member: {
		name: "Team member", id: "user_id", role: "role", first: RoleTeamUser, spends: true,
		fields: field.Limits.With(field.Table{
			"role": field.OneOf(RoleTeamAdmin, RoleTeamUser), "user_email": field.Text, "max_budget_in_team": field.Amount,
		}),
	},
	Org: {
		name: "Organization", id: "organization_id", alias: "organization_alias", spends: true,
		fields: field.Common.With(field.Limits, field.Table{
			"organization_id": ID, "organization_alias": alias, "spend": field.Amount,
		}),
	},
	OrgUser: {
		name: "Organization member", id: "user_id", role: "role", first: gateway.RoleUser,
		fields: field.Table{
			"role":                       field.OneOf(RoleOrgAdmin, gateway.RoleUser, gateway.RoleUserViewer),
			"user_email":                 field.Text,
			"max_budget_in_organization": unsupported,
		},
	},
	Customer: {
		name: "Customer", id: "user_id", alias: "alias", spends: true, virtual: true,
		fields: field.Limits.With(field.Table{
			"user_id": UsedID, "alias": alias, "blocked": field.Bool, "metadata": field.Object, "spend": field.Amount,
			"allowed_model_region": field.OneOf("eu", "us"), "default_model": field.Text, "object_permission": field.Object,
		}),
	},
	Tag: {
		name: "Tag", id: "name", spends: true, virtual: true,
		fields: field.Limits.With(field.Table{
			"name": UsedID, "description": field.Text, "models": field.Texts, "metadata": field.Object, "spend": field.Amount,
		}),
	},
	Budget: {
		name: "Budget", id: "budget_id",
		fields: field.Limits.With(field.Table{"budget_id": ID, "budget_reset_at": field.Text}),
	},
}

const (
	maxID    = 200 // bytes of an id
	maxUsed  = 256 // bytes of an id that callers make up with their calls: what a call takes
	maxAlias = 128 // characters of an alias
)

// ID accepts an id: text of 1 to 200 bytes without control characters.
func ID(name string, raw json.RawMessage) error { return isID(name, raw, maxID) }

// UsedID accepts the id of a customer or tag: text of 1 to 256 bytes without control characters.
func UsedID(name string, raw json.RawMessage) error { return isID(name, raw, maxUsed) }

func isID(name string, raw json.RawMessage, most int) error {
	if err := field.Text(name, raw); err != nil {
		return err
	}
	var id string
	if field.Read(field.Request{name: raw}, name, &id); id == "" || len(id) > most {
		return gateway.Invalid(name, "%s must have 1 to %d bytes.", name, most)
	}
	return nil
}

func alias(name string, raw json.RawMessage) error {
	if err := field.Text(name, raw); err != nil {
		return err
	}
	var text string
	field.Read(field.Request{name: raw}, name, &text)
	if utf8.RuneCountInString(text) > maxAlias {
		return gateway.Invalid(name, "%s must have at most %d characters.", name, maxAlias)
	}
	return nil
}

// unsupported refuses a limit that nothing would enforce.
func unsupported(name string, _ json.RawMessage) error {
	return gateway.Invalid(name, "%s is not supported: limit the user, or its membership in a team.", name)
}

// readOnly lists fields of rows that no request sets.
var readOnly = []string{"created_at", "created_by", "updated_at", "updated_by", "id", "tenant_id", "key_hash"}

// ReadOnly is the error for a field that the caller may not set.
func ReadOnly(name string) error {
	e := gateway.Invalid(name, "%s cannot be set.", name)
	e.Code = "read_only_field"
	return e
}

// NotFound is the error for an account that is not there, or that the caller is not to know of.
func NotFound(k Kind, id string) error { return kinds[k].notFound(id) }

func (k *kind) notFound(id string) error {
	e := gateway.Errorf(gateway.KindNotFound, "%s not found, passed %s=%.200s", k.name, k.id, id)
	e.Param, e.TypeName = k.id, "not_found_error"
	return e
}

func (k *kind) exists(id string) error {
	e := gateway.Invalid(k.id, "%s id = %.200s already exists. Please use a different %s.", k.name, id, k.id)
	e.TypeName, e.HTTPStatus = "bad_request_error", k.taken
	return e
}
