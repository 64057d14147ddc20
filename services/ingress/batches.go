package ingress

import (
	"encoding/json"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/batch"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// createBatch makes a batch of an uploaded file. With an Idempotency-Key a repetition answers the first one's batch.
func (s *Server) createBatch(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	object, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	order := batch.Order{IdempotencyKey: r.Header.Get("Idempotency-Key")}
	for name, into := range map[string]*string{
		"input_file_id": &order.InputFileID, "endpoint": &order.Endpoint, "completion_window": &order.CompletionWindow,
	} {
		if raw, given := object[name]; given && json.Unmarshal(raw, into) != nil {
			return gateway.Invalid(name, "%s must be a string.", name)
		}
	}
	if err := readMetadata(object["metadata"], &order); err != nil {
		return err
	}
	if err := readLife(object["output_expires_after"], &order); err != nil {
		return err
	}
	b, err := s.Batches.Create(r.Context(), p, order)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, b)
}

// readMetadata takes strings only: null would become an empty one.
func readMetadata(raw json.RawMessage, order *batch.Order) error {
	var values map[string]*string
	if raw == nil {
		return nil
	}
	if json.Unmarshal(raw, &values) != nil {
		return gateway.Invalid("metadata", "metadata must be an object whose values are strings.")
	}
	for name, value := range values {
		if value == nil {
			return gateway.Invalid("metadata", "metadata must be an object whose values are strings.")
		}
		if order.Metadata == nil {
			order.Metadata = map[string]string{}
		}
		order.Metadata[name] = *value
	}
	return nil
}

func readLife(raw json.RawMessage, order *batch.Order) error {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	var policy struct {
		Anchor  string      `json:"anchor"`
		Seconds json.Number `json:"seconds"`
	}
	if json.Unmarshal(raw, &policy) != nil {
		return gateway.Invalid("output_expires_after", "output_expires_after must be an object with anchor and seconds.")
	}
	var err error
	order.OutputExpiresAfter, err = lifetime("output_expires_after", policy.Anchor, policy.Seconds.String(), true)
	return err
}

func (s *Server) listBatches(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	page, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	batches, err := s.Batches.List(r.Context(), p, page)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, batches)
}

func (s *Server) getBatch(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	b, err := s.Batches.Get(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, b)
}

func (s *Server) cancelBatch(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	b, err := s.Batches.Cancel(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, b)
}
