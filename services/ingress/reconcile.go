package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/books"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// reconcile compares the ledger with all that is derived from it. It reads everything: a minute for millions of entries.
func (s *Server) reconcile(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	report, err := books.Check(r.Context(), s.Store, s.Now())
	if err != nil {
		return unread(err)
	}
	return writeJSON(w, http.StatusOK, report)
}

// rebuild derives the sums from the ledger anew.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	changes, err := books.Rebuild(r.Context(), s.Events.Store)
	if err != nil {
		return unread(err)
	}
	return writeJSON(w, http.StatusOK, changes)
}

func unread(err error) error {
	return gateway.Errorf(gateway.KindUnavailable, "The books cannot be read at the moment.").WithCause(err)
}
