package ingress

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

func (s *Server) spendRoutes() []route {
	return []route{
		{"GET", "/spend/logs", anyKey, s.spendLogs},
		{"GET", "/spend/logs/v2", anyKey, s.pageLogs},
		{"GET", "/spend/keys", anyKey, s.spendKeys},
		{"GET", "/spend/users", anyKey, s.spendUsers},
		{"GET", "/spend/tags", anyKey, s.spendTags},
		{"POST", "/spend/calculate", anyKey, s.calculate},
		{"GET", "/spend/explain/{id}", anyKey, s.explain},
		{"GET", "/spend/reconcile", viewer, s.reconcile},
		{"POST", "/spend/rebuild", admin, s.rebuild},
		{"POST", "/global/spend/reset", admin, s.resetAll},

		{"GET", "/global/spend", anyKey, s.globalSpend},
		{"GET", "/global/spend/report", anyKey, s.spendReport},
		{"GET", "/global/spend/logs", anyKey, s.globalDays},
		{"GET", "/global/spend/keys", anyKey, s.globalKeys},
		{"GET", "/global/spend/teams", anyKey, s.globalTeams},
		{"GET", "/global/spend/models", anyKey, s.globalModels()},
		{"GET", "/global/spend/tags", anyKey, s.globalTags},
		{"GET", "/global/spend/provider", anyKey, s.globalProviders()},
		{"GET", "/global/activity", anyKey, s.globalActivity},
		{"GET", "/user/daily/activity", anyKey, s.userActivity},
		{"GET", "/team/daily/activity", anyKey, s.teamActivity},
	}
}

// spendLog is a ledger entry in LiteLLM's words. Prompts and answers are not kept, so messages and response are empty.
type spendLog struct {
	RequestID        string          `json:"request_id"`
	CallID           string          `json:"call_id"`
	CallType         string          `json:"call_type"`
	APIKey           string          `json:"api_key"`
	Spend            json.Number     `json:"spend"`
	TotalTokens      int64           `json:"total_tokens"`
	PromptTokens     int64           `json:"prompt_tokens"`
	CompletionTokens int64           `json:"completion_tokens"`
	StartTime        string          `json:"startTime"`
	EndTime          string          `json:"endTime"`
	FirstToken       *string         `json:"completionStartTime"`
	Model            string          `json:"model"`
	ModelGroup       string          `json:"model_group"`
	Provider         string          `json:"custom_llm_provider"`
	User             string          `json:"user"`
	TeamID           string          `json:"team_id"`
	OrgID            string          `json:"organization_id"`
	ModelID          string          `json:"model_id"`
	APIBase          string          `json:"api_base"`
	SessionID        string          `json:"session_id"`
	CacheHit         string          `json:"cache_hit"` // "False": answers are not cached
	CacheKey         string          `json:"cache_key"`
	RequesterIP      *string         `json:"requester_ip_address"` // not kept
	Metadata         logMetadata     `json:"metadata"`
	EndUser          string          `json:"end_user"`
	Tags             []string        `json:"request_tags"`
	DurationMS       int64           `json:"request_duration_ms"`
	Status           string          `json:"status"`
	Outcome          gateway.Outcome `json:"outcome"`
	Usage            gateway.Usage   `json:"usage"`
	PriceBook        string          `json:"price_book"`
	Priced           bool            `json:"priced"`
	BatchID          string          `json:"batch_id,omitempty"`
	CustomID         string          `json:"custom_id,omitempty"`
	Messages         struct{}        `json:"messages"`
	Response         struct{}        `json:"response"`
}

// logMetadata is what LiteLLM's clients look for there.
type logMetadata struct {
	Key      string  `json:"user_api_key"`
	KeyAlias *string `json:"user_api_key_alias"`
	User     string  `json:"user_api_key_user_id"`
	Team     string  `json:"user_api_key_team_id"`
	Org      string  `json:"user_api_key_org_id"`
	Status   string  `json:"status"`
	Error    string  `json:"error_code,omitempty"`
	Retries  int     `json:"attempted_retries"`
}

func logOf(e ledger.Entry) spendLog {
	l := spendLog{
		RequestID: e.ID, CallID: e.CallID, CallType: string(e.Op), APIKey: e.Key, Spend: json.Number(e.Cost.String()),
		TotalTokens: e.Usage.Total(), PromptTokens: e.Usage.InputTokens, CompletionTokens: e.Usage.OutputTokens,
		StartTime: stamp(e.Started), EndTime: stamp(e.Ended), Model: e.Vendor, ModelGroup: e.Model, Provider: e.Provider,
		User: e.User, TeamID: e.Team, EndUser: e.Customer, Tags: append([]string{}, e.Tags...), DurationMS: (e.Ended - e.Started) / 1000,
		Status: "failure", Outcome: e.Outcome, Usage: e.Usage, PriceBook: e.Book, Priced: e.Priced, BatchID: e.Batch, CustomID: e.CustomID,
	}
	if e.Outcome == gateway.BilledActual {
		l.Status = "success"
	}
	l.OrgID, l.ModelID, l.APIBase, l.SessionID, l.CacheHit, l.CacheKey = e.Org, e.Deployed, e.Base, e.CallID, "False", "Cache OFF"
	l.Metadata = logMetadata{Key: e.Key, User: e.User, Team: e.Team, Org: e.Org, Status: l.Status, Error: e.Error, Retries: e.Try}
	if e.KeyAlias != "" {
		l.Metadata.KeyAlias = &e.KeyAlias
	}
	if e.First != 0 {
		first := stamp(e.First)
		l.FirstToken = &first
	}
	return l
}

func stamp(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z07:00")
}

// logFilter reads which entries a request is about, and its caller may see. The id names a single one.
func (s *Server) logFilter(r *http.Request, p gateway.Principal) (f ledger.Filter, id string, err error) {
	v, err := s.viewOf(r, p)
	if err != nil {
		return f, "", err
	}
	query := r.URL.Query()
	f = ledger.Filter{Key: v.key, User: v.user}
	if len(v.teams) > 1 {
		return f, "", gateway.Invalid("team_id", "team_id must name one team.")
	}
	if len(v.teams) == 1 {
		f.Team = v.teams[0]
	}
	if f.From, err = date(query.Get("start_date"), "start_date", 0); err != nil {
		return f, "", err
	}
	f.To, err = date(query.Get("end_date"), "end_date", 24*time.Hour)
	return f, query.Get("request_id"), err
}

// spendLogs lists ledger entries, the newest first, or what each day came to if the request names both dates and does not forbid
// a summary.
func (s *Server) spendLogs(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	filter, id, err := s.logFilter(r, p)
	if err != nil {
		return err
	}
	limit, err := whole(query, "limit", 0, 1, 1_000_000)
	if err != nil {
		return err
	}
	filter.Limit = int(limit)
	summarize, err := truth(query, "summarize", true)
	if err != nil {
		return err
	}
	switch {
	case id != "":
		logs, err := s.logsOf(r, filter, id)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, logs)
	case summarize && filter.From != 0 && filter.To != 0:
		return s.summary(w, r, p)
	}
	return writeList(w, func(yield func(any) bool) error {
		for entry, err := range ledger.Select(r.Context(), s.Store, filter) {
			if err != nil {
				return err
			}
			if !yield(logOf(entry)) {
				return nil
			}
		}
		return nil
	})
}

// logsOf are the attempts of the call of that id, the last first, or the one attempt of that id, where the filter admits them.
func (s *Server) logsOf(r *http.Request, f ledger.Filter, id string) ([]spendLog, error) {
	tries, err := ledger.OfCall(r.Context(), s.Store, id)
	logs := []spendLog{}
	for _, e := range slices.Backward(tries) {
		if (e.ID == id || tries[0].ID == id) && f.Admits(&e) {
			logs = append(logs, logOf(e))
		}
	}
	return logs, err
}

// pageLogs lists ledger entries page by page.
func (s *Server) pageLogs(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	paging, err := pageIn(r.URL.Query(), "page_size", 50, 1000)
	if err != nil {
		return err
	}
	filter, id, err := s.logFilter(r, p)
	if err != nil {
		return err
	}
	if id != "" {
		logs, err := s.logsOf(r, filter, id)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, paging.of("data", logs, int64(len(logs))))
	}
	total, err := ledger.Count(r.Context(), s.Store, filter)
	if err != nil {
		return err
	}
	filter.Skip, filter.Limit = paging.skip(), paging.size
	logs := []spendLog{}
	if int64(filter.Skip) < total {
		for entry, err := range ledger.Select(r.Context(), s.Store, filter) {
			if err != nil {
				return err
			}
			logs = append(logs, logOf(entry))
		}
	}
	return writeJSON(w, http.StatusOK, paging.of("data", logs, total))
}

// summary is what each day came to, with users, models and keys: those of the days are named beside "startTime" and "spend".
func (s *Server) summary(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.between(r, p)
	if err != nil {
		return err
	}
	type sums map[string]gateway.NanoUSD
	type day struct {
		spend               gateway.NanoUSD
		users, models, keys sums
	}
	byDay := map[string]*day{}
	for f, err := range s.facts(r.Context(), v) {
		if err != nil {
			return err
		}
		d := byDay[f.Day]
		if d == nil {
			d = &day{0, sums{}, sums{}, sums{}}
			byDay[f.Day] = d
		}
		d.spend = d.spend.Plus(f.Spend)
		d.users[f.User] = d.users[f.User].Plus(f.Spend)
		d.models[f.Model] = d.models[f.Model].Plus(f.Spend)
		d.keys[f.Key] = d.keys[f.Key].Plus(f.Spend)
	}
	shown := func(s sums) map[string]any {
		row := map[string]any{}
		for name, spend := range s {
			row[name] = dollars(spend)
		}
		return row
	}
	rows := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(byDay)) {
		d := byDay[name]
		row := shown(d.keys)
		row["startTime"], row["spend"], row["users"], row["models"] = name, dollars(d.spend), shown(d.users), shown(d.models)
		rows = append(rows, row)
	}
	return writeJSON(w, http.StatusOK, rows)
}
