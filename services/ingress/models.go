package ingress

import (
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/pricing"
	"github.com/sluice-gateway/sluice/shared/routing"
)

func (s *Server) modelRoutes() []route {
	return []route{
		{"GET", "/v1/models", anyKey, s.listModels},
		{"GET", "/v1/models/{id...}", anyKey, s.getModel},
		{"GET", "/v1/model/info", anyKey, s.modelInfo},
		{"GET", "/v2/model/info", anyKey, s.modelInfoPage},
		{"GET", "/model_group/info", anyKey, s.modelGroups},
		{"POST", "/utils/token_counter", anyKey, s.countTokens},
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

// anthropicModel is a row as Anthropic's clients know it.
type anthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

// listAnthropicModels answers clients that say they are Anthropic's.
func (s *Server) listAnthropicModels(w http.ResponseWriter, p gateway.Principal) error {
	data := []anthropicModel{}
	for _, d := range s.Router.Table().Models(p) {
		data = append(data, anthropicModel{"model", d.Model, d.Model, time.Unix(modelCreated, 0).UTC().Format(time.RFC3339)})
	}
	list := map[string]any{"data": data, "has_more": false, "first_id": nil, "last_id": nil}
	if len(data) > 0 {
		list["first_id"], list["last_id"] = data[0].ID, data[len(data)-1].ID
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	if r.Header.Get("Anthropic-Version") != "" {
		return s.listAnthropicModels(w, p)
	}
	data := []model{}
	for _, d := range s.Router.Table().Models(p) {
		data = append(data, model{d.Model, "model", modelCreated, d.Provider})
	}
	return writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.PathValue("id")
	found, err := s.deployments(p, id)
	if err != nil {
		e := gateway.Errorf(gateway.KindNotFound, "The model %.100q does not exist or you do not have access to it.", id)
		e.Param, e.Code = "model", "model_not_found"
		return e
	}
	return writeJSON(w, http.StatusOK, model{id, "model", modelCreated, found[0].Provider})
}

// deployed is a deployment under the name that was asked for, with what it costs.
type deployed struct {
	routing.Deployment
	id     string // the same in every process
	price  pricing.Price
	priced bool
}

// kinds is an op of each kind: what generates serves every op that does.
var kinds = []gateway.Op{gateway.OpChat, gateway.OpEmbeddings}

// deployments are all that serve a model, whatever the op, if p may call it.
func (s *Server) deployments(p gateway.Principal, name string) (all []deployed, err error) {
	have := map[string]bool{}
	for _, op := range kinds {
		plan, fault := s.Router.Plan(p, op, name)
		if fault != nil {
			err = fault
			continue
		}
		for _, d := range plan {
			if have[d.ID] {
				continue
			}
			have[d.ID] = true
			d.Model = name
			one := deployed{Deployment: d, id: d.ID}
			one.price, one.priced = s.Upstream.Price(&d)
			all = append(all, one)
		}
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

// everyDeployment is all that p may call and may know of, in the order in which the names are listed.
func (s *Server) everyDeployment(p gateway.Principal) (all []deployed) {
	for _, d := range s.Router.Table().Models(p) {
		found, _ := s.deployments(p, d.Model)
		all = append(all, found...)
	}
	return all
}
