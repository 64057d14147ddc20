package ingress

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// The reports speak LiteLLM's shapes and read facts, not entries.

// spendReport tells who spent how much between two dates.
func (s *Server) spendReport(w http.ResponseWriter, r *http.Request, p gateway.Principal) error {
	v, err := s.between(r, p)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	group := query.Get("group_by")
	if group == "" {
		group = "team"
	}
	switch {
	case query.Get("api_key") != "" || query.Get("internal_user_id") != "" || group == "api_key":
		return s.reportByKey(w, r, v)
	case group == "team":
		return s.reportByTeam(w, r, v)
	case group == "customer":
		return s.reportByCustomer(w, r, v)
	default:
		return gateway.Invalid("group_by", "group_by must be team, customer or api_key.")
	}
}

// usage is what a key spent on a model.
type usage struct {
	Model  string      `json:"model"`
	Spend  json.Number `json:"spend"`
	Tokens int64       `json:"total_tokens"`
	Key    string      `json:"api_key"`
}

// use is what a subject's spend is split by.
type use struct{ model, key string }

// cells are sums by subject and use.
type cells map[string]map[use]*ledger.Sums

func (c cells) add(subject string, u use, s *ledger.Sums) {
	uses := c[subject]
	if uses == nil {
		uses = map[use]*ledger.Sums{}
		c[subject] = uses
	}
	sums := uses[u]
	if sums == nil {
		sums = new(ledger.Sums)
		uses[u] = sums
	}
	sums.Add(s)
}

// of is the sum of a subject, and its uses in the order of their models.
func (c cells) of(subject string) (total ledger.Sums, uses []use) {
	for _, sums := range c[subject] {
		total.Add(sums)
	}
	return total, slices.SortedFunc(maps.Keys(c[subject]), func(a, b use) int {
		return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.key, b.key))
	})
}

// rows are the subjects with their uses, sorted.
func (c cells) rows(row func(subject string, total gateway.NanoUSD, uses []usage) error) error {
	for _, subject := range slices.Sorted(maps.Keys(c)) {
		total, uses := c.of(subject)
		parts := make([]usage, len(uses))
		for i, u := range uses {
			sums := c[subject][u]
			parts[i] = usage{u.model, dollars(sums.Spend), sums.Total(), u.key}
		}
		if err := row(subject, total.Spend, parts); err != nil {
			return err
		}
	}
	return nil
}

// dayReport is one day of a report.
type dayReport struct {
	Day       string          `json:"group_by_day"`
	Teams     []teamSpend     `json:"teams,omitempty"`
	Customers []customerSpend `json:"customers,omitempty"`
}

type teamSpend struct {
	Name     string      `json:"team_name"`
	ID       string      `json:"team_id"`
	Total    json.Number `json:"total_spend"`
	Metadata []usage     `json:"metadata"`
}

type customerSpend struct {
	Customer string      `json:"customer"`
	Total    json.Number `json:"total_spend"`
	Metadata []usage     `json:"metadata"`
}

func midnight(day string) string { return day + "T00:00:00+00:00" }

// days gathers what comes day by day, and hands on each day when it is whole.
type days struct {
	day   string
	cells cells
	done  func(day string, c cells) error
}

func (d *days) add(day, subject string, u use, s *ledger.Sums) error {
	if day != d.day {
		if err := d.end(); err != nil {
			return err
		}
		d.day, d.cells = day, cells{}
	}
	d.cells.add(subject, u, s)
	return nil
}

func (d *days) end() error {
	if len(d.cells) == 0 {
		return nil
	}
	return d.done(d.day, d.cells)
}

func (s *Server) reportByTeam(w http.ResponseWriter, r *http.Request, v view) error {
	names := s.teamNames()
	return writeList(w, func(yield func(any) bool) error {
		d := days{done: func(day string, c cells) error {
			report := dayReport{Day: midnight(day)}
			err := c.rows(func(team string, total gateway.NanoUSD, parts []usage) error {
				name, err := names.of(r.Context(), team)
				report.Teams = append(report.Teams, teamSpend{name, team, dollars(total), parts})
				return err
			})
			return stopped(err, yield, report)
		}}
		for f, err := range s.facts(r.Context(), v) {
			if err == nil {
				err = d.add(f.Day, f.Team, use{f.Model, f.Key}, &f.Sums)
			}
			if err != nil {
				return err
			}
		}
		return d.end()
	})
}

func (s *Server) reportByCustomer(w http.ResponseWriter, r *http.Request, v view) error {
	return writeList(w, func(yield func(any) bool) error {
		d := days{done: func(day string, c cells) error {
			report := dayReport{Day: midnight(day)}
			err := c.rows(func(customer string, total gateway.NanoUSD, parts []usage) error {
				report.Customers = append(report.Customers, customerSpend{customer, dollars(total), parts})
				return nil
			})
			return stopped(err, yield, report)
		}}
		for sum, err := range s.rollups(r.Context(), v, gateway.ScopeCustomer) {
			if err == nil {
				err = d.add(sum.Day, sum.Subject, use{sum.Model, sum.Key}, &sum.Sums)
			}
			if err != nil {
				return err
			}
		}
		return d.end()
	})
}

// stopped yields an item unless something failed before; it tells when nobody takes more.
func stopped(err error, yield func(any) bool, item any) error {
	if err == nil && !yield(item) {
		err = errBegun
	}
	return err
}

// keyReport is what a key spent, and on which models.
type keyReport struct {
	Key string `json:"api_key"`
	costs
	Models []modelCosts `json:"model_details"`

	spend gateway.NanoUSD
}

type costs struct {
	Cost   json.Number `json:"total_cost"`
	Input  int64       `json:"total_input_tokens"`
	Output int64       `json:"total_output_tokens"`
}

type modelCosts struct {
	Model string `json:"model"`
	costs
}

func costsOf(s *ledger.Sums) costs { return costs{dollars(s.Spend), s.InputTokens, s.OutputTokens} }

func (s *Server) reportByKey(w http.ResponseWriter, r *http.Request, v view) error {
	c := cells{}
	for f, err := range s.facts(r.Context(), v) {
		if err != nil {
			return err
		}
		c.add(f.Key, use{model: f.Model}, &f.Sums)
	}
	list := []keyReport{}
	for key := range c {
		total, uses := c.of(key)
		one := keyReport{Key: key, costs: costsOf(&total), spend: total.Spend}
		for _, u := range uses {
			one.Models = append(one.Models, modelCosts{u.model, costsOf(c[key][u])})
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b keyReport) int { return cmp.Or(cmp.Compare(b.spend, a.spend), cmp.Compare(a.Key, b.Key)) })
	return writeJSON(w, http.StatusOK, list)
}

// bySpend are the names of sums, the largest spend first.
func bySpend(sums map[string]*ledger.Sums) []string {
	return slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b].Spend, sums[a].Spend), strings.Compare(a, b))
	})
}

// totals adds up what the view selects by name.
func (s *Server) totals(ctx context.Context, v view, name func(*ledger.Fact) string) (map[string]*ledger.Sums, error) {
	totals := map[string]*ledger.Sums{}
	for f, err := range s.facts(ctx, v) {
		if err != nil {
			return nil, err
		}
		at := name(f)
		sums := totals[at]
		if sums == nil {
			sums = new(ledger.Sums)
			totals[at] = sums
		}
		sums.Add(&f.Sums)
	}
	return totals, nil
}
