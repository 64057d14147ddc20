package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// prompt makes a chat body of about 600 bytes.
var (
	prompt   = strings.TrimSpace(strings.Repeat("a plain question of some length, ", 16))
	chatBody = shortChat(model)
)

func shortChat(name string) string {
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}],"temperature":0.5}`, name, prompt)
}

// effort is how long and how hard to measure.
type effort struct {
	settle                 time.Duration // before idle memory is read
	turns                  int           // how often the targets take turns in a round
	warm, closed, open     time.Duration // of one turn
	concurrency, perSecond int
	firstTokens            int // streams of one turn, one after the other
	slowStreams            int
	paced, pacedChunks     int // streams at a time, three times, and chunks of each, 20 ms apart
	unpacedChunks          int // of each of 16 streams
	starts                 int
}

var standard = effort{
	settle: time.Second, turns: 8, warm: 100 * time.Millisecond, closed: 500 * time.Millisecond, open: time.Second,
	concurrency: 64, perSecond: 200, firstTokens: 20, slowStreams: 500, paced: 32, pacedChunks: 50, unpacedChunks: 4000, starts: 10,
}

// figures are the results of one target in one round, by the name of the metric.
type figures map[string]float64

// round is one pass over every target; "direct" is the load straight on the mock.
type round map[string]figures

// runRounds measures the proxy and every target, once a round.
func runRounds(ctx context.Context, n int, e effort, targets []target, dir string, mock *process) ([]round, error) {
	proxy, err := proxyTarget()
	if err != nil {
		return nil, err
	}
	targets = append([]target{proxy}, targets...)
	keys := make(map[string]string)
	var rounds []round
	for i := range n {
		fmt.Printf("round %d of %d\n", i+1, n)
		r := round{}
		var all []*measurement
		for _, t := range targets {
			m := &measurement{effort: e, target: t, dir: filepath.Join(dir, t.name), mock: mock.addr, keys: keys, figures: figures{}}
			if err := m.run(ctx); err != nil {
				return rounds, err
			}
			r[t.name] = m.figures
			if t.health == "" {
				all = append(all, m)
			}
		}
		if r["direct"], err = e.inTurn(ctx, mock, all); err != nil {
			return rounds, err
		}
		rounds = append(rounds, r)
	}
	return rounds, ctx.Err()
}

// measurement is one target in one round.
type measurement struct {
	effort
	figures
	target target
	dir    string
	mock   string
	keys   map[string]string
	p      *process
}

// limited marks the key with limits among the keys of a target.
const limited = "/limited"

func (m *measurement) key() string { return m.keys[m.target.name] }

// run measures what needs no comparison by the second.
func (m *measurement) run(ctx context.Context) error {
	defer m.stop()
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(m.target.bin); err == nil {
		m.figures["binary_mib"] = float64(info.Size()) / (1 << 20)
	}
	for _, step := range []func(context.Context) error{m.idle, m.openSlow, m.pacedStreams, m.unpacedStreams, m.openTranslated} {
		if err := step(ctx); err != nil {
			return err
		}
		if m.target.health != "" {
			break // it takes no chats
		}
	}
	m.notePeak()
	m.stop()
	return m.coldStarts(ctx)
}

// notePeak remembers the most memory that any process of the round has had.
func (m *measurement) notePeak() {
	if _, peak, err := memory(m.p.pid); err == nil {
		m.figures["rss_peak_mib"] = max(m.figures["rss_peak_mib"], peak/1024)
	}
}

func (m *measurement) stop() {
	if m.p != nil {
		m.p.stop()
		m.p = nil
	}
}

// begin starts the target and waits until it works. The first time it also gets its keys, from a process that is not measured: what that
// has freed would do for a part of what streams need.
func (m *measurement) begin(ctx context.Context) (ready time.Duration, err error) {
	if m.p, err = m.target.start(ctx, m.dir, m.mock); err != nil {
		return 0, err
	}
	if m.target.health != "" {
		return m.p.untilHealthy(ctx, m.target.health)
	}
	if m.target.key != nil && m.key() == "" {
		for name, fields := range map[string]string{m.target.name: plainKey, m.target.name + limited: limitedKey} {
			if m.keys[name], err = m.target.key(ctx, "http://"+m.p.addr, fields); err != nil {
				return 0, m.p.failure(err)
			}
		}
		m.stop()
		return m.begin(ctx)
	}
	return m.p.untilChat(ctx, m.key())
}

// idle reads the memory after a start and one chat.
func (m *measurement) idle(ctx context.Context) error {
	if _, err := m.begin(ctx); err != nil {
		return err
	}
	time.Sleep(m.settle)
	rss, _, err := memory(m.p.pid)
	m.figures["rss_idle_mib"] = rss / 1024
	return err
}

// openSlow measures what an open stream costs in memory.
func (m *measurement) openSlow(ctx context.Context) error {
	return m.perStream(ctx, "kib_per_stream", model)
}

// perStream opens streams of a model. The process must not have had more at a time before: memory that is free already costs nothing.
func (m *measurement) perStream(ctx context.Context, figure, behind string) error {
	closedLoop(ctx, m.p.addr, chatRequest(m.p.addr, m.key(), shortChat(behind)), 8, m.warm)
	before, _, err := memory(m.p.pid)
	if err != nil {
		return err
	}
	closeAll, err := openStreams(ctx, m.p.addr, m.key(), behind, m.slowStreams)
	defer closeAll()
	if err != nil {
		return m.p.failure(fmt.Errorf("open %d streams of %s: %w", m.slowStreams, behind, err))
	}
	time.Sleep(m.settle)
	with, _, err := memory(m.p.pid)
	m.figures[figure] = (with - before) / float64(m.slowStreams)
	return err
}

func (m *measurement) pacedStreams(ctx context.Context) error {
	var s *streamTally
	used, _, _, err := m.metered(ctx, chatRoute, func() *tally {
		s = streams(ctx, m.p.addr, m.key(), m.paced, 3, m.pacedChunks, 20*time.Millisecond)
		return &s.tally
	})
	m.figures["cpu_chunk_paced_us"] = perItem(used, int(s.chunks.Load()))
	return err
}

func (m *measurement) unpacedStreams(ctx context.Context) error {
	var s *streamTally
	used, _, _, err := m.metered(ctx, chatRoute, func() *tally {
		s = streams(ctx, m.p.addr, m.key(), 16, 4, m.unpacedChunks, 0)
		return &s.tally
	})
	m.figures["cpu_chunk_unpaced_us"] = perItem(used, int(s.chunks.Load()))
	m.figures["chunks_per_s"] = float64(s.chunks.Load()) / s.took.Seconds()
	return err
}

// metered runs a load and returns the target's CPU time and the load's duration. Each good request must have reached this route of
// the mock: an answer from a cache, or one that was not translated, is no measurement.
func (m *measurement) metered(ctx context.Context, route string, load func() *tally) (used time.Duration, t *tally, took time.Duration, err error) {
	chatsBefore, err := m.chats(ctx, route)
	if err != nil {
		return 0, &tally{}, 0, err
	}
	before, err := cpuTime(m.p.pid)
	if err != nil {
		return 0, &tally{}, 0, m.p.failure(err)
	}
	start := time.Now()
	t = load()
	took = time.Since(start)
	after, err := cpuTime(m.p.pid)
	if err != nil {
		return 0, t, took, m.p.failure(err)
	}
	m.figures["errors"] += float64(t.failures)
	t.mention(m.target.name)
	chats, err := m.chats(ctx, route)
	if good := t.requests - t.failures; err == nil && chats-chatsBefore < good {
		err = fmt.Errorf("%s: %d requests were answered, but only %d reached %s of the mock", m.target.name, good, chats-chatsBefore, route)
	}
	return after - before, t, took, err
}

func (m *measurement) chats(ctx context.Context, route string) (int, error) {
	body, err := get(ctx, "http://"+m.mock+route)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(body))
}

// coldStarts measures the time from before the fork to the first answer, with the data and the key of earlier starts.
func (m *measurement) coldStarts(ctx context.Context) error {
	var times []time.Duration
	for range m.starts {
		ready, err := m.begin(ctx)
		m.stop()
		if err != nil {
			return err
		}
		times = append(times, ready)
	}
	m.figures["first_chat_ms"] = micros(percentile(times, 0.5)) / 1000
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func perItem(d time.Duration, n int) float64 {
	if n == 0 {
		return 0
	}
	return micros(d) / float64(n)
}
