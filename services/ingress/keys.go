package ingress

import (
	"encoding/json"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

// The key routes speak LiteLLM's shapes. Who may do what is the manager's to say.

func (s *Server) keyRoutes() []route {
	return []route{
		{"POST", "/key/generate", anyKey, s.generateKey},
		{"POST", "/key/service-account/generate", anyKey, s.generateServiceKey},
		{"POST", "/key/update", anyKey, s.updateKey},
		{"POST", "/key/bulk_update", anyKey, s.updateKeys},
		{"POST", "/key/delete", anyKey, s.deleteKeys},
		{"POST", "/key/block", anyKey, s.blockKey(true)},
		{"POST", "/key/unblock", anyKey, s.blockKey(false)},
		{"POST", "/key/regenerate", anyKey, s.regenerateKey},
		{"POST", "/key/{key}/regenerate", anyKey, s.regenerateKey},
		{"POST", "/key/{key}/reset_spend", anyKey, s.resetKeySpend},
		{"POST", "/key/health", anyKey, keyHealth},
		{"GET", "/key/info", anyKey, s.keyInfo},
		{"POST", "/v2/key/info", anyKey, s.keyInfos},
		{"GET", "/key/list", anyKey, s.listKeys},
		{"GET", "/key/aliases", anyKey, s.keyAliases},
	}
}

// by is who makes a change. Only an admin may say that somebody else did.
func by(r *http.Request, p gateway.Principal) audit.By {
	b := audit.By{Principal: p}
	if p.Admin {
		b.ChangedBy = r.Header.Get("Litellm-Changed-By")
	}
	return b
}

// keysIf changes keys only in the state that the request's If-Match names.
func (s *Server) keysIf(r *http.Request) *auth.Manager { return s.Keys.If(r.Header.Get("If-Match")) }

func (s *Server) generateKey(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	return s.generateFrom(w, r, p, request)
}

// generateServiceKey makes a key that belongs to a team and to no user.
func (s *Server) generateServiceKey(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	var team, user string
	if err := readField(request, "team_id", &team, "a string"); err != nil {
		return err
	}
	if field.Read(request, "user_id", &user); user != "" || team == "" {
		return gateway.Invalid("user_id", "A service account's key belongs to a team_id and to no user_id.")
	}
	request["user_id"] = json.RawMessage("null")
	return s.generateFrom(w, r, p, request)
}

func (s *Server) generateFrom(w http.ResponseWriter, r *http.Request, p gateway.Principal, request field.Request) error {
	secret, key, err := s.Keys.Generate(r.Context(), by(r, p), request)
	if err != nil {
		return err
	}
	return s.writeSecret(w, r, key, secret, request)
}

// writeSecret answers with a key and its secret, which nobody will see again.
func (s *Server) writeSecret(w http.ResponseWriter, r *http.Request, key *auth.Key, secret gateway.Secret, request field.Request) error {
	row, err := s.keyRow(r.Context(), key)
	if err != nil {
		return err
	}
	for _, name := range []string{"duration", "key_type", "send_invite_email"} {
		row[name] = request[name]
	}
	row["key"], row["token_id"] = secret.Reveal(), key.ID
	return writeKey(w, key, row)
}

func writeKey(w http.ResponseWriter, key *auth.Key, row any) error {
	w.Header().Set("ETag", key.ETag())
	return writeJSON(w, http.StatusOK, row)
}

// keyIn reads the key that a request is about.
func (s *Server) keyIn(w http.ResponseWriter, r *http.Request) (key string, request field.Request, err error) {
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
	key, err := s.keysIf(r).Update(r.Context(), by(r, p), asked, request)
	if err != nil {
		return err
	}
	row, err := s.keyRow(r.Context(), key)
	if err != nil {
		return err
	}
	row["key"] = asked
	return writeKey(w, key, row)
}

// maxKeys is how many keys one request may name.
const maxKeys = 500

// updateKeys changes many keys, each by itself: those that fail do not stop the others.
func (s *Server) updateKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	var items []field.Request
	if err := readField(request, "keys", &items, "a list of objects"); err != nil {
		return err
	}
	if len(items) == 0 || len(items) > maxKeys {
		return gateway.Invalid("keys", "keys must have 1 to %d items.", maxKeys)
	}
	updated, failed := []any{}, []any{}
	for _, item := range items {
		var asked string
		err := readField(item, "key", &asked, "a string")
		var row map[string]any
		if err == nil {
			row, err = s.updateOne(r, p, asked, item)
		}
		if err != nil {
			failed = append(failed, map[string]any{"key": asked, "key_info": nil, "failed_reason": gateway.AsError(err).Message})
			continue
		}
		updated = append(updated, map[string]any{"key": asked, "key_info": row})
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"total_requested": len(items), "successful_updates": updated, "failed_updates": failed,
	})
}

func (s *Server) updateOne(r *http.Request, p gateway.Principal, asked string, request field.Request) (map[string]any, error) {
	key, err := s.Keys.Update(r.Context(), by(r, p), asked, request)
	if err != nil {
		return nil, err
	}
	return s.keyRow(r.Context(), key)
}

func (s *Server) blockKey(blocked bool) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		asked, _, err := s.keyIn(w, r)
		if err != nil {
			return err
		}
		key, err := s.keysIf(r).Block(r.Context(), by(r, p), asked, blocked)
		if err != nil {
			return err
		}
		row, err := s.keyRow(r.Context(), key)
		if err != nil {
			return err
		}
		return writeKey(w, key, row)
	}
}

func (s *Server) deleteKeys(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	name := "keys"
	if _, byAlias := request["key_aliases"]; byAlias {
		name = "key_aliases"
	}
	var asked []string
	if err := readField(request, name, &asked, "a list of strings"); err != nil {
		return err
	}
	if len(asked) == 0 || len(asked) > maxKeys {
		return gateway.Invalid(name, "%s must name 1 to %d keys.", name, maxKeys)
	}
	keys := append([]string{}, asked...)
	if name == "key_aliases" {
		for i, alias := range asked {
			if keys[i], err = s.Keys.ByAlias(r.Context(), alias); err != nil {
				return err
			}
		}
	}
	if err := s.keysIf(r).DeleteAll(r.Context(), by(r, p), keys); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"deleted_keys": asked})
}
