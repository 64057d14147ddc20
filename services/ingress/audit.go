package ingress

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/gateway"
)

func (s *Server) auditRoutes() []route {
	return []route{{"GET", "/audit", viewer, s.listAudit}}
}

// auditRow is a record in LiteLLM's words.
func auditRow(r audit.Record) map[string]any {
	row := map[string]any{
		"id": r.ID, "updated_at": stamp(r.At), "changed_by": r.Actor, "changed_by_api_key": r.Key, "action": r.Action,
		"table_name": r.Table, "object_id": r.Object, "fields": r.Fields, "before_value": nil, "updated_values": nil,
	}
	if r.Before != "" {
		row["before_value"] = json.RawMessage(r.Before)
	}
	if r.After != "" {
		row["updated_values"] = json.RawMessage(r.After)
	}
	return row
}

func auditFilter(query url.Values) (f audit.Filter, err error) {
	f.Table, f.Object = first(query, "table", "table_name"), first(query, "object", "object_id")
	f.Actor = first(query, "actor", "changed_by")
	if f.Table != "" && f.Object+f.Actor != "" || f.Object != "" && f.Actor != "" {
		return f, gateway.Invalid("table", "Filter by one of table, object and actor, not by several.")
	}
	if f.From, err = date(first(query, "start", "start_date"), "start_date", 0); err == nil {
		f.To, err = date(first(query, "end", "end_date"), "end_date", 24*time.Hour)
	}
	return f, err
}

func (s *Server) listAudit(w http.ResponseWriter, r *http.Request, _ gateway.Principal) error {
	query := r.URL.Query()
	filter, err := auditFilter(query)
	if err != nil {
		return err
	}
	sizeName := "size"
	if query.Get(sizeName) == "" {
		sizeName = "page_size"
	}
	paging, err := pageIn(query, sizeName, 10, 100)
	if err != nil {
		return err
	}
	total, err := audit.Count(r.Context(), s.Store, filter)
	if err != nil {
		return err
	}
	filter.Limit = paging.page * paging.size
	skip, rows := paging.skip(), []any{}
	if int64(skip) < total {
		for record, err := range audit.Select(r.Context(), s.Store, filter) {
			if err != nil {
				return err
			}
			if skip--; skip < 0 {
				rows = append(rows, auditRow(record))
			}
		}
	}
	return writeJSON(w, http.StatusOK, paging.of("audit_logs", rows, total))
}
