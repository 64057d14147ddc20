package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/messages"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// countMessages counts what Anthropic's clients ask to be counted.
func (s *Server) countMessages(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	return s.count(w, r, p, messages.OpCountTokens, dialect.Hint{Header: r.Header}, messages.EncodeCount)
}

// count asks a provider that speaks the caller's dialect how many tokens a request has. For others it is estimated, as the ledger
// does for calls whose provider told no usage. It costs nothing.
func (s *Server) count(w http.ResponseWriter, r *http.Request, p gateway.Principal, op gateway.Op, hint dialect.Hint, encode func(int64) []byte) error {
	call, plan, err := s.ask(w, r, p, op, hint)
	if err != nil {
		return err
	}
	answer, err := s.Upstream.Count(r.Context(), call, plan)
	switch {
	case err != nil:
		return err
	case answer != nil:
		writeAnswer(w, answer)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(call.Request.CountInput()))
	return nil
}
