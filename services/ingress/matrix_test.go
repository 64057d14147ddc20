package ingress_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

var speakers = []speaker{chatSpeaker{}, completionsSpeaker{}, responsesSpeaker{}, messagesSpeaker{}, geminiSpeaker{}}

// outcomes are what became of the cells, by dialect, case and provider.
type outcomes struct {
	mu  sync.Mutex
	all map[[3]string]string
}

func (o *outcomes) set(c *cell, what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[[3]string{c.in.name(), c.p.name, c.col.title}] = what
}

// Every dialect, before every kind of provider, in every case: it passes, or is refused as documented.
func TestMatrix(t *testing.T) {
	t.Parallel()
	probes := slices.Concat(goodCases, badCases)
	got := &outcomes{all: map[[3]string]string{}}
	clouds := tokenService(t)
	turns := map[bool]chan struct{}{false: make(chan struct{}, 8), true: make(chan struct{}, 400)}
	var running sync.WaitGroup
	var houses []*house
	for i := range columns {
		h := matrixHouse(t, clouds)
		key := h.key(`{}`)
		houses = append(houses, h)
		for _, in := range speakers {
			for j := range probes {
				p := &probes[j]
				running.Go(func() {
					turns[p.slow] <- struct{}{}
					defer func() { <-turns[p.slow] }()
					t.Run(strings.Join([]string{in.name(), columns[i].title, p.name}, "/"), func(t *testing.T) {
						c := &cell{t: t, h: h.in(t), key: key, in: in, col: &columns[i], p: p}
						what := "✗"
						defer func() { got.set(c, what) }()
						what = c.run()
						checkRefusal(c, what)
					})
				})
			}
		}
	}
	running.Wait()
	for i, h := range houses {
		for _, v := range h.provider.Violations() {
			t.Errorf("the provider of %s complains: %+v", columns[i].title, v)
		}
		if log := h.log.String(); strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("%s: the log has errors: %.2000s", columns[i].title, log)
		}
	}
	if !t.Failed() {
		checkDocument(t, got.all, probes)
	}
}
