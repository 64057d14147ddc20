package ingress

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// view is the part of all spend that a request asks about and its caller may see. Empty fields select all.
type view struct {
	key, user, model string
	teams            []string
	from, to         string // UTC days, to included
}

// viewOf reads a view from the query. Who does not see all sees what its own key spent, and others' ids are not found.
func (s *Server) viewOf(r *http.Request, p gateway.Principal) (v view, err error) {
	query := r.URL.Query()
	v.user, v.model = first(query, "user_id", "internal_user_id"), query.Get("model")
	for _, name := range []string{"team_id", "team_ids"} {
		for id := range strings.SplitSeq(query.Get(name), ",") {
			if id = strings.TrimSpace(id); id != "" {
				v.teams = append(v.teams, id)
			}
		}
	}
	if v.key, err = s.keyNamed(r.Context(), query.Get("api_key")); err != nil {
		return v, err
	}
	if !p.SeesAll() {
		foreign := v.key != "" && v.key != p.KeyHash || v.user != "" && v.user != p.UserID ||
			slices.ContainsFunc(v.teams, func(team string) bool { return team != p.TeamID })
		if foreign {
			return v, gateway.Errorf(gateway.KindNotFound, "No such key, user or team.")
		}
		v.key = p.KeyHash
	}
	if v.from, err = dayIn(query, "start_date"); err != nil {
		return v, err
	}
	if v.to, err = dayIn(query, "end_date"); err != nil {
		return v, err
	}
	if v.from != "" && v.to != "" && v.from > v.to {
		return v, gateway.Invalid("start_date", "start_date is after end_date.")
	}
	return v, nil
}

// between is viewOf for a route that needs both dates.
func (s *Server) between(r *http.Request, p gateway.Principal) (view, error) {
	v, err := s.viewOf(r, p)
	switch {
	case err != nil:
	case v.from == "":
		err = gateway.Invalid("start_date", "start_date is required: a date such as 2026-11-22.")
	case v.to == "":
		err = gateway.Invalid("end_date", "end_date is required: a date such as 2026-11-22.")
	}
	return v, err
}

// lately is viewOf with the last thirty days where the request gives no dates.
func (s *Server) lately(r *http.Request, p gateway.Principal) (view, error) {
	v, err := s.viewOf(r, p)
	if v.from == "" && v.to == "" {
		v.from = ledger.DayOf(s.Now().AddDate(0, 0, -30))
	}
	return v, err
}

// keyNamed is the id of the key that a request names by itself or by its hash: the one that entries bear, whatever its secret is now.
func (s *Server) keyNamed(ctx context.Context, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	key, err := s.Keys.Info(ctx, name)
	switch {
	case err == nil:
		return key.ID, nil
	case gateway.AsError(err).Kind == gateway.KindInvalid:
		return "", gateway.Invalid("api_key", "api_key must be a key that starts with 'sk-', or its hash.")
	case !isNotFound(err):
		return "", err
	case strings.HasPrefix(name, "sk-"):
		return auth.Hash(gateway.Secret(name)), nil
	default:
		return name, nil // of a key that is gone
	}
}

// span is what the store is asked for: the rest is left out when it is read.
func (v *view) span() ledger.Range {
	r := ledger.Range{From: v.from, To: v.to}
	switch {
	case v.key != "":
		r.Scope, r.Subject = gateway.ScopeKey, v.key
	case v.user != "":
		r.Scope, r.Subject = gateway.ScopeUser, v.user
	case len(v.teams) == 1:
		r.Scope, r.Subject = gateway.ScopeTeam, v.teams[0]
	case v.model != "":
		r.Scope, r.Subject = gateway.ScopeModel, v.model
	}
	return r
}

func (v *view) admits(f *ledger.Fact) bool {
	return (v.key == "" || f.Key == v.key) && (v.user == "" || f.User == v.user) && (v.model == "" || f.Model == v.model) &&
		(len(v.teams) == 0 || slices.Contains(v.teams, f.Team))
}

// facts yields what the view selects, day by day.
func (s *Server) facts(ctx context.Context, v view) iter.Seq2[*ledger.Fact, error] {
	return s.selected(ctx, v, v.span())
}

func (s *Server) selected(ctx context.Context, v view, r ledger.Range) iter.Seq2[*ledger.Fact, error] {
	return func(yield func(*ledger.Fact, error) bool) {
		for f, err := range ledger.SelectFacts(ctx, s.Store, r) {
			if (err != nil || v.admits(f)) && !yield(f, err) {
				return
			}
		}
	}
}

// rollups yields the sums of tags or customers that the view selects, day by day.
func (s *Server) rollups(ctx context.Context, v view, scope gateway.Scope) iter.Seq2[*ledger.Rollup, error] {
	return ledger.SelectRollups(ctx, s.Store, ledger.Range{Scope: scope, Key: v.key, From: v.from, To: v.to})
}

// teamNames finds what teams are called.
type teamNames struct {
	store store.Reader
	known map[string]string
}

func (s *Server) teamNames() *teamNames {
	return &teamNames{s.Store, map[string]string{"": unassigned}}
}

// unassigned is LiteLLM's word for what belongs to no team.
const unassigned = "Unassigned"

// of is a team's alias, or its id if it has none.
func (t *teamNames) of(ctx context.Context, id string) (string, error) {
	if name, ok := t.known[id]; ok {
		return name, nil
	}
	var team account.Account
	if _, err := t.store.Get(ctx, account.Ref(account.Team, id), &team); err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	name := team.Alias
	if name == "" {
		name = id
	}
	t.known[id] = name
	return name, nil
}
