package ingress

import (
	"net/http"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func (s *Server) modelRoutes() []route {
	return []route{
		{"GET", "/v1/models", anyKey, s.listModels},
		{"GET", "/v1/models/{id...}", anyKey, s.getModel},
	}
}

// model is a row of /v1/models.
type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// modelCreated is the constant that LiteLLM answers for every model; clients want a number there.
const modelCreated = 1677610602

func modelOf(d routing.Deployment) model {
	return model{d.Model, "model", modelCreated, d.Provider}
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request, p gateway.Principal) error {
	data := []model{}
	for _, d := range s.Router.Table().Models(p) {
		data = append(data, modelOf(d))
	}
	return writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.PathValue("id")
	plan, err := s.Router.Plan(p, "", id)
	if err != nil {
		e := gateway.Errorf(gateway.KindNotFound, "The model %.100q does not exist or you do not have access to it.", id)
		e.Param, e.Code = "model", "model_not_found"
		return e
	}
	found := modelOf(plan[0])
	found.ID = id
	return writeJSON(w, http.StatusOK, found)
}
