// Package responses is the wire of OpenAI's Responses API (API reference, read 2026-11), which keeps what it has answered.
package responses

import (
	"net/http"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/openai"
	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

// maker seals thoughts.
const maker = "openai"

type object = map[string]any

// Store keeps the responses of one provider.
type Store struct {
	mu   sync.Mutex
	kept map[string]kept
}

// kept is a response, and the items that it was made from and has made.
type kept struct {
	response      object
	input, output []any
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{kept: map[string]kept{}} }

func (s *Store) get(id string) (kept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[id]
	return k, ok
}

func (s *Store) put(id string, k kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[id] = k
}

func (s *Store) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[id]
	delete(s.kept, id)
	return ok
}

// hasItem is whether some kept response has an item with this id.
func (s *Store) hasItem(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		for _, item := range k.output {
			if m, _ := item.(object); m["id"] == id {
				return true
			}
		}
	}
	return false
}

// Target finds the operation of a method and a path without its version, or nil.
func (s *Store) Target(method, path string, azure bool) *wire.Target {
	f := Create{openai.Vendor{Azure: azure}, s}
	rest, ok := strings.CutPrefix(path, "/responses")
	id, action, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	switch {
	case !ok || rest != "" && rest[0] != '/':
		return nil
	case method == http.MethodPost && rest == "":
		return &wire.Target{Op: "responses", Format: f}
	case method == http.MethodPost && rest == "/input_tokens":
		return &wire.Target{Op: "count_tokens", Format: count{f}, Free: true}
	case id == "":
		return nil
	}
	return &wire.Target{Format: f, Handle: func(w http.ResponseWriter, r *http.Request) { f.handle(w, r.Method+" "+action, id) }}
}

// handle reads and deletes what is kept.
func (f Create) handle(w http.ResponseWriter, what, id string) {
	k, found := f.store.get(id)
	var answer any
	switch {
	case !found:
		f.refuse(w, http.StatusNotFound, "Response with id '"+id+"' not found.")
		return
	case what == "GET ":
		answer = k.response
	case what == "GET input_items":
		answer = object{"object": "list", "data": k.input, "has_more": false, "first_id": nil, "last_id": nil}
	case what == "DELETE ":
		f.store.remove(id)
		answer = object{"id": id, "object": "response", "deleted": true}
	default:
		f.refuse(w, http.StatusBadRequest, "Only responses created with background=true can be cancelled.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(wire.JSON(answer))
}

func (f Create) refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(wire.JSON(object{"error": object{"message": message, "type": "invalid_request_error", "param": nil, "code": nil}}))
}

// count is POST responses/input_tokens.
type count struct{ Create }

// Whole implements wire.Format.
func (count) Whole(r *wire.Reply) any {
	return object{"object": "response.input_tokens", "input_tokens": r.Call.Prompt.Tokens()}
}

// Stream implements wire.Format: there is none.
func (count) Stream(*wire.Reply) wire.Stream { return nil }

// usage is a usage report.
type usage struct {
	Input         int64  `json:"input_tokens"`
	InputDetails  object `json:"input_tokens_details"`
	Output        int64  `json:"output_tokens"`
	OutputDetails object `json:"output_tokens_details"`
	Total         int64  `json:"total_tokens"`
}

// Usage implements wire.Format.
func (Create) Usage(_ *wire.Call, t wire.Tokens) any {
	return usage{
		t.Prompt, object{"cached_tokens": t.Cached}, t.Completion, object{"reasoning_tokens": t.Reasoning}, t.Prompt + t.Completion,
	}
}
