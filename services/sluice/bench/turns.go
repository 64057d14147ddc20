package main

import (
	"context"
	"time"
)

// side is one that takes turns: a target, or the mock itself.
type side struct {
	*measurement
	full, calm       usage           // with always more to do, and at a fixed rate
	limited          usage           // like full, with a key that has limits
	long, translated usage           // like full, with long chats, and with the same to an upstream that speaks otherwise
	latencies, first []time.Duration // of whole answers at a fixed rate, and of first tokens
}

// usage is what some requests have taken.
type usage struct {
	requests  int
	cpu, time time.Duration
}

// inTurn measures what is judged as a multiple of the proxy's. All run, and one at a time is under load, for a second or two: what
// disturbs the machine for longer disturbs them all. It returns the figures of the mock, which is reached directly.
func (e effort) inTurn(ctx context.Context, mock *process, all []*measurement) (figures, error) {
	direct := &measurement{effort: e, target: target{name: "direct"}, mock: mock.addr, p: mock, figures: figures{}}
	sides := []*side{{measurement: direct}}
	for _, m := range all {
		if _, err := m.begin(ctx); err != nil {
			return nil, err
		}
		defer m.stop()
		sides = append(sides, &side{measurement: m})
	}
	for n := range e.turns {
		for _, s := range sides {
			if err := s.turn(ctx, n); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range sides {
		s.conclude(direct.figures)
	}
	return direct.figures, ctx.Err()
}

// turn is the n-th one of this side. What is compared with each other takes turns, too.
func (s *side) turn(ctx context.Context, n int) error {
	request := chatRequest(s.p.addr, s.key(), chatBody)
	jobs := []job{{&s.full, chatRoute, request}}
	if key := s.keys[s.target.name+limited]; key != "" {
		jobs = append(jobs, job{&s.limited, chatRoute, chatRequest(s.p.addr, key, chatBody)})
	}
	if err := s.compare(ctx, n, jobs); err != nil {
		return err
	}
	t, err := s.use(ctx, &s.calm, chatRoute, func() *tally { return openLoop(ctx, s.p.addr, request, s.perSecond, 32, s.open) })
	if err != nil {
		return err
	}
	s.latencies = append(s.latencies, t.latencies...)
	f := firstTokens(ctx, s.p.addr, s.key(), s.firstTokens)
	f.mention(s.target.name)
	s.figures["errors"] += float64(f.failures)
	s.first = append(s.first, f.latencies...)
	return s.translate(ctx, n)
}

// job is a load that always has more to do.
type job struct {
	into    *usage
	route   string // of the mock, where the requests arrive
	request []byte
}

// compare does jobs. They take turns in who comes first: the second finds the queues of the first.
func (s *side) compare(ctx context.Context, n int, jobs []job) error {
	for i := range jobs {
		if err := s.busy(ctx, jobs[(i+n)%len(jobs)]); err != nil {
			return err
		}
	}
	return nil
}

// busy does a job, and measures it once it is warm.
func (s *side) busy(ctx context.Context, j job) error {
	load := func(d time.Duration) *tally { return closedLoop(ctx, s.p.addr, j.request, s.concurrency, d) }
	load(s.warm)
	_, err := s.use(ctx, j.into, j.route, func() *tally { return load(s.closed) })
	return err
}

// use runs a load and adds what it took.
func (s *side) use(ctx context.Context, u *usage, route string, load func() *tally) (*tally, error) {
	cpu, t, took, err := s.metered(ctx, route, load)
	u.requests, u.cpu, u.time = u.requests+t.requests, u.cpu+cpu, u.time+took
	return t, err
}

// conclude turns what was measured into figures; those of the mock come first.
func (s *side) conclude(direct figures) {
	f := s.figures
	f["p50_us"], f["p99_us"] = micros(percentile(s.latencies, 0.5)), micros(percentile(s.latencies, 0.99))
	f["ttft_us"] = micros(percentile(s.first, 0.5))
	if s.p.addr == s.mock {
		return
	}
	for _, name := range []string{"p50_us", "p99_us", "ttft_us"} {
		f["added_"+name] = f[name] - direct[name]
	}
	f["cpu_closed_us"], f["rps"] = perItem(s.full.cpu, s.full.requests), float64(s.full.requests)/s.full.time.Seconds()
	if s.limited.requests > 0 {
		f["limits_x"] = perItem(s.limited.cpu, s.limited.requests) / f["cpu_closed_us"]
	}
	if s.translated.requests > 0 {
		f["cpu_long_us"] = perItem(s.long.cpu, s.long.requests)
		f["translate_x"] = perItem(s.translated.cpu, s.translated.requests) / f["cpu_long_us"]
	}
	f["cpu_open_us"] = perItem(s.calm.cpu, s.calm.requests)
	s.notePeak()
}
