package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// estimate names how countTokens counts: not with the model's own tokenizer.
const estimate = "sluice_estimate"

// countTokens estimates what messages or a prompt come to, as the ledger does for calls whose provider told no usage.
func (s *Server) countTokens(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	object, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	var name string
	if err := readField(object, "model", &name, "a string"); err != nil {
		return err
	}
	found, err := s.deployments(p, name)
	if err != nil {
		return err
	}
	field := "messages"
	if _, given := object["prompt"]; given {
		field = "prompt"
	}
	raw, given := object[field]
	switch {
	case !given:
		return gateway.Invalid("messages", "messages or prompt is required.")
	case raw[0] != '[' && (field == "messages" || raw[0] != '"'):
		return gateway.Invalid(field, "%s must be a list%s.", field, map[string]string{"prompt": " or a string"}[field])
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"total_tokens": dialect.CountTokens(raw), "request_model": name, "model_used": found[0].VendorModel, "tokenizer_type": estimate,
		"original_response": nil, "error": false, "error_message": nil, "status_code": nil,
	})
}
