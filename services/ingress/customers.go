package ingress

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// customerRoutes serve /customer and its old name /end_user alike.
func (s *Server) customerRoutes() (all []route) {
	for _, prefix := range []string{"/customer", "/end_user"} {
		all = append(all, []route{
			{"POST", prefix + "/new", admin, s.newCustomer},
			{"POST", prefix + "/update", admin, s.updateCustomer},
			{"POST", prefix + "/delete", admin, s.deleteCustomers},
			{"GET", prefix + "/info", viewer, s.customerInfo},
			{"GET", prefix + "/list", viewer, s.listCustomers},
			{"POST", prefix + "/block", admin, s.blockCustomers},
			{"POST", prefix + "/unblock", admin, s.unblockCustomers},
		}...)
	}
	return all
}

func (s *Server) newCustomer(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id, request, err := s.about(w, r, "user_id")
	if err != nil {
		return err
	}
	made, err := s.Accounts.Create(r.Context(), by(r, p), account.Draft{Kind: account.Customer, ID: id, Fields: request})
	if err != nil {
		return err
	}
	return s.answerRow(w, r, made[0], nil)
}

func (s *Server) updateCustomer(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id, request, err := s.about(w, r, "user_id")
	if err != nil {
		return err
	}
	c, err := s.Accounts.Update(r.Context(), by(r, p), account.Customer, id, request)
	if err != nil {
		return err
	}
	return s.answerRow(w, r, c, nil)
}

// customersIn reads the customers that a request names.
func (s *Server) customersIn(w http.ResponseWriter, r *http.Request) ([]string, error) {
	request, err := s.readObject(w, r)
	if err != nil {
		return nil, err
	}
	return idsIn(request, "user_ids")
}

func (s *Server) deleteCustomers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	ids, err := s.customersIn(w, r)
	if err == nil {
		err = s.doomed(r.Context(), account.Customer, ids)
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.remove(r.Context(), by(r, p), account.Customer, id); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"deleted_customers": len(ids), "message": fmt.Sprintf("Successfully deleted customers with ids: %s", strings.Join(ids, ", ")),
	})
}

func (s *Server) customerInfo(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	id := r.URL.Query().Get("end_user_id")
	if id == "" {
		return gateway.Invalid("end_user_id", "end_user_id is required.")
	}
	c, err := s.Accounts.Get(r.Context(), account.Customer, id)
	if err != nil {
		return err
	}
	return s.answerRow(w, r, c, nil)
}

func (s *Server) listCustomers(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	return s.listAccounts(w, r, account.Filter{Kind: account.Customer}, s.accountRow)
}

// blockCustomers blocks those that nobody created, too: calls may be made for them at any time.
func (s *Server) blockCustomers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	ids, err := s.customersIn(w, r)
	if err != nil {
		return err
	}
	who, rows := by(r, p), []any{}
	for _, id := range ids {
		made, err := s.Accounts.Create(r.Context(), who, account.Draft{Kind: account.Customer, ID: id, Spare: true})
		if err != nil {
			return err
		}
		c := made[0]
		if !c.Blocked {
			if c, err = s.Accounts.Block(r.Context(), who, account.Customer, id, true); err != nil {
				return err
			}
		}
		row, err := s.accountRow(r.Context(), c)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return writeJSON(w, http.StatusOK, map[string]any{"blocked_users": rows})
}

func (s *Server) unblockCustomers(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	ids, err := s.customersIn(w, r)
	if err != nil {
		return err
	}
	for _, id := range ids { // all must exist before one changes
		if _, err := s.Accounts.Get(r.Context(), account.Customer, id); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if _, err := s.Accounts.Block(r.Context(), by(r, p), account.Customer, id, false); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"blocked_users": []string{}, "unblocked_users": ids})
}
