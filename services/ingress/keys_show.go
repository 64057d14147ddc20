package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

// keyRow is a key in LiteLLM's shape, with what it has spent.
func (s *Server) keyRow(ctx context.Context, key *auth.Key) (map[string]any, error) {
	spent, err := ledger.Spent(ctx, s.Store, gateway.ScopeKey, key.ID)
	if err != nil {
		return nil, err
	}
	row := s.Keys.Row(key, spent)
	row["token"] = key.Hash
	if key.Budget == "" {
		return row, nil
	}
	var shared account.Account
	switch _, err := s.Store.Get(ctx, account.Ref(account.Budget, key.Budget), &shared); {
	case err == nil && !shared.Deleted:
		row["litellm_budget_table"] = shared.Row()
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return row, nil
}

// together is how many rows are read at once.
const together = 16

// keyRows are the rows of keys, in their order.
func (s *Server) keyRows(ctx context.Context, keys []*auth.Key) ([]map[string]any, error) {
	rows, errs := make([]map[string]any, len(keys)), make([]error, len(keys))
	free := make(chan struct{}, together)
	var all sync.WaitGroup
	for i, key := range keys {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			rows[i], errs[i] = s.keyRow(ctx, key)
		})
	}
	all.Wait()
	return rows, errors.Join(errs...)
}

func (s *Server) keyInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked := r.URL.Query().Get("key")
	if asked == "" {
		asked = p.KeyHash
	}
	key, err := s.Keys.Show(r.Context(), p, asked)
	if err != nil {
		return err
	}
	row, err := s.keyRow(r.Context(), key)
	if err != nil {
		return err
	}
	delete(row, "token")
	return writeKey(w, key, map[string]any{"key": asked, "info": row})
}

// keyInfos are the rows of those keys that are there and that the caller may see.
func (s *Server) keyInfos(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	var asked []string
	if err := readField(request, "keys", &asked, "a list of strings"); err != nil {
		return err
	}
	if len(asked) == 0 || len(asked) > maxKeys {
		return gateway.Invalid("keys", "keys must name 1 to %d keys.", maxKeys)
	}
	var keys []*auth.Key
	for _, name := range asked {
		key, err := s.Keys.Show(r.Context(), p, name)
		if e := gateway.AsError(err); err != nil && e.Kind == gateway.KindNotFound {
			continue
		} else if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	rows, err := s.keyRows(r.Context(), keys)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"key": asked, "info": rows})
}

func (s *Server) listKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	paging, err := pageIn(query, "size", 10, 100)
	if err != nil {
		return err
	}
	keys, total, err := s.selectKeys(r.Context(), p, query, paging)
	if err != nil {
		return err
	}
	items := make([]any, 0, len(keys))
	full, err := truth(query, "return_full_object", false)
	if err != nil {
		return err
	}
	expand := slices.Contains(query["expand"], "user")
	if !full && !expand {
		for _, key := range keys {
			items = append(items, key.Hash)
		}
	} else {
		rows, err := s.keyRows(r.Context(), keys)
		if err != nil {
			return err
		}
		for i, row := range rows {
			if expand {
				if row["user"], err = s.userOf(r.Context(), keys[i]); err != nil {
					return err
				}
			}
			items = append(items, row)
		}
	}
	return writeJSON(w, http.StatusOK, paging.counted("keys", items, total))
}

func (s *Server) selectKeys(ctx context.Context, p gateway.Principal, query url.Values, page paging) ([]*auth.Key, int64, error) {
	filter, err := keyFilter(query)
	if err != nil {
		return nil, 0, err
	}
	ofTeams, err := truth(query, "include_team_keys", false)
	if err != nil {
		return nil, 0, err
	}
	if filter, err = s.Keys.Narrow(ctx, p, filter, ofTeams); err != nil {
		return nil, 0, err
	}
	name := query.Get("key_hash")
	if name == "" {
		return s.Keys.Page(ctx, filter, page.skip(), page.size)
	}
	key, err := s.Keys.Show(ctx, p, name)
	switch e := gateway.AsError(err); {
	case err != nil && e.Kind == gateway.KindNotFound, err == nil && (filter.Deleted || !filter.Admits(key)):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	case page.page > 1:
		return nil, 1, nil
	}
	return []*auth.Key{key}, 1, nil
}

// keyFilter reads what a request to list keys selects and how it sorts.
func keyFilter(query url.Values) (f auth.Filter, err error) {
	f = auth.Filter{
		User: query.Get("user_id"), Team: query.Get("team_id"), Org: query.Get("organization_id"), Alias: query.Get("key_alias"),
		Project: query.Get("project_id"), Group: query.Get("access_group_id"), Sort: query.Get("sort_by"),
	}
	if f.WithCreator, err = truth(query, "include_created_by_keys", false); err != nil {
		return f, err
	}
	switch query.Get("status") {
	case "deleted":
		f.Deleted = true
	case "":
	default:
		return f, gateway.Invalid("status", "status must be deleted.")
	}
	switch query.Get("sort_order") {
	case "asc":
		f.Ascending = true
	case "", "desc":
	default:
		return f, gateway.Invalid("sort_order", "sort_order must be asc or desc.")
	}
	if f.Sort != "" && auth.Sorts[f.Sort] == nil {
		return f, gateway.Invalid("sort_by", "Keys cannot be sorted by %.100q.", f.Sort)
	}
	return f, nil
}

// userOf is the user of a key as lists show them, null if nobody has made them.
func (s *Server) userOf(ctx context.Context, key *auth.Key) (any, error) {
	if key.User == "" {
		return nil, nil
	}
	var user account.Account
	_, err := s.Store.Get(ctx, account.Ref(account.User, key.User), &user)
	if errors.Is(err, store.ErrNotFound) || user.Deleted {
		return nil, nil
	}
	return map[string]any{"user_id": user.ID, "user_email": user.Email, "user_alias": user.Alias, "user_role": user.Role}, err
}

func (s *Server) keyAliases(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	paging, err := pageIn(query, "size", 50, 100)
	if err != nil {
		return err
	}
	aliases, total, err := s.Keys.Names(r.Context(), p, query.Get("search"), paging.skip(), paging.size)
	if err != nil {
		return err
	}
	list := paging.counted("aliases", aliases, total)
	list["size"] = paging.size
	return writeJSON(w, http.StatusOK, list)
}

func dollars(n gateway.NanoUSD) json.Number { return json.Number(n.String()) }
