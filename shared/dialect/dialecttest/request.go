package dialecttest

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-gateway/sluice/shared/dialect"
	"github.com/sluice-gateway/sluice/shared/llm"
)

// RunRequests writes every request for an upstream of the dialect and reads it as a caller's.
func (s Suite) RunRequests(t *testing.T, to dialect.Target) {
	to.Drop = func(string) bool { return false }
	for name, want := range Requests(s.Maker) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fitted := *want
			if _, err := fitted.Fit(s.Dialect.Out.Carries(), s.peek(t, false).In.Field, to.Drop); err != nil {
				t.Skipf("not carried: %v", err) // which cases these are, docs/parameters.md says
			}
			w, err := s.Dialect.Out.EncodeRequest(&fitted, to)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Dialect.Peek(s.Dialect.Op, w.Body, s.Hint)
			if err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			got, err := r.In.DecodeRequest()
			if err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if want.MaxOutput == 0 {
				got.MaxOutput = 0 // some need a limit in each request
			}
			if diff := cmp.Diff(asked(want, s.NoThoughts), asked(got, false), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s\nin %s", diff, w.Body)
			}
		})
	}
}

// asked is what of a request every dialect carries in its own way.
func asked(r *llm.Request, forget bool) any {
	system, turns := llm.Turns(r.Messages)
	ids := map[string]string{} // some vendors have none
	numbered := func(id string) string {
		if ids[id] == "" {
			ids[id] = strconv.Itoa(len(ids) + 1)
		}
		return ids[id]
	}
	for i := range turns {
		parts := slices.Clone(turns[i].Parts)
		if forget {
			parts = slices.DeleteFunc(parts, func(p llm.Part) bool { return p.Kind == llm.Thinking })
		}
		for j := range parts {
			p := &parts[j]
			p.ID, p.Cache = "", ""
			if p.Result != nil {
				result := *p.Result
				result.Name, result.ID = "", numbered(result.ID)
				p.Result = &result
			}
			if p.Call != nil {
				call := *p.Call
				call.ID = numbered(call.ID)
				p.Call = &call
			}
			if p.Media != nil {
				m := *p.Media
				m.Name, m.Detail = "", ""
				if m.URL != "" {
					m.Type = "" // a guess
				}
				p.Media = &m
			}
		}
		turns[i].Parts = parts
	}
	var names []string
	for i := range r.Tools {
		names = append(names, r.Tools[i].Name)
	}
	return map[string]any{
		"system": llm.TextOf(system), "turns": turns, "tools": names, "choice": r.Choice, "format": r.Format.Kind, "stop": r.Stop,
		"temperature": r.Temperature, "top_p": r.TopP, "limit": r.MaxOutput,
	}
}
