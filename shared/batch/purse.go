package batch

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/store"
)

// Escrow keeps what is set aside for lines, in documents of its own; *escrow.Escrow does.
type Escrow interface {
	Hold(tx store.Tx, holder string, budgets []escrow.Budget) (*escrow.Holding, error)
}

// purse is the money in a step: it brings leases in line with what lines have come to, and pays for lines that are to be
// written ahead, in their order. What it comes to depends on what the transaction reads.
type purse struct {
	escrow Escrow
	money  money // as of now
	ask    ask

	pots  []pot    // as of the last run of the transaction
	takes []taking // of each run; Take of the stored chunk tells which one counts
}

// taking is what came of an ask.
type taking struct {
	looked  int                   // how many of the lines
	waits   *escrow.Short         // why the others must wait until money comes back
	refused map[int]*escrow.Short // by index: those that no money will come for
	stakes  []stake               // of those that are paid for
}

// pot is a holding in a transaction.
type pot struct {
	holding
	atStake int64
	lease   *escrow.Holding // nil if nobody needs to look
	fresh   bool            // there is no document yet
	moved   bool            // its document is to be written
}

// open reads what it needs and says in next how much money is where, and which lines may be sent.
func (p *purse) open(tx store.Tx, from, next *chunkDoc) error {
	p.pots = p.pots[:0]
	for i, h := range p.money.Holdings {
		p.pots = append(p.pots, pot{holding: h, atStake: p.money.atStake(i)})
	}
	asked := p.askedPots()
	for i := range p.pots {
		h := &p.pots[i]
		h.moved = next.Done || !h.fresh && (h.Spent != from.Holdings[i].Spent || h.atStake != from.atStake(i))
		if !h.moved && !asked[i] {
			continue
		}
		var err error
		if h.lease, err = p.escrow.Hold(tx, next.id(), []escrow.Budget{h.Budget}); err != nil {
			return fmt.Errorf("hold %s: %w", h.Budget.ID, err)
		}
		h.Lease = h.lease.Leases()[0]
		h.set(next.Done)
	}
	t := p.pay()
	p.takes = append(p.takes, t)
	next.Take = len(p.takes)
	p.keep(next, t.stakes)
	if p.ask.upTo > 0 {
		t.answer(&p.ask, from, next)
	}
	return nil
}

// answer says in next how far lines may be sent.
func (t *taking) answer(a *ask, from, next *chunkDoc) {
	next.Started, next.Starved = a.upTo, from.Starved
	if t.waits != nil {
		next.Started = a.lines[t.looked].no
	}
	if len(t.stakes) > 0 {
		next.Starved = 0
	}
}

// keep puts into next the holdings that there is something to remember of.
func (p *purse) keep(next *chunkDoc, stakes []stake) {
	next.money = money{Stakes: slices.Concat(p.money.Stakes, stakes)}
	place := make([]int, len(p.pots))
	for i := range p.pots {
		if h := &p.pots[i]; !h.fresh || h.moved {
			place[i] = len(next.Holdings)
			next.Holdings = append(next.Holdings, h.holding)
		}
	}
	for i := len(p.money.Stakes); i < len(next.Stakes); i++ {
		for j, pot := range next.Stakes[i].In {
			next.Stakes[i].In[j] = place[pot]
		}
	}
}

// askedPots adds pots for the windows of the lines asked for, with their limits as of now, and tells which those are.
func (p *purse) askedPots() map[int]bool {
	asked := map[int]bool{}
	for i := range p.ask.lines {
		q := &p.ask.lines[i].quote
		if q.isFree() {
			continue
		}
		for _, b := range q.Budgets {
			n := p.pot(b.ID)
			if n < 0 {
				n = len(p.pots)
				p.pots = append(p.pots, pot{fresh: true})
			}
			p.pots[n].Budget = b
			asked[n] = true
		}
	}
	return asked
}

func (p *purse) pot(window string) int {
	return slices.IndexFunc(p.pots, func(h pot) bool { return h.Budget.ID == window })
}

// pay sets money aside for one line after the other.
func (p *purse) pay() taking {
	t := taking{refused: map[int]*escrow.Short{}}
	for i := range p.ask.lines {
		l := &p.ask.lines[i]
		if l.quote.isFree() {
			t.looked++
			continue
		}
		s := stake{Line: l.no, Bound: int64(l.quote.Bound)}
		for _, b := range l.quote.Budgets {
			s.In = append(s.In, p.pot(b.ID))
		}
		switch short, final := p.payFor(&s); {
		case short == nil:
			t.stakes = append(t.stakes, s)
		case final || p.ask.last && p.pots[p.pot(short.Budget.ID)].atStake == 0:
			t.refused[i] = short
		default:
			t.waits = short
			return t
		}
		t.looked++
	}
	return t
}

// payFor takes a stake out of all its windows or out of none. It is final that a window cannot pay if it could not even if
// everybody gave back what they have set aside and not spent.
func (p *purse) payFor(s *stake) (short *escrow.Short, final bool) {
	for i, n := range s.In {
		h := &p.pots[n]
		if errors.As(h.lease.Set(h.Spent+h.atStake+s.Bound, h.Spent), &short) {
			for _, n := range s.In[:i] {
				p.pots[n].set(false)
			}
			return short, short.Spent+s.Bound > h.Budget.Limit
		}
	}
	for _, n := range s.In {
		p.pots[n].atStake += s.Bound
		p.pots[n].moved = true
	}
	return nil, false
}

// set makes the lease what the holding says. More than a window has is charged all the same: it was spent.
func (h *pot) set(done bool) {
	open := h.Spent + h.atStake
	switch {
	case done:
		h.lease.Close(h.Spent)
	case h.lease.Set(open, h.Spent) != nil:
		h.lease.Close(open)
		_ = h.lease.Set(open, h.Spent) // takes nothing more, so it cannot fail
	}
}

// write stores the leases.
func (p *purse) write(tx store.Tx) error {
	for i := range p.pots {
		if h := &p.pots[i]; h.moved {
			if err := h.lease.Write(tx); err != nil {
				return fmt.Errorf("write lease %s: %w", h.Lease, err)
			}
		}
	}
	return nil
}

// recall puts into next what an earlier run has stored.
func (p *purse) recall(stored, next *chunkDoc) {
	next.Take, next.money, next.Started, next.Starved = stored.Take, stored.money, stored.Started, stored.Starved
}

// committed tells of what the transaction has moved.
func (p *purse) committed() {
	for i := range p.pots {
		if h := &p.pots[i]; h.moved {
			h.lease.Committed()
		}
	}
}

// taken is what came of the ask, by the stored chunk.
func (p *purse) taken(c *chunkDoc) taking { return p.takes[c.Take-1] }
