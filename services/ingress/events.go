package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/event"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// events tells the CloudEvents of the last week as JSON lines, oldest first; with follow=true it goes on as they happen.
// With type it tells those of that type only, or of all below it: "batch", "spend.v1.recorded".
func (s *Server) events(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	query := r.URL.Query()
	follow, err := truth(query, "follow", false)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	if follow {
		_ = control.Flush()
	}
	begun := follow
	only := query.Get("type")
	for line, err := range s.Events.Log(r.Context(), query.Get("after"), follow) {
		switch {
		case r.Context().Err() != nil:
			return nil
		case err != nil && !begun:
			return gateway.Errorf(gateway.KindUnavailable, "Events cannot be read at the moment.").WithCause(err)
		case err != nil:
			panic(http.ErrAbortHandler) // the reader sees a broken answer and asks again from where it was
		}
		if !event.IsType(line, only) {
			continue
		}
		begun = true
		if _, err := w.Write(append(line, '\n')); err != nil {
			return nil
		}
		if follow {
			if err := control.Flush(); err != nil {
				return nil
			}
		}
	}
	return nil
}
