package ingress

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// globalActivity tells how many requests and tokens each day had.
func (s *Server) globalActivity(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.between(r, p)
	if err != nil {
		return err
	}
	type day struct {
		Date     string `json:"date"`
		Requests int64  `json:"api_requests"`
		Tokens   int64  `json:"total_tokens"`
	}
	list, last := []day{}, ""
	var requests, tokens int64
	for f, err := range s.facts(r.Context(), v) {
		if err != nil {
			return err
		}
		if f.Day != last {
			at, _ := time.Parse(time.DateOnly, f.Day)
			last, list = f.Day, append(list, day{Date: at.Format("Jan 02")})
		}
		today := &list[len(list)-1]
		today.Requests += f.Attempts
		today.Tokens += f.Total()
		requests += f.Attempts
		tokens += f.Total()
	}
	return writeJSON(w, http.StatusOK, map[string]any{"daily_data": list, "sum_api_requests": requests, "sum_total_tokens": tokens})
}

// metrics are sums in LiteLLM's words.
type metrics struct {
	Spend         json.Number `json:"spend"`
	Prompt        int64       `json:"prompt_tokens"`
	Completion    int64       `json:"completion_tokens"`
	CacheRead     int64       `json:"cache_read_input_tokens"`
	CacheCreation int64       `json:"cache_creation_input_tokens"`
	Total         int64       `json:"total_tokens"`
	Successful    int64       `json:"successful_requests"`
	Failed        int64       `json:"failed_requests"`
	Requests      int64       `json:"api_requests"`
}

func metricsOf(s *ledger.Sums) metrics {
	return metrics{dollars(s.Spend), s.InputTokens, s.OutputTokens, s.CachedTokens, 0, s.Total(), s.Successes, s.Failures, s.Attempts}
}

// part is one line of a day's breakdown.
type part struct {
	sums     ledger.Sums
	metadata map[string]any
}

// MarshalJSON implements json.Marshaler.
func (p *part) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Metrics  metrics        `json:"metrics"`
		Metadata map[string]any `json:"metadata"`
	}{metricsOf(&p.sums), p.metadata})
}

type parts map[string]*part

// add adds a fact to the part of that name, which is made with the metadata.
func (ps parts) add(name string, f *ledger.Fact, metadata func() map[string]any) {
	if name == "" {
		return
	}
	one := ps[name]
	if one == nil {
		one = &part{metadata: map[string]any{}}
		if metadata != nil {
			one.metadata = metadata()
		}
		ps[name] = one
	}
	one.sums.Add(&f.Sums)
}

type breakdown struct {
	Models     parts `json:"models"`
	Groups     parts `json:"model_groups"`
	MCPServers parts `json:"mcp_servers"`
	Providers  parts `json:"providers"`
	Keys       parts `json:"api_keys"`
	Entities   parts `json:"entities"` // users or teams
}

// activeDay is one day of somebody's activity.
type activeDay struct {
	Date      string    `json:"date"`
	Metrics   metrics   `json:"metrics"`
	Breakdown breakdown `json:"breakdown"`

	sums ledger.Sums
}

func newDay(date string) *activeDay {
	d := &activeDay{Date: date}
	d.Breakdown = breakdown{parts{}, parts{}, parts{}, parts{}, parts{}, parts{}}
	return d
}

// maxDays is how long a range of days may be.
const maxDays = 5 * 366

// dailyActivity tells what happened on each day, the last one first, in pages of days. entity says whom a fact is of.
func (s *Server) dailyActivity(entity func(*ledger.Fact) string, metadata func(r *http.Request, id string) (map[string]any, error)) handler {
	return func(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
		v, err := s.between(r, p)
		if err != nil {
			return err
		}
		paging, err := pageIn(r.URL.Query(), "page_size", 50, 1000)
		if err != nil {
			return err
		}
		pages, err := v.turn(paging)
		if err != nil {
			return err
		}
		span := v.span()
		span.Desc = true
		var total ledger.Sums
		return writeObject(w, "results", func(yield func(any) bool) error {
			var today *activeDay
			end := func() bool {
				if today == nil {
					return true
				}
				today.Metrics = metricsOf(&today.sums)
				total.Add(&today.sums)
				return yield(today)
			}
			for f, err := range s.selected(r.Context(), v, span) {
				if err != nil {
					return err
				}
				if entity(f) == "" {
					continue
				}
				if today == nil || today.Date != f.Day {
					if !end() {
						return nil
					}
					today = newDay(f.Day)
				}
				if err := today.add(f, entity(f), func(id string) (map[string]any, error) { return metadata(r, id) }); err != nil {
					return err
				}
			}
			end()
			return nil
		}, func() map[string]any { return totalsOf(&total, paging, pages) })
	}
}

// turn narrows the view to a page of its days, counted from the last, and tells how many pages there are.
func (v *view) turn(p paging) (pages int, err error) {
	from, _ := time.Parse(time.DateOnly, v.from)
	to, _ := time.Parse(time.DateOnly, v.to)
	n := int(to.Sub(from)/(24*time.Hour)) + 1
	if n > maxDays {
		return 0, gateway.Invalid("start_date", "start_date and end_date must be within %d days.", maxDays)
	}
	pages = (n + p.size - 1) / p.size
	last := to.AddDate(0, 0, -(min(p.page, pages+1)-1)*p.size)
	begin := last.AddDate(0, 0, 1-p.size)
	v.to = ledger.DayOf(last)
	if begin.After(from) {
		v.from = ledger.DayOf(begin)
	}
	return pages, nil
}

func (d *activeDay) add(f *ledger.Fact, entity string, metadata func(string) (map[string]any, error)) (err error) {
	d.sums.Add(&f.Sums)
	b := &d.Breakdown
	b.Models.add(f.Model, f, nil)
	b.Groups.add(f.Model, f, nil)
	b.Providers.add(f.Provider, f, nil)
	b.Keys.add(f.Key, f, func() map[string]any {
		return map[string]any{"key_alias": orNull(f.Alias), "team_id": orNull(f.Team)}
	})
	b.Entities.add(entity, f, func() (about map[string]any) {
		about, err = metadata(entity)
		return about
	})
	return err
}

func totalsOf(s *ledger.Sums, p paging, pages int) map[string]any {
	return map[string]any{"metadata": map[string]any{
		"total_spend": dollars(s.Spend), "total_prompt_tokens": s.InputTokens, "total_completion_tokens": s.OutputTokens,
		"total_tokens": s.Total(), "total_api_requests": s.Attempts, "total_successful_requests": s.Successes,
		"total_failed_requests": s.Failures, "total_cache_read_input_tokens": s.CachedTokens, "total_cache_creation_input_tokens": 0,
		"page": p.page, "total_pages": pages, "has_more": p.page < pages,
	}}
}

// userActivity is dailyActivity by user; keys without one belong to everybody's days too.
func (s *Server) userActivity(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	return s.dailyActivity(func(f *ledger.Fact) string {
		if f.User == "" {
			return unassigned
		}
		return f.User
	}, func(*http.Request, string) (map[string]any, error) { return map[string]any{}, nil })(w, r, p)
}

// teamActivity is dailyActivity by team, of teams only.
func (s *Server) teamActivity(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	names := s.teamNames()
	return s.dailyActivity(func(f *ledger.Fact) string { return f.Team }, func(r *http.Request, id string) (map[string]any, error) {
		name, err := names.of(r.Context(), id)
		return map[string]any{"team_alias": name}, err
	})(w, r, p)
}
