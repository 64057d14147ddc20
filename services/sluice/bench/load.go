package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	ioTimeout   = 20 * time.Second
	maxRequests = 5_000_000 // of one measurement
)

// conn is one keep-alive connection of a client.
type conn struct {
	net.Conn
	r *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, ioTimeout)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 4<<10)}, nil
}

// chat sends a request and reads its answer; anything but a whole 200 is an error.
func (c *conn) chat(request []byte) error {
	h, err := c.send(request)
	if err != nil {
		return err
	}
	if err := h.readBody(c.r, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }); err != nil {
		return err
	}
	if h.status != 200 {
		return fmt.Errorf("status %d", h.status)
	}
	return nil
}

func (c *conn) send(request []byte) (head, error) {
	if err := c.SetDeadline(time.Now().Add(ioTimeout)); err != nil {
		return head{}, err
	}
	if _, err := c.Write(request); err != nil {
		return head{}, err
	}
	return readHead(c.r)
}

// tally is what a load saw. Its fields are safe to read once the load is over.
type tally struct {
	mu        sync.Mutex
	requests  int
	failures  int
	oneFail   error           // an example
	latencies []time.Duration // of the good ones
}

func (t *tally) add(d time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
	if err != nil {
		t.failures++
		if t.oneFail == nil {
			t.oneFail = err
		}
		return
	}
	t.latencies = append(t.latencies, d)
}

// mention prints what failed, if anything did.
func (t *tally) mention(name string) {
	if t.failures > 0 {
		fmt.Printf("NOTE: %s: %d of %d requests failed, one with: %v\n", name, t.failures, t.requests, t.oneFail)
	}
}

// worker sends requests over one connection, opening another after a failure.
type worker struct {
	addr    string
	request []byte
	c       *conn
}

func (w *worker) once() error {
	if w.c == nil {
		c, err := dial(w.addr)
		if err != nil {
			return err
		}
		w.c = c
	}
	err := w.c.chat(w.request)
	if err != nil {
		w.close()
	}
	return err
}

func (w *worker) close() {
	if w.c != nil {
		_ = w.c.Close()
		w.c = nil
	}
}

// closedLoop keeps n requests going at once for a while. Without latencies it costs less, so it keeps none.
func closedLoop(ctx context.Context, addr string, request []byte, n int, d time.Duration) *tally {
	t := &tally{}
	end := time.Now().Add(d)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			w := &worker{addr: addr, request: request}
			defer w.close()
			done, failed := 0, 0
			var last error
			for done < maxRequests/n && failed < 100 && ctx.Err() == nil && time.Now().Before(end) {
				done++
				if err := w.once(); err != nil {
					failed++
					last = err
				}
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			t.requests, t.failures = t.requests+done, t.failures+failed
			if t.oneFail == nil {
				t.oneFail = last
			}
		})
	}
	all.Wait()
	return t
}

// openLoop starts requests at a fixed rate, however long they take, over at most n connections. Latency counts from when a request
// was due, or from when the timer woke us if that was later but nobody was waiting.
func openLoop(ctx context.Context, addr string, request []byte, perSecond, n int, d time.Duration) *tally {
	t := &tally{}
	total := min(maxRequests, int(d.Seconds()*float64(perSecond)))
	due := make(chan time.Time, total)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			w := &worker{addr: addr, request: request}
			defer w.close()
			for at := range due {
				err := w.once()
				t.add(time.Since(at), err)
			}
		})
	}
	pace(ctx, total, time.Second/time.Duration(perSecond), func() { due <- time.Now() })
	close(due)
	all.Wait()
	return t
}

// pace calls do n times, gap apart; what is late is made up for at once.
func pace(ctx context.Context, n int, gap time.Duration, do func()) {
	start := time.Now()
	for i := range n {
		timer := time.NewTimer(time.Until(start.Add(time.Duration(i) * gap)))
		select {
		case <-timer.C:
			do()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// percentile is the value below which p of the sorted durations lie; 0 for none.
func percentile(ds []time.Duration, p float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(ds))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
