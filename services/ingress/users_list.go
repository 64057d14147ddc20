package ingress

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// userOrders are what users can be sorted by.
var userOrders = map[string]string{"": "created", "created_at": "created", "user_id": "id", "user_email": "email", "user_alias": "alias"}

func userFilter(query url.Values) (account.Filter, error) {
	f := account.Filter{
		Kind: account.User, Role: gateway.Role(query.Get("role")), Email: strings.ToLower(query.Get("user_email")), Asc: query.Get("sort_order") == "asc",
	}
	order, known := userOrders[query.Get("sort_by")]
	if !known {
		return f, gateway.Invalid("sort_by", "sort_by must be one of created_at, user_id, user_email, user_alias.")
	}
	f.Order = order
	if f.Role != "" && !slices.Contains(gateway.Roles, f.Role) {
		return f, gateway.Invalid("role", "role must be one of %v.", gateway.Roles)
	}
	return f, oneFilter(query, "user_ids", "team", "role", "user_email")
}

// listUsers answers with one page. user_email finds addresses that begin so.
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	query := r.URL.Query()
	filter, err := userFilter(query)
	if err != nil {
		return err
	}
	paging, err := pageIn(query, "page_size", 25, 100)
	if err != nil {
		return err
	}
	var found []*account.Account
	var total int64
	switch ids, team := query.Get("user_ids"), query.Get("team"); {
	case ids != "":
		found, total, err = s.usersNamed(r.Context(), strings.Split(ids, ","), paging)
	case team != "":
		found, total, err = s.membersPage(r.Context(), team, paging)
	default:
		found, total, err = s.Accounts.Page(r.Context(), filter, paging.page, paging.size)
	}
	if err != nil {
		return err
	}
	rows, err := each(r.Context(), found, s.userRow)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, paging.of("users", rows, total))
}

// usersNamed are those of the named users that exist, on one page.
func (s *Server) usersNamed(ctx context.Context, ids []string, p paging) (page []*account.Account, total int64, err error) {
	if len(ids) > maxNamed {
		return nil, 0, gateway.Invalid("user_ids", "user_ids must name at most %d.", maxNamed)
	}
	for _, id := range ids {
		user, err := s.Accounts.Get(ctx, account.User, strings.TrimSpace(id))
		switch {
		case isNotFound(err):
			continue
		case err != nil:
			return nil, 0, err
		}
		if total++; total > int64(p.skip()) && len(page) < p.size {
			page = append(page, user)
		}
	}
	return page, total, nil
}

func (s *Server) membersPage(ctx context.Context, team string, p paging) (users []*account.Account, total int64, err error) {
	members, total, err := s.Accounts.Page(ctx, account.Filter{Kind: account.Member, Team: team}, p.page, p.size)
	for _, m := range members {
		user, err := s.Accounts.Get(ctx, account.User, m.User)
		if err == nil {
			users = append(users, user)
		} else if !isNotFound(err) {
			return nil, 0, err
		}
	}
	return users, total, err
}
