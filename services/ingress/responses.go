package ingress

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/dialect/responses"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/jsonedit"
	"github.com/sluice-gateway/sluice/shared/response"
	"github.com/sluice-gateway/sluice/shared/routing"
	"github.com/sluice-gateway/sluice/shared/upstream"
)

// respond serves POST /v1/responses on any model. What the caller wants stored is kept here, so that it can be gone on from whichever
// model answers next.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	call, plan, err := s.ask(w, r, p, gateway.OpResponses, dialect.Hint{Header: r.Header})
	if err != nil {
		return err
	}
	if err := ownOnly(call.Request.Body); err != nil {
		return err
	}
	asked, _ := responses.Of(call.Request)
	keep := func(ctx context.Context) error { return s.keep(ctx, call, asked) }
	if references := responses.References(call.Request.Body); asked.Previous() != "" || len(references) > 0 {
		if plan, err = s.goOn(r, call, plan, asked.Previous(), references); err != nil {
			return err
		}
	}
	return s.serve(w, r, call, plan, keep)
}

// ownOnly refuses what would reach into the provider's account, which all callers share.
func ownOnly(body []byte) error {
	conversation := [...]jsonedit.Field{{Name: "conversation"}}
	if jsonedit.Find(body, conversation[:]); conversation[0].Given() {
		e := gateway.Invalid("conversation", "conversation is not supported: use previous_response_id.")
		e.Code = "unsupported_parameter"
		return e
	}
	return nil
}

// goOn prepares a call that continues a conversation, by the response before it or by items. A deployment that knows them all is asked as
// the caller asked; for others they are written out.
func (s *Server) goOn(r *http.Request, call *upstream.Call, plan routing.Plan, previous string, references []string) (routing.Plan, error) {
	ctx := r.Context()
	var thread []*response.Stored
	var err error
	if previous != "" {
		if thread, err = s.Kept.Thread(ctx, call.Principal, previous); err != nil {
			return nil, noPrevious(err, previous)
		}
	}
	others, err := s.referred(ctx, call.Principal, references)
	if err != nil {
		return nil, err
	}
	if known := knowing(plan, append(others, thread[max(0, len(thread)-1):]...)); known != nil {
		return known, nil
	}
	var history []json.RawMessage
	for _, one := range thread {
		history = append(history, responses.Items(one.Body, one.Input)...)
	}
	for _, one := range others {
		for _, item := range responses.Items(one.Body, one.Input) {
			if slices.Contains(references, idOf(item)) && !slices.ContainsFunc(history, func(h json.RawMessage) bool { return idOf(h) == idOf(item) }) {
				history = append(history, item)
			}
		}
	}
	body, err := responses.Expand(call.Request.Body, history)
	if err != nil {
		return nil, err
	}
	whole, err := responses.Peek(gateway.OpResponses, body, dialect.Hint{Header: r.Header})
	if err != nil {
		return nil, err
	}
	responses.SetPrevious(whole, previous)
	call.Request = whole
	return plan, nil
}

// referred are the responses that have the items.
func (s *Server) referred(ctx context.Context, p gateway.Principal, references []string) (list []*response.Stored, err error) {
	for _, id := range references {
		if slices.ContainsFunc(list, func(one *response.Stored) bool { return slices.Contains(itemIDs(one), id) }) {
			continue
		}
		one, err := s.Kept.Find(ctx, p, id)
		if err != nil {
			if gateway.AsError(err).Kind == gateway.KindNotFound {
				return nil, gateway.Invalid("input", "Item with id '%.64s' not found.", id)
			}
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func itemIDs(one *response.Stored) (ids []string) {
	for _, item := range responses.Items(one.Body, one.Input) {
		ids = append(ids, idOf(item))
	}
	return ids
}

func idOf(item json.RawMessage) string {
	id := [...]jsonedit.Field{{Name: "id"}}
	jsonedit.Find(item, id[:])
	text, _ := id[0].Text()
	return text
}

// knowing is the one deployment of the plan that has answered all of these itself; nil if there is none.
func knowing(plan routing.Plan, all []*response.Stored) routing.Plan {
	for i := range plan {
		if !slices.ContainsFunc(all, func(one *response.Stored) bool { return one.Deployment != plan[i].ID }) {
			return plan[i : i+1]
		}
	}
	return nil
}

func noPrevious(err error, id string) error {
	e := gateway.AsError(err)
	if e.Kind != gateway.KindNotFound {
		return err
	}
	e = gateway.Invalid("previous_response_id", "Previous response with id '%.64s' not found.", id)
	e.Code = "previous_response_not_found"
	return e
}

// keep stores the response, if its caller wants that. It is there before the caller knows that it is complete.
func (s *Server) keep(ctx context.Context, call *upstream.Call, asked responses.Stored) error {
	answered, _ := responses.Of(call.Request)
	body := answered.Body()
	if !asked.Store() || body == nil {
		return nil
	}
	stored := response.Stored{
		ID: answered.ID(), Model: call.Request.Model, Previous: asked.Previous(), Body: body, Input: asked.Input(),
	}
	var output struct {
		Output []struct {
			ID string `json:"id"`
		} `json:"output"`
	}
	_ = json.Unmarshal(body, &output) // it is one of ours, or was read as it passed
	for _, item := range output.Output {
		if item.ID != "" {
			stored.Items = append(stored.Items, item.ID)
		}
	}
	if call.Native() {
		stored.Deployment = call.Attempts[len(call.Attempts)-1].Deployed
	}
	if err := s.Kept.Put(ctx, call.Principal, &stored); err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "The response could not be stored.").WithCause(err)
	}
	return nil
}

func (s *Server) getResponse(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	if r.URL.Query().Get("stream") == "true" {
		return gateway.Invalid("stream", "stream is for responses in the background.")
	}
	stored, err := s.Kept.Get(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, stored.Body)
}

func (s *Server) deleteResponse(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	id := r.PathValue("id")
	if err := s.Kept.Delete(r.Context(), p, id); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"id": id, "object": "response", "deleted": true})
}

// Limits of a list of input items (OpenAI's API document, read 2026-11).
const (
	itemsPage    = 20
	maxItemsPage = 100
)

// inputItems lists what a response was asked with: the last item first, unless order says otherwise.
func (s *Server) inputItems(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	limit := itemsPage
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxItemsPage {
			return gateway.Invalid("limit", "limit must be from 1 to %d.", maxItemsPage)
		}
		limit = n
	}
	order := query.Get("order")
	if order != "" && order != "asc" && order != "desc" {
		return gateway.Invalid("order", "order must be asc or desc.")
	}
	stored, err := s.Kept.Get(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	items, ids, err := identified(stored.Input)
	if err != nil {
		return err
	}
	if order != "asc" {
		slices.Reverse(items)
		slices.Reverse(ids)
	}
	from := 0
	if after := query.Get("after"); after != "" {
		if from = slices.Index(ids, after) + 1; from == 0 {
			return gateway.Invalid("after", "after names no item of this response.")
		}
	}
	to := min(from+limit, len(items))
	list := map[string]any{"object": "list", "data": items[from:to], "has_more": to < len(items), "first_id": nil, "last_id": nil}
	if from < to {
		list["first_id"], list["last_id"] = ids[from], ids[to-1]
	}
	return writeJSON(w, http.StatusOK, list)
}

// identified are the items of a list, and their ids.
func identified(input json.RawMessage) (items []json.RawMessage, ids []string, err error) {
	items = []json.RawMessage{}
	if err := json.Unmarshal(input, &items); err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		var named struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(item, &named); err != nil {
			return nil, nil, err
		}
		ids = append(ids, named.ID)
	}
	return items, ids, nil
}
