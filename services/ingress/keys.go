package ingress

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// The key routes speak LiteLLM's shapes.

func (s *Server) keyRoutes() []route {
	return []route{
		{"POST", "/key/generate", admin, s.generateKey},
		{"GET", "/key/info", anyKey, s.keyInfo},
		{"POST", "/key/update", admin, s.updateKey},
		{"POST", "/key/delete", admin, s.deleteKeys},
		{"GET", "/key/list", admin, s.listKeys},
		{"POST", "/key/block", admin, s.blockKey(true)},
		{"POST", "/key/unblock", admin, s.blockKey(false)},
	}
}

func (s *Server) generateKey(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	secret, key, err := s.Keys.Generate(r.Context(), p, request)
	if err != nil {
		return err
	}
	row := key.Row(0)
	row["key"], row["token"], row["token_id"] = secret.Reveal(), key.Hash, key.Hash
	return writeJSON(w, http.StatusOK, row)
}

func (s *Server) keyRow(ctx context.Context, key *auth.Key) (map[string]any, error) {
	spent, err := ledger.Spent(ctx, s.Store, ledger.ByKey, key.Hash)
	return key.Row(spent), err
}

func (s *Server) keyInfo(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked := r.URL.Query().Get("key")
	if asked == "" {
		asked = p.KeyHash
	}
	key, err := s.Keys.Info(r.Context(), asked)
	if err == nil && !p.Admin && key.Hash != p.KeyHash {
		err = gateway.Errorf(gateway.KindForbidden, "You are not allowed to access this key's info.")
	}
	if err != nil {
		return err
	}
	row, err := s.keyRow(r.Context(), key)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"key": asked, "info": row})
}

// keyIn reads the key that a request is about.
func (s *Server) keyIn(w http.ResponseWriter, r *http.Request) (key string, request map[string]json.RawMessage, err error) {
	if request, err = s.readObject(w, r); err == nil {
		err = readField(request, "key", &key, "a string")
	}
	return key, request, err
}

func (s *Server) updateKey(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	asked, request, err := s.keyIn(w, r)
	if err != nil {
		return err
	}
	key, err := s.Keys.Update(r.Context(), p, asked, request)
	if err != nil {
		return err
	}
	row, err := s.keyRow(r.Context(), key)
	if err != nil {
		return err
	}
	row["key"] = asked
	return writeJSON(w, http.StatusOK, row)
}

func (s *Server) blockKey(blocked bool) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		asked, _, err := s.keyIn(w, r)
		if err != nil {
			return err
		}
		key, err := s.Keys.Block(r.Context(), p, asked, blocked)
		if err != nil {
			return err
		}
		row, err := s.keyRow(r.Context(), key)
		if err != nil {
			return err
		}
		row["token"] = key.Hash
		return writeJSON(w, http.StatusOK, row)
	}
}

// maxDeletes is how many keys one request may name.
const maxDeletes = 500

func (s *Server) deleteKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	var keys, aliases []string
	field, into := "keys", &keys
	if _, byAlias := request["key_aliases"]; byAlias {
		field, into = "key_aliases", &aliases
	}
	if err := readField(request, field, into, "a list of strings"); err != nil {
		return err
	}
	if n := len(keys) + len(aliases); n == 0 || n > maxDeletes {
		return gateway.Invalid(field, "%s must name 1 to %d keys.", field, maxDeletes)
	}
	for _, name := range aliases {
		hash, err := s.Keys.ByAlias(r.Context(), name)
		if err != nil {
			return err
		}
		keys = append(keys, hash)
	}
	for _, key := range keys { // all must exist before one goes
		if _, err := s.Keys.Info(r.Context(), key); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if _, err := s.Keys.Delete(r.Context(), p, key); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, map[string]any{"deleted_keys": keys})
}

func (s *Server) listKeys(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	query := r.URL.Query()
	page, err := whole(query, "page", 1, 1, 1_000_000)
	if err != nil {
		return err
	}
	size, err := whole(query, "size", 10, 1, 100)
	if err != nil {
		return err
	}
	filter := auth.Filter{User: query.Get("user_id"), Team: query.Get("team_id")}
	total, err := s.Keys.Count(r.Context(), filter)
	if err != nil {
		return err
	}
	full := query.Get("return_full_object") == "true"
	keys, n := []any{}, int64(0)
	for key, err := range s.Keys.List(r.Context(), filter, int(page*size)) {
		if err != nil {
			return err
		}
		if n++; n <= (page-1)*size {
			continue
		}
		item, err := s.listed(r.Context(), key, full)
		if err != nil {
			return err
		}
		keys = append(keys, item)
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"keys": keys, "total_count": total, "current_page": page, "total_pages": (total + size - 1) / size,
	})
}

func (s *Server) listed(ctx context.Context, key *auth.Key, full bool) (any, error) {
	if !full {
		return key.Hash, nil
	}
	row, err := s.keyRow(ctx, key)
	row["token"] = key.Hash
	return row, err
}

// whole reads a whole number from the query.
func whole(query url.Values, name string, missing, least, most int64) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, gateway.Invalid(name, "%s must be a whole number from %d to %d.", name, least, most)
	}
	return n, nil
}
