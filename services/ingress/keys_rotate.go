package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// named reads the key that the path or else the body of a request is about. A body is not needed where the path names it.
func (s *Server) named(w http.ResponseWriter, r *http.Request) (key string, request field.Request, err error) {
	key = r.PathValue("key")
	switch {
	case key == "":
		return s.keyIn(w, r)
	case r.ContentLength == 0:
		return key, field.Request{}, nil
	}
	request, err = s.readObject(w, r)
	return key, request, err
}

func (s *Server) regenerateKey(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked, request, err := s.named(w, r)
	if err != nil {
		return err
	}
	secret, key, err := s.keysIf(r).Regenerate(r.Context(), by(r, p), asked, request)
	if err != nil {
		return err
	}
	return s.writeSecret(w, r, key, secret, request)
}

func (s *Server) resetKeySpend(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked, request, err := s.named(w, r)
	if err != nil {
		return err
	}
	raw := request["reset_to"]
	to, err := gateway.ParseUSD(string(raw))
	if err != nil || field.Amount("reset_to", raw) != nil {
		return gateway.Invalid("reset_to", "reset_to: %v.", gateway.ErrAmount)
	}
	key, was, err := s.keysIf(r).ResetSpend(r.Context(), by(r, p), asked, to)
	if err != nil {
		return err
	}
	row := s.Keys.Row(key, 0)
	return writeKey(w, key, map[string]any{
		"key_hash": key.Hash, "spend": dollars(to), "previous_spend": dollars(was), "max_budget": row["max_budget"],
		"budget_reset_at": row["budget_reset_at"],
	})
}

// keyHealth tells whether the calling key works, and nothing of logging callbacks: there are none.
func keyHealth(w http.ResponseWriter, _ *http.Request, _ gateway.Principal) error {
	return writeJSON(w, http.StatusOK, map[string]any{"key": "healthy", "logging_callbacks": nil})
}
