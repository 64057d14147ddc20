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

// cell names one part of a day's report.
type cell struct{ subject, model, key string }

// cells are the parts of one day.
type cells map[cell]*ledger.Sums

func (c cells) add(at cell, s *ledger.Sums) {
	sums := c[at]
	if sums == nil {
		sums = new(ledger.Sums)
		c[at] = sums
	}
	sums.Add(s)
}

// rows are the cells of each subject, and its sum, sorted by subject.
func (c cells) rows(row func(subject string, total gateway.NanoUSD, parts []usage) error) error {
	sorted := slices.SortedFunc(maps.Keys(c), func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.model, b.model), cmp.Compare(a.key, b.key))
	})
	for len(sorted) > 0 {
		subject, total, parts := sorted[0].subject, gateway.NanoUSD(0), []usage{}
		for len(sorted) > 0 && sorted[0].subject == subject {
			at := sorted[0]
			sums := c[at]
			total = total.Plus(sums.Spend)
			parts = append(parts, usage{at.model, dollars(sums.Spend), sums.Total(), at.key})
			sorted = sorted[1:]
		}
		if err := row(subject, total, parts); err != nil {
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

func (d *days) add(day string, at cell, s *ledger.Sums) error {
	if day != d.day {
		if err := d.end(); err != nil {
			return err
		}
		d.day, d.cells = day, cells{}
	}
	d.cells.add(at, s)
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
				err = d.add(f.Day, cell{f.Team, f.Model, f.Key}, &f.Sums)
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
				err = d.add(sum.Day, cell{sum.Subject, sum.Model, sum.Key}, &sum.Sums)
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
		c.add(cell{subject: f.Key, model: f.Model}, &f.Sums)
	}
	reports := map[string]*keyReport{}
	totals := map[string]*ledger.Sums{}
	for _, at := range slices.SortedFunc(maps.Keys(c), func(a, b cell) int { return cmp.Compare(a.model, b.model) }) {
		one := reports[at.subject]
		if one == nil {
			one = &keyReport{Key: at.subject}
			reports[at.subject], totals[at.subject] = one, new(ledger.Sums)
		}
		totals[at.subject].Add(c[at])
		one.Models = append(one.Models, modelCosts{at.model, costsOf(c[at])})
	}
	list := make([]*keyReport, 0, len(reports))
	for _, key := range bySpend(totals) {
		reports[key].costs = costsOf(totals[key])
		list = append(list, reports[key])
	}
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
