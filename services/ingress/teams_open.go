package ingress

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// permissions are the routes that a team may open to its members for its keys.
var permissions = []string{
	"/key/generate", "/key/update", "/key/delete", "/key/info", "/key/regenerate", "/key/{key_id}/regenerate", "/key/block", "/key/unblock",
	"/key/list", "/key/health", "/key/service-account/generate", "/key/bulk_update", "/team/daily/activity", "/spend/logs",
}

// firstPermissions are those of a team that says nothing.
var firstPermissions = []string{"/key/info", "/key/health"}

func (s *Server) listPermissions(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.URL.Query().Get("team_id")
	if id == "" {
		return gateway.Invalid("team_id", "team_id is required.")
	}
	team, err := s.team(r.Context(), p, id, member)
	if err != nil {
		return err
	}
	given := firstPermissions
	if raw := team.Param("team_member_permissions"); raw != nil {
		_ = json.Unmarshal(raw, &given) // checked when it was stored
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"team_id": id, "team_member_permissions": given, "all_available_permissions": permissions,
	})
}

func (s *Server) updatePermissions(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	team, request, err := s.teamAbout(w, r, p, teamAdmin)
	if err != nil {
		return err
	}
	const name = "team_member_permissions"
	var given []string
	if err := readField(request, name, &given, "a list of routes"); err != nil {
		return err
	}
	for _, route := range given {
		if !slices.Contains(permissions, route) {
			return gateway.Invalid(name, "%.100q is no permission: /team/permissions_list names all.", route)
		}
	}
	team, err = s.Accounts.Update(r.Context(), by(r, p), account.Team, team.ID, field.Request{name: request[name]})
	if err != nil {
		return err
	}
	return s.answerTeam(w, r, team, nil)
}

// noModels is the word for a list that admits nothing: an empty one admits all.
const noModels = "no-default-models"

func addModels(had, given []string) []string {
	had = slices.DeleteFunc(slices.Clone(had), func(m string) bool { return m == noModels })
	for _, m := range given {
		if !slices.Contains(had, m) {
			had = append(had, m)
		}
	}
	return had
}

func dropModels(had, given []string) []string {
	if len(had) == 0 {
		return had
	}
	had = slices.DeleteFunc(slices.Clone(had), func(m string) bool { return slices.Contains(given, m) })
	if len(had) == 0 {
		return []string{noModels}
	}
	return had
}

func (s *Server) changeModels(edit func(had, given []string) []string) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		team, request, err := s.teamAbout(w, r, p, teamOwner)
		if err != nil {
			return err
		}
		raw := request["models"]
		if raw == nil || field.Texts("models", raw) != nil {
			return gateway.Invalid("models", "models must be a list of strings.")
		}
		var given []string
		field.Read(request, "models", &given)
		team, err = s.Accounts.Edit(r.Context(), by(r, p), account.Team, team.ID, request, func(a *account.Account) error {
			a.Models = edit(a.Models, given)
			return nil
		})
		if err != nil {
			return err
		}
		return s.answerTeam(w, r, team, nil)
	}
}
