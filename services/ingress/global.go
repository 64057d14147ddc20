package ingress

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// globalSpend is what was spent in all.
func (s *Server) globalSpend(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	scope, subject := gateway.Scope(""), ""
	if !p.SeesAll() {
		scope, subject = gateway.ScopeKey, p.KeyHash
	}
	spent, err := ledger.Spent(r.Context(), s.Store, scope, subject)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"spend": dollars(spent), "max_budget": 0})
}

// globalDays is what was spent on each day.
func (s *Server) globalDays(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.lately(r, p)
	if err != nil {
		return err
	}
	totals, err := s.totals(r.Context(), v, func(f *ledger.Fact) string { return f.Day })
	if err != nil {
		return err
	}
	rows := []map[string]any{}
	for _, day := range slices.Sorted(maps.Keys(totals)) {
		row := map[string]any{"date": day, "spend": dollars(totals[day].Spend)}
		if v.key != "" {
			row["api_key"] = v.key
		}
		rows = append(rows, row)
	}
	return writeJSON(w, http.StatusOK, rows)
}

// ranking lists who or what spent the most lately, as rows that have the name under a word of their own.
func (s *Server) ranking(name func(*ledger.Fact) string, row func(name string, sums *ledger.Sums) map[string]any) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		v, err := s.lately(r, p)
		if err != nil {
			return err
		}
		limit, err := whole(r.URL.Query(), "limit", 10, 1, 10_000)
		if err != nil {
			return err
		}
		totals, err := s.totals(r.Context(), v, name)
		if err != nil {
			return err
		}
		names := bySpend(totals)
		rows := []map[string]any{}
		for _, name := range names[:min(len(names), int(limit))] {
			rows = append(rows, row(name, totals[name]))
		}
		return writeJSON(w, http.StatusOK, rows)
	}
}

func (s *Server) globalModels() handler {
	return s.ranking(func(f *ledger.Fact) string { return f.Model }, func(name string, sums *ledger.Sums) map[string]any {
		return map[string]any{"model": name, "total_spend": dollars(sums.Spend)}
	})
}

func (s *Server) globalProviders() handler {
	return s.ranking(func(f *ledger.Fact) string { return f.Provider }, func(name string, sums *ledger.Sums) map[string]any {
		return map[string]any{"provider": name, "spend": dollars(sums.Spend)}
	})
}

// globalKeys lists the keys that spent the most lately.
func (s *Server) globalKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	aliases := map[string]string{}
	return s.ranking(func(f *ledger.Fact) string {
		aliases[f.Key] = f.Alias
		return f.Key
	}, func(key string, sums *ledger.Sums) map[string]any {
		return map[string]any{"api_key": key, "key_alias": orNull(aliases[key]), "key_name": nil, "total_spend": dollars(sums.Spend)}
	})(w, r, p)
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// globalTeams tells what each team spent on each day.
func (s *Server) globalTeams(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.lately(r, p)
	if err != nil {
		return err
	}
	byDay, totals := map[string]map[string]gateway.NanoUSD{}, map[string]*ledger.Sums{}
	for f, err := range s.facts(r.Context(), v) {
		if err != nil {
			return err
		}
		if byDay[f.Day] == nil {
			byDay[f.Day] = map[string]gateway.NanoUSD{}
		}
		byDay[f.Day][f.Team] = byDay[f.Day][f.Team].Plus(f.Spend)
		if totals[f.Team] == nil {
			totals[f.Team] = new(ledger.Sums)
		}
		totals[f.Team].Add(&f.Sums)
	}
	names := s.teamNames()
	teams, list := []string{}, []any{}
	for _, team := range bySpend(totals) {
		name, err := names.of(r.Context(), team)
		if err != nil {
			return err
		}
		teams = append(teams, name)
		list = append(list, map[string]any{"team_id": orNull(team), "team_alias": name, "total_spend": dollars(totals[team].Spend)})
	}
	daily := []any{}
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		spent := map[string]gateway.NanoUSD{} // teams may be called alike
		for team, amount := range byDay[day] {
			spent[names.known[team]] = spent[names.known[team]].Plus(amount)
		}
		row := map[string]any{}
		for name, amount := range spent {
			row[name] = dollars(amount)
		}
		row["date"] = day
		daily = append(daily, row)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"daily_spend": daily, "teams": teams, "total_spend_per_team": list})
}

// tagTotals adds up the tags that the view selects, of those named; of all if none is.
func (s *Server) tagTotals(r *http.Request, p gateway.Principal) (map[string]*ledger.Sums, error) {
	v, err := s.viewOf(r, p)
	if err != nil {
		return nil, err
	}
	var only []string
	if names := r.URL.Query().Get("tags"); names != "" && names != "all-tags" {
		only = strings.Split(names, ",")
	}
	totals := map[string]*ledger.Sums{}
	for sum, err := range s.rollups(r.Context(), v, gateway.ScopeTag) {
		if err != nil {
			return nil, err
		}
		if only != nil && !slices.Contains(only, sum.Subject) {
			continue
		}
		if totals[sum.Subject] == nil {
			totals[sum.Subject] = new(ledger.Sums)
		}
		totals[sum.Subject].Add(&sum.Sums)
	}
	return totals, nil
}

func (s *Server) globalTags(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	totals, err := s.tagTotals(r, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, tag := range bySpend(totals) {
		rows = append(rows, map[string]any{"name": tag, "spend": dollars(totals[tag].Spend), "log_count": totals[tag].Attempts})
	}
	return writeJSON(w, http.StatusOK, map[string]any{"spend_per_tag": rows})
}

func (s *Server) spendTags(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	totals, err := s.tagTotals(r, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, tag := range bySpend(totals) {
		rows = append(rows, map[string]any{
			"individual_request_tag": tag, "log_count": totals[tag].Attempts, "total_spend": dollars(totals[tag].Spend),
		})
	}
	return writeJSON(w, http.StatusOK, rows)
}

// spendKeys lists keys with what they spent, the largest first.
func (s *Server) spendKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	limit, err := whole(r.URL.Query(), "limit", 1000, 1, 10_000)
	if err != nil {
		return err
	}
	v, err := s.viewOf(r, p)
	if err != nil {
		return err
	}
	totals, err := s.totals(r.Context(), v, func(f *ledger.Fact) string { return f.Key })
	if err != nil {
		return err
	}
	rows := map[string]map[string]any{}
	for key, err := range s.keysInView(r.Context(), v) {
		if err != nil {
			return err
		}
		if len(v.teams) > 0 && !slices.Contains(v.teams, key.Team) {
			continue
		}
		if totals[key.ID] == nil {
			totals[key.ID] = new(ledger.Sums)
		}
		rows[key.ID] = s.Keys.Row(key, totals[key.ID].Spend)
		rows[key.ID]["token"] = key.Hash
	}
	list := []map[string]any{}
	for _, id := range bySpend(totals) {
		row := rows[id]
		if row == nil { // of a key that is gone
			row = map[string]any{"token": id, "key_alias": nil, "key_name": nil, "spend": dollars(totals[id].Spend)}
		}
		if list = append(list, row); int64(len(list)) == limit {
			break
		}
	}
	return writeJSON(w, http.StatusOK, list)
}

// keysInView yields the keys that the view selects, whatever their teams.
func (s *Server) keysInView(ctx context.Context, v view) iter.Seq2[*auth.Key, error] {
	if v.key == "" {
		return s.Keys.List(ctx, auth.Filter{User: v.user}, 0)
	}
	return one(s.Keys.Info(ctx, v.key))
}

// usersInView yields the users that p may see, or the one that is asked for.
func (s *Server) usersInView(ctx context.Context, p gateway.Principal, user string) iter.Seq2[*account.Account, error] {
	if !p.SeesAll() {
		user = p.UserID
	}
	if user == "" && p.SeesAll() {
		return s.Accounts.List(ctx, account.Filter{Kind: account.User})
	}
	return one(s.Accounts.Get(ctx, account.User, user))
}

// one yields what was found; nothing if it was not.
func one[T any](found *T, err error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if err == nil || !isNotFound(err) {
			yield(found, err)
		}
	}
}

// spendUsers lists users with what they spent, the largest first.
func (s *Server) spendUsers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.viewOf(r, p)
	if err != nil {
		return err
	}
	totals, err := s.totals(r.Context(), v, func(f *ledger.Fact) string { return f.User })
	if err != nil {
		return err
	}
	delete(totals, "") // of keys without user
	rows := map[string]map[string]any{}
	for user, err := range s.usersInView(r.Context(), p, v.user) {
		if err != nil {
			return err
		}
		if totals[user.ID] == nil {
			totals[user.ID] = new(ledger.Sums)
		}
		rows[user.ID] = user.Row()
		rows[user.ID]["spend"] = json.Number(max(0, totals[user.ID].Spend.Plus(user.Spent)).String())
	}
	list := []map[string]any{}
	for _, id := range bySpend(totals) {
		row := rows[id]
		if row == nil {
			row = map[string]any{"user_id": id, "user_alias": nil, "user_email": nil, "spend": dollars(totals[id].Spend)}
		}
		list = append(list, row)
	}
	return writeJSON(w, http.StatusOK, list)
}
