package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/auth"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
	"github.com/sluice-gateway/sluice/shared/store"
)

func (s *Server) spendRoutes() []route {
	return []route{{"GET", "/spend/logs", anyKey, s.spendLogs}}
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

func logOf(e ledger.Entry) spendLog {
	l := spendLog{
		RequestID: e.ID, CallID: e.CallID, CallType: string(e.Op), APIKey: e.Key, Spend: json.Number(e.Cost.String()),
		TotalTokens: e.Usage.Total(), PromptTokens: e.Usage.InputTokens, CompletionTokens: e.Usage.OutputTokens,
		StartTime: stamp(e.Started), EndTime: stamp(e.Ended), Model: e.Vendor, ModelGroup: e.Model, Provider: e.Provider,
		User: e.User, TeamID: e.Team, EndUser: e.EndUser, Tags: append([]string{}, e.Tags...), DurationMS: (e.Ended - e.Started) / 1000,
		Status: "failure", Outcome: e.Outcome, Usage: e.Usage, PriceBook: e.Book, Priced: e.Priced, BatchID: e.Batch, CustomID: e.CustomID,
	}
	if e.Outcome == gateway.BilledActual {
		l.Status = "success"
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

// spendLogs lists ledger entries, the newest first: the admin sees all, a virtual key its own.
func (s *Server) spendLogs(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	query := r.URL.Query()
	filter := ledger.Filter{Key: query.Get("api_key"), User: query.Get("user_id")}
	if strings.HasPrefix(filter.Key, "sk-") {
		filter.Key = auth.Hash(gateway.Secret(filter.Key))
	}
	if !p.Admin {
		filter.Key = p.KeyHash
	}
	var err error
	if filter.From, err = date(query.Get("start_date"), "start_date", 0); err != nil {
		return err
	}
	if filter.To, err = date(query.Get("end_date"), "end_date", 24*time.Hour); err != nil {
		return err
	}
	limit, err := whole(query, "limit", 0, 1, 1_000_000)
	if err != nil {
		return err
	}
	filter.Limit = int(limit)
	if id := query.Get("request_id"); id != "" {
		return s.spendLog(w, r, p, id)
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

func (s *Server) spendLog(w http.ResponseWriter, r *http.Request, p gateway.Principal, id string) error {
	var entry ledger.Entry
	logs := []spendLog{}
	_, err := s.Store.Get(r.Context(), ledger.Entries.Ref(id), &entry)
	switch {
	case err == nil && (p.Admin || entry.Key == p.KeyHash):
		logs = append(logs, logOf(entry))
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	return writeJSON(w, http.StatusOK, logs)
}

// date reads a day, or a time, as Unix microseconds; a day stands for its beginning plus past.
func date(text, name string, past time.Duration) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(past).UnixMicro(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMicro(), nil
		}
	}
	return 0, gateway.Invalid(name, "%s must be a date such as 2026-11-22.", name)
}

// writeList streams a JSON array, however long, without holding it. An error before the first item is an ordinary one;
// later the array is left open, so that nobody takes it for whole.
func writeList(w http.ResponseWriter, items func(yield func(any) bool) error) error {
	begun := false
	var broken error
	err := items(func(item any) bool {
		text, err := json.Marshal(item)
		if err != nil {
			broken = err
			return false
		}
		mark := []byte{','}
		if !begun {
			begun, mark[0] = true, '['
			w.Header().Set("Content-Type", "application/json")
		}
		_, broken = w.Write(append(mark, text...))
		return broken == nil
	})
	switch {
	case err == nil && broken == nil && !begun:
		return writeJSON(w, http.StatusOK, []any{})
	case err == nil && broken == nil:
		_, _ = w.Write([]byte{']'})
		return nil
	case begun:
		panic(http.ErrAbortHandler)
	default:
		return errors.Join(err, broken)
	}
}
