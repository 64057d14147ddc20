package ingress

import (
	"context"
	"net/http"

	"github.com/sluice-gateway/sluice/shared/account"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) tagRoutes() []route {
	return []route{
		{"POST", "/tag/new", admin, s.newTag},
		{"POST", "/tag/update", admin, s.updateTag},
		{"POST", "/tag/delete", admin, s.deleteTag},
		{"POST", "/tag/info", viewer, s.tagInfo},
		{"GET", "/tag/list", viewer, s.listTags},
	}
}

func (s *Server) tagRow(ctx context.Context, tag *account.Account) (map[string]any, error) {
	row, err := s.accountRow(ctx, tag)
	if err == nil {
		row["model_info"] = struct{}{}
	}
	return row, err
}

func (s *Server) answerTag(w http.ResponseWriter, r *http.Request, tag *account.Account, done string) error {
	row, err := s.tagRow(r.Context(), tag)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"message": "Tag " + tag.ID + " " + done + " successfully", "tag": row})
}

func (s *Server) newTag(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	name, request, err := s.about(w, r, "name")
	if err != nil {
		return err
	}
	made, err := s.Accounts.Create(r.Context(), by(r, p), account.Draft{Kind: account.Tag, ID: name, Fields: request})
	if err != nil {
		return err
	}
	return s.answerTag(w, r, made[0], "created")
}

func (s *Server) updateTag(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	name, request, err := s.about(w, r, "name")
	if err != nil {
		return err
	}
	tag, err := s.Accounts.Update(r.Context(), by(r, p), account.Tag, name, request)
	if err != nil {
		return err
	}
	return s.answerTag(w, r, tag, "updated")
}

func (s *Server) deleteTag(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	name, _, err := s.about(w, r, "name")
	if err != nil {
		return err
	}
	if _, err := s.Accounts.Delete(r.Context(), by(r, p), account.Tag, name); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"message": "Tag " + name + " deleted successfully"})
}

// tagInfo answers with the named tags, by name; all of them must exist.
func (s *Server) tagInfo(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	request, err := s.readObject(w, r)
	if err != nil {
		return err
	}
	names, err := idsIn(request, "names")
	if err != nil {
		return err
	}
	rows := map[string]any{}
	for _, name := range names {
		tag, err := s.Accounts.Get(r.Context(), account.Tag, name)
		if err != nil {
			return err
		}
		if rows[name], err = s.tagRow(r.Context(), tag); err != nil {
			return err
		}
	}
	return writeJSON(w, http.StatusOK, rows)
}

func (s *Server) listTags(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	return s.listAccounts(w, r, account.Filter{Kind: account.Tag}, s.tagRow)
}
