package batch

import (
	"slices"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/ledger"
)

// money is what a chunk has taken out of budgets. It stays with the chunk whoever works on it; the documents of its leases
// say the same and are written in the same transactions. A line is charged to the windows that held when it was written
// ahead, also if they end before it does; so a chunk can have holdings in windows that follow each other.
type money struct {
	Holdings []holding `json:"holdings,omitempty"` // none ever leaves
	Stakes   []stake   `json:"stakes,omitempty"`   // of lines in flight
}

// holding is a chunk's part in one budget window: what it has spent there, and what is at stake.
type holding struct {
	Budget escrow.Budget `json:"budget"` // as last quoted
	Lease  string        `json:"lease"`  // id of its document
	Spent  int64         `json:"spent"`  // by the entries of parts and of doubts
}

// stake is what is set aside for a line.
type stake struct {
	Line  int   `json:"line"`
	Bound int64 `json:"bound"`
	In    []int `json:"in"` // indexes of holdings, each of which pays all of it
}

func (m *money) clone() money {
	return money{Holdings: slices.Clone(m.Holdings), Stakes: slices.Clone(m.Stakes)}
}

// atStake is what is set aside in a holding for lines in flight.
func (m *money) atStake(holding int) (sum int64) {
	for i := range m.Stakes {
		if slices.Contains(m.Stakes[i].In, holding) {
			sum += m.Stakes[i].Bound
		}
	}
	return sum
}

// leases names the leases that a stake is in.
func (m *money) leases(s *stake) []string {
	ids := make([]string, len(s.In))
	for i, n := range s.In {
		ids[i] = m.Holdings[n].Lease
	}
	return ids
}

// of finds a line's stake, or -1.
func (m *money) of(line int) int {
	return slices.IndexFunc(m.Stakes, func(s stake) bool { return s.Line == line })
}

// settle turns what was set aside for a line that has come to its end into what it is charged, and tells whether anything
// was.
func (m *money) settle(line int, entries []ledger.Entry) bool {
	i := m.of(line)
	if i < 0 {
		return false
	}
	charged := chargeOf(entries)
	for _, n := range m.Stakes[i].In {
		m.Holdings[n].Spent += charged
	}
	m.Stakes = slices.Delete(m.Stakes, i, i+1)
	return true
}

// chargeOf is what budgets are charged for entries.
func chargeOf(entries []ledger.Entry) int64 {
	var sum gateway.NanoUSD
	for i := range entries {
		sum = sum.Plus(entries[i].Cost).Plus(entries[i].Doubt)
	}
	return int64(sum)
}

// lose charges all that is at stake, and returns it: the lines may have been sent by somebody who is no more.
func (m *money) lose() []stake {
	lost := m.Stakes
	*m = m.clone()
	m.Stakes = nil
	for i := range lost {
		for _, n := range lost[i].In {
			m.Holdings[n].Spent += lost[i].Bound
		}
	}
	return lost
}
