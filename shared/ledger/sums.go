package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Facts holds daily sums, one document for each combination of what an entry has exactly one of. Reports by any of them add up
// the same documents.
var Facts = store.Collection{
	Name: "facts",
	Indexes: []store.Index{
		{"day"}, {"key", "day"}, {"user", "day"}, {"team", "day"}, {"org", "day"}, {"model", "day"}, {"provider", "day"},
	},
}

// Rollups holds daily sums over what an entry may have several of, or that there is no end of: customers, tags, leases.
var Rollups = store.Collection{
	Name:    "rollups",
	Indexes: []store.Index{{"scope", "subject", "day"}, {"scope", "day"}, {"key", "scope", "day"}},
}

// ScopeLease is the scope of what was charged to one lease of a budget.
const ScopeLease gateway.Scope = "lease"

// Sums are what entries come to.
type Sums struct {
	Spend        gateway.NanoUSD `json:"spend"`
	Doubt        gateway.NanoUSD `json:"doubt"` // of unknown outcomes: not in Spend, and charged to budgets besides it
	Attempts     int64           `json:"attempts"`
	Successes    int64           `json:"successes"`
	Failures     int64           `json:"failures"`
	InputTokens  int64           `json:"input_tokens"`
	OutputTokens int64           `json:"output_tokens"`
	CachedTokens int64           `json:"cached_tokens"`
}

// Add adds others.
func (s *Sums) Add(o *Sums) {
	s.Spend = s.Spend.Plus(o.Spend)
	s.Doubt = s.Doubt.Plus(o.Doubt)
	s.Attempts += o.Attempts
	s.Successes += o.Successes
	s.Failures += o.Failures
	s.InputTokens += o.InputTokens
	s.OutputTokens += o.OutputTokens
	s.CachedTokens += o.CachedTokens
}

// Count adds an entry.
func (s *Sums) Count(e *Entry) {
	one := Sums{
		Spend: e.Cost, Doubt: e.Doubt, Attempts: 1, Failures: 1,
		InputTokens: e.Usage.InputTokens, OutputTokens: e.Usage.OutputTokens, CachedTokens: e.Usage.CachedTokens,
	}
	if e.succeeded() {
		one.Successes, one.Failures = 1, 0
	}
	s.Add(&one)
}

// Charged is what budgets are charged with.
func (s *Sums) Charged() gateway.NanoUSD { return s.Spend.Plus(s.Doubt) }

// Total is the number of input and output tokens.
func (s *Sums) Total() int64 { return s.InputTokens + s.OutputTokens }

func (s *Sums) deltas() store.Deltas {
	return store.Deltas{
		"spend": int64(s.Spend), "doubt": int64(s.Doubt), "attempts": s.Attempts, "successes": s.Successes, "failures": s.Failures,
		"input_tokens": s.InputTokens, "output_tokens": s.OutputTokens, "cached_tokens": s.CachedTokens,
	}
}

// Group is what a fact sums over; a subject that its entries have not is empty.
type Group struct {
	Day      string `json:"day"` // "2026-11-22", UTC
	Key      string `json:"key,omitempty"`
	User     string `json:"user,omitempty"`
	Team     string `json:"team,omitempty"`
	Org      string `json:"org,omitempty"`
	Model    string `json:"model,omitempty"`
	Provider string `json:"provider,omitempty"`
}

// Fact is the sum of one group's entries.
type Fact struct {
	Named
	Sums
}

// Named is a group as its document says it.
type Named struct {
	Group
	Alias string `json:"key_alias,omitempty"` // of the key, by the last entry
}

// GroupOf is the group that the entry counts towards.
func GroupOf(e *Entry) Group {
	return Group{e.Day(), e.Key, e.User, e.Team, e.Org, e.Model, e.Provider}
}

// Ref names the group's document.
func (g Group) Ref() store.Ref {
	return Facts.Ref(spread(g.Day, g.Key, g.User, g.Team, g.Org, g.Model, g.Provider))
}

// Part is what a rollup sums over: those of a customer and a tag are for one key, those of a customer for one model, too.
type Part struct {
	Scope   gateway.Scope `json:"scope"`
	Subject string        `json:"subject"`
	Day     string        `json:"day"`
	Key     string        `json:"key,omitempty"`
	Model   string        `json:"model,omitempty"`
}

// Rollup is the sum of one part's entries.
type Rollup struct {
	Part
	Sums
}

// Ref names the part's document.
func (p Part) Ref() store.Ref {
	return Rollups.Ref(spread(string(p.Scope), p.Subject, p.Day, p.Key, p.Model))
}

// PartsOf are the parts that the entry counts towards.
func PartsOf(e *Entry) []Part {
	day := e.Day()
	var parts []Part
	add := func(p Part) {
		if p.Subject != "" && !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	add(Part{gateway.ScopeCustomer, e.Customer, day, e.Key, e.Model})
	for _, tag := range e.Tags {
		add(Part{gateway.ScopeTag, tag, day, e.Key, ""})
	}
	for _, lease := range e.Leases {
		add(Part{ScopeLease, lease, day, "", ""})
	}
	return parts
}

// Sum adds up what entries bring to each document.
func Sum(entries []Entry) (facts map[Group]*Fact, rollups map[Part]*Sums) {
	facts, rollups = map[Group]*Fact{}, map[Part]*Sums{}
	for i := range entries {
		Gather(facts, rollups, &entries[i])
	}
	return facts, rollups
}

// Gather adds one entry to the sums that it counts towards.
func Gather(facts map[Group]*Fact, rollups map[Part]*Sums, e *Entry) {
	group := GroupOf(e)
	fact := facts[group]
	if fact == nil {
		fact = &Fact{Named: Named{Group: group}}
		facts[group] = fact
	}
	fact.Alias = cmp.Or(e.KeyAlias, fact.Alias)
	fact.Count(e)
	for _, part := range PartsOf(e) {
		sums := rollups[part]
		if sums == nil {
			sums = new(Sums)
			rollups[part] = sums
		}
		sums.Count(e)
	}
}

// spread makes an id that spreads documents over the key space, whatever their subjects' names.
func spread(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}
