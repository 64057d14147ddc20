package oidc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxSeen bounds the memory of tokens. One subscription uses one token for up to an hour, so it is ample.
const maxSeen = 64

// seen remembers accepted tokens until they expire, by the digest of the whole token.
type seen struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]time.Time // expiry
}

func newSeen() *seen { return &seen{tokens: make(map[[sha256.Size]byte]time.Time)} }

func (s *seen) has(token string, now time.Time) bool {
	digest := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.tokens[digest])
}

func (s *seen) add(token string, expires, now time.Time) {
	digest := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= maxSeen {
		for d, at := range s.tokens {
			if !now.Before(at) {
				delete(s.tokens, d)
			}
		}
	}
	if len(s.tokens) >= maxSeen {
		clear(s.tokens) // they are genuine, and cheap to verify again
	}
	s.tokens[digest] = expires
}

const (
	keysHold    = time.Minute     // least age at which keys are fetched again
	failureHold = 5 * time.Second // the same after a failure
	fetchWithin = 10 * time.Second
	maxKeys     = 1 << 20 // bytes
)

// calm is a transport for Google's public keys. The validator fetches them for every token while it has none, and again
// as soon as the answer's max-age allows; calm sees to it that no flood of tokens becomes a flood of fetches.
type calm struct {
	next http.RoundTripper

	mu     chan struct{} // of one; waits with a context
	answer *http.Response
	body   []byte
	err    error
	until  time.Time
}

func newCalm(next http.RoundTripper) *calm {
	if next == nil {
		next = http.DefaultTransport
	}
	return &calm{next: next, mu: make(chan struct{}, 1)}
}

// RoundTrip answers from memory while that is fresh. One caller fetches, the others wait for it. There is one URL.
func (c *calm) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case c.mu <- struct{}{}:
		defer func() { <-c.mu }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if !time.Now().Before(c.until) {
		c.fetch(r)
	}
	if c.err != nil {
		return nil, c.err
	}
	answer := *c.answer
	answer.Body, answer.Request = io.NopCloser(bytes.NewReader(c.body)), r
	return &answer, nil
}

// fetch asks once, and goes on when the push that caused it is gone: the next ones need the answer too.
func (c *calm) fetch(r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), fetchWithin)
	defer cancel()
	c.answer, c.body, c.err = load(c.next, r.WithContext(ctx))
	hold := keysHold
	if c.err != nil {
		hold = failureHold
	}
	c.until = time.Now().Add(hold)
}

func load(via http.RoundTripper, r *http.Request) (*http.Response, []byte, error) {
	answer, err := via.RoundTrip(r)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch Google's keys: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("fetch Google's keys: %w", err)
	case answer.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("fetch Google's keys: status %d", answer.StatusCode)
	case len(body) > maxKeys:
		return nil, nil, errors.New("fetch Google's keys: answer too large")
	}
	return answer, body, nil
}
