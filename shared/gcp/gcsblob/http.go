package gcsblob

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
)

// request is one that can be sent more than once.
type request struct {
	method, url string
	header      http.Header
	body        [][]byte // sent one after the other
}

// statusError is an answer that is no success. Of its text only the reason is kept, a single word.
type statusError struct {
	status int
	reason string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the service answered %d %s", e.status, e.reason)
}

// statusOf is the status of an answer that is no success, or 0.
func statusOf(err error) int {
	var e *statusError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// transient reports whether the same request may succeed a moment later.
func transient(err error) bool {
	status := statusOf(err)
	return answerLost(err) || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// answerLost reports whether a request that failed so may have taken effect all the same.
func answerLost(err error) bool {
	var lost *lostError
	return errors.As(err, &lost) || statusOf(err) >= 500
}

// lostError is a request without an answer.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// wrap turns the service's errors into the port's.
func wrap(op, name string, err error) error {
	switch statusOf(err) {
	case http.StatusNotFound:
		err = fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	case http.StatusPreconditionFailed:
		err = fmt.Errorf("%w: %w", blob.ErrExists, err)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", op, name, err)
	}
	return err
}

const maxTries = 5

// retry runs a call that may be repeated until it succeeds or fails for good.
func (b *Bucket) retry(ctx context.Context, call func() error) error {
	for try := 1; ; try++ {
		err := call()
		if err == nil || try == maxTries || !transient(err) || ctx.Err() != nil || pause(ctx, try) != nil {
			return err
		}
	}
}

// pause waits before another try: longer each time, up to 8 s, and never two callers alike.
func pause(ctx context.Context, try int) error {
	longest := min(100*time.Millisecond<<min(try, 10), 8*time.Second)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call sends a request until it is answered, and decodes the answer.
func (b *Bucket) call(ctx context.Context, r request, into any) error {
	return b.retry(ctx, func() error { return b.once(ctx, r, into) })
}

func (b *Bucket) once(ctx context.Context, r request, into any) error {
	answer, err := b.send(ctx, r)
	if err != nil {
		return err
	}
	return decode(answer, into)
}

func decode(answer *http.Response, into any) error {
	defer answer.Body.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return &lostError{fmt.Errorf("read the answer: %w", err)}
	}
	return nil
}

// send sends a request once. Its answer is a success or a 308, which asks for the rest of an upload.
func (b *Bucket) send(ctx context.Context, r request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	idle := time.AfterFunc(b.config.Timeout, func() { cancel(context.DeadlineExceeded) })
	out, err := http.NewRequestWithContext(ctx, r.method, r.url, nil)
	if err != nil {
		cancel(nil)
		return nil, errors.New("bad request URL") // which may hold an upload's secret
	}
	maps.Copy(out.Header, r.header)
	var parts []io.Reader
	for _, part := range r.body {
		parts = append(parts, bytes.NewReader(part))
		out.ContentLength += int64(len(part))
	}
	if out.ContentLength > 0 {
		sent := &outgoing{r: io.MultiReader(parts...)}
		defer sent.Close()
		out.Body = sent
	}
	answer, err := b.config.Client.Do(out)
	idle.Stop()
	if err != nil {
		err = errors.Join(context.Cause(ctx), withoutURL(err))
		cancel(nil)
		return nil, &lostError{err}
	}
	answer.Body = &body{answer.Body, idle, b.config.Timeout, cancel}
	if answer.StatusCode/100 == 2 || answer.StatusCode == http.StatusPermanentRedirect {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, &statusError{answer.StatusCode, reason(answer.Body)}
}

// outgoing is a request's body. The transport may still be reading it when the answer has come; once closed it touches its parts no
// more, and their memory may be used again.
type outgoing struct {
	mu     sync.Mutex
	r      io.Reader
	closed bool
}

func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return o.r.Read(p)
}

func (o *outgoing) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return nil
}

// withoutURL takes the URL out of an error, for it may be that of an upload, whose holder may write.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

var word = regexp.MustCompile(`\A[A-Za-z]{1,40}\z`)

// reason finds the word by which the service says why.
func reason(body io.Reader) string {
	var failure struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(body, 64<<10)).Decode(&failure) // some answers are no JSON
	if e := failure.Error.Errors; len(e) > 0 && word.MatchString(e[0].Reason) {
		return e[0].Reason
	}
	return "(no reason)"
}

// body is an answer's body that fails when nothing comes for too long.
type body struct {
	io.ReadCloser
	idle    *time.Timer
	timeout time.Duration
	cancel  context.CancelCauseFunc
}

func (b *body) Read(p []byte) (int, error) {
	b.idle.Reset(b.timeout)
	defer b.idle.Stop()
	return b.ReadCloser.Read(p)
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.idle.Stop()
	b.cancel(nil)
	return err
}
