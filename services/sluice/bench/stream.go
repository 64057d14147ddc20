package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// streamBody asks the mock, behind a model, for a stream of n chunks.
func streamBody(behind string, n int, gap time.Duration) string {
	return fmt.Sprintf(`{"model":%q,"stream":true,"stream_options":{"include_usage":true},"max_tokens":%d,`+
		`"messages":[{"role":"user","content":"%s %s%d"}]}`, behind, n, prompt, gapMark, gap.Milliseconds())
}

// stream sends a request, calls event for each event before [DONE], and fails unless [DONE] comes.
func (c *conn) stream(request []byte, event func()) error {
	h, err := c.send(request)
	if err != nil {
		return err
	}
	done := false
	err = h.readBody(c.r, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			switch line := lines.Bytes(); {
			case bytes.HasPrefix(line, []byte("data: {")):
				if err := c.SetDeadline(time.Now().Add(ioTimeout)); err != nil {
					return err
				}
				event()
			case bytes.Equal(line, []byte("data: [DONE]")):
				done = true
			}
		}
		return lines.Err()
	})
	if err == nil && (h.status != 200 || !done) {
		err = fmt.Errorf("status %d, whole stream %t", h.status, done)
	}
	return err
}

// streamTally is what streams brought.
type streamTally struct {
	tally
	chunks atomic.Int64
	took   time.Duration
}

// streams runs n streams at a time, times over, each n-th of the gap after the one before, so that every chunk is its own wake-up.
func streams(ctx context.Context, addr, key string, n, times, chunks int, gap time.Duration) *streamTally {
	t := &streamTally{}
	request := chatRequest(addr, key, streamBody(model, chunks, gap))
	start := time.Now()
	var all sync.WaitGroup
	pace(ctx, n, gap/time.Duration(n), func() {
		all.Go(func() {
			c := &streamer{addr: addr, request: request}
			defer c.close()
			for done := 0; done < times && ctx.Err() == nil; done++ {
				t.add(c.once(&t.chunks))
			}
		})
	})
	all.Wait()
	t.took = time.Since(start)
	return t
}

// streamer reads streams over one connection, opening another after a failure.
type streamer struct {
	addr    string
	request []byte
	c       *conn
}

// once reads one stream, counts its events and returns the time to the first.
func (s *streamer) once(events *atomic.Int64) (first time.Duration, err error) {
	if s.c == nil {
		if s.c, err = dial(s.addr); err != nil {
			s.c = nil
			return 0, err
		}
	}
	start := time.Now()
	err = s.c.stream(s.request, func() {
		if first == 0 {
			first = time.Since(start)
		}
		events.Add(1)
	})
	if err != nil {
		s.close()
	}
	return first, err
}

func (s *streamer) close() {
	if s.c != nil {
		_ = s.c.Close()
		s.c = nil
	}
}

// beforeFirst is a pause before each of the firstTokens. Caches and clocks of a core cool down within milliseconds. Without a pause a
// gateway that makes a call durable before its last event is measured cold, and one that forgets it warm.
const beforeFirst = 20 * time.Millisecond

// firstTokens reads short streams one after the other over one connection; the latencies are times to the first event.
func firstTokens(ctx context.Context, addr, key string, n int) *streamTally {
	t := &streamTally{}
	s := &streamer{addr: addr, request: chatRequest(addr, key, streamBody(model, 3, 5*time.Millisecond))}
	defer s.close()
	for i := 0; i < n && ctx.Err() == nil; i++ {
		time.Sleep(beforeFirst)
		t.add(s.once(&t.chunks))
	}
	return t
}

// openStreams opens n slow streams of a model, waits until each has brought a chunk, and returns how to close them.
func openStreams(ctx context.Context, addr, key, behind string, n int) (closeAll func(), err error) {
	const slow = 500 * time.Millisecond // between chunks
	request := chatRequest(addr, key, streamBody(behind, 1000, slow))
	var conns []*conn
	var readers sync.WaitGroup
	closeAll = func() {
		for _, c := range conns {
			_ = c.Close()
		}
		readers.Wait()
	}
	opened := make(chan error, n)
	for range n {
		c, err := dial(addr)
		if err != nil {
			return closeAll, err
		}
		conns = append(conns, c)
		readers.Go(func() {
			once := sync.OnceFunc(func() { opened <- nil })
			if err := c.stream(request, once); err != nil {
				select {
				case opened <- err: // after the first event nobody reads this
				default:
				}
			}
		})
	}
	limit := time.NewTimer(ioTimeout)
	defer limit.Stop()
	for range n {
		select {
		case err := <-opened:
			if err != nil {
				return closeAll, err
			}
		case <-limit.C:
			return closeAll, fmt.Errorf("not all of %d streams opened in %v", n, ioTimeout)
		case <-ctx.Done():
			return closeAll, ctx.Err()
		}
	}
	return closeAll, nil
}
