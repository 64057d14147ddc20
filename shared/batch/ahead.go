package batch

import (
	"context"
	"slices"

	"github.com/sluice-gateway/sluice/shared/escrow"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/store"
)

// How a chunk waits for money that others have set aside: it is handed back so many times in a row, each time for twice as
// long up to a limit. After that its lines are refused.
const (
	patience     = 6
	maxDoublings = 3
)

// ask is for lines to be written ahead.
type ask struct {
	who   gateway.Principal
	from  int     // where they are in todo
	lines []input // quoted
	upTo  int     // the line number behind them; 0: nothing is asked for
	last  bool    // what cannot be paid for is refused
}

// ask quotes the next lines. It asks for none if the attempt stops, also because nobody can quote at the moment.
func (r *run) ask(ctx context.Context) ask {
	if r.stopped || len(r.todo) == 0 {
		return ask{}
	}
	a := ask{from: r.before(r.gate), upTo: min(r.chunk.Last+1, r.todo[0].no+r.ahead), last: r.hopeless || r.chunk.Starved >= patience}
	to := r.before(a.upTo)
	if r.Escrow != nil && a.from < to {
		var known bool
		if a.who, known = r.principal(ctx); !known {
			return ask{}
		}
		if to = r.quote(ctx, &a, to); r.stopped {
			return ask{}
		}
	}
	a.lines = r.todo[a.from:to]
	return a
}

// before counts the lines to do with a smaller number.
func (r *run) before(no int) int {
	n := slices.IndexFunc(r.todo, func(l input) bool { return l.no >= no })
	if n < 0 {
		return len(r.todo)
	}
	return n
}

// principal is who pays. A key that is revoked pays for nothing: the call says so. The attempt stops if nobody knows.
func (r *run) principal(ctx context.Context) (who gateway.Principal, known bool) {
	who, err := r.keys.Principal(ctx, r.batch.Key)
	if err != nil && !isRevoked(err) {
		r.Log.WarnContext(ctx, "key cannot be looked up at the moment", "batch", r.batch.ID, "error", err)
		r.leave(r.Settings.MaxWait)
		return who, false
	}
	return who, true
}

// quote quotes the lines to do up to an index, and answers those that are not to be sent. It returns where they end then.
func (r *run) quote(ctx context.Context, a *ask, to int) int {
	for i := a.from; i < to; {
		l := &r.todo[i]
		l.quote = r.quoteLine(ctx, l, a.who)
		switch refusal := l.quote.Refusal; {
		case refusal == nil:
			i++
		case refusal.Retryable:
			r.leave(max(r.Settings.MaxWait, refusal.RetryAfter))
			return i
		default:
			r.add(*newResult(*l, *refusal))
			r.todo = slices.Delete(r.todo, i, i+1)
			to--
		}
	}
	return to
}

// quoteLine is free for a line that is not sent.
func (r *run) quoteLine(ctx context.Context, l *input, who gateway.Principal) Quote {
	if l.lost || who.KeyHash == "" || r.chunk.isPoison(l.no) {
		return Quote{}
	}
	return r.caller.Quote(ctx, r.newCall(*l, who, 0))
}

// isFree reports whether nothing needs to be set aside.
func (q *Quote) isFree() bool { return q.Bound <= 0 || len(q.Budgets) == 0 }

// shut keeps the lines that a claim has written ahead, without having read them, from being sent before they are paid for.
func (r *run) shut(ctx context.Context) {
	if r.Escrow == nil || r.before(r.gate) == 0 {
		return
	}
	who, known := r.principal(ctx)
	for i := range r.todo[:r.before(r.gate)] {
		l := &r.todo[i]
		if q := r.quoteLine(ctx, l, who); !known || !q.isFree() || q.Refusal != nil {
			r.gate = l.no
			return
		}
	}
}

// allow lets lines be sent that were written ahead, and refuses those that no budget pays for.
func (r *run) allow(ctx context.Context, a ask, t taking) {
	if a.upTo == 0 {
		return
	}
	r.gate, r.short, r.hopeless = r.chunk.Started, t.waits, false
	rest := slices.Clone(r.todo[:a.from])
	for i := range a.lines {
		l := a.lines[i]
		if short := t.refused[i]; short != nil {
			r.add(*newResult(l, r.caller.Refuse(ctx, r.newCall(l, a.who, 0), short)))
			continue
		}
		if n := r.money.of(l.no); n >= 0 {
			l.leases = r.money.leases(&r.money.Stakes[n])
		}
		rest = append(rest, l)
	}
	r.todo = append(rest, r.todo[a.from+len(a.lines):]...)
}

// giveWay hands back a chunk that waits for money that others have set aside. If there are no others, waiting is of no use.
func (r *run) giveWay(ctx context.Context) {
	held, err := r.isHeld(ctx, r.short.Budget.ID)
	if err != nil {
		r.Log.WarnContext(ctx, "holders of a budget are not known at the moment", "batch", r.batch.ID, "error", err)
	}
	if err == nil && !held {
		r.short, r.hopeless = nil, true
		return
	}
	r.gaveWay = true
	r.leave(r.Settings.MaxWait << min(r.chunk.Starved, maxDoublings))
}

// isHeld reports whether somebody else has money in a window that may come back.
func (r *run) isHeld(ctx context.Context, window string) (bool, error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	q := store.Query{Collection: escrow.Leases, Eq: map[string]any{"budget": window, "open": true}}
	for doc, err := range r.Store.Query(ctx, q) {
		var l escrow.Lease
		if err == nil {
			err = doc.Decode(&l)
		}
		if err != nil || l.Holder != r.id && l.Granted > l.Spent {
			return true, err
		}
	}
	return false, nil
}
