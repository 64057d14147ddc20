package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/gateway"
)

const (
	callTimeout     = 30 * time.Second // for a small JSON call
	transferTimeout = time.Hour        // for a file, either way
	maxAnswerBytes  = 64 << 20         // of a JSON answer
	maxErrorBytes   = 1 << 20          // of an error answer
	maxRetries      = 6                // with growing pauses: about four minutes
)

// client is one gateway and the key to call it with.
type client struct {
	base  string // without trailing slash and without /v1
	key   gateway.Secret
	http  *http.Client
	pause time.Duration
}

// client resolves flags and environment. A key that belongs to the gateway on this machine is not sent to another one.
func (a *app) client() (*client, error) {
	base := first(a.url, a.Getenv("SLUICE_URL"), DefaultURL)
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("--url must look like " + DefaultURL)
	}
	key := first(a.key, a.Getenv("SLUICE_API_KEY"), a.Getenv("SLUICE_MASTER_KEY"), a.Getenv("LITELLM_MASTER_KEY"))
	if key == "" && isLoopback(u.Hostname()) {
		local, _ := a.DefaultKey()
		key = local.Reveal()
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	return &client{
		base: u.Scheme + "://" + u.Host + path, key: gateway.Secret(strings.TrimSpace(key)), http: a.HTTP, pause: a.Pause,
	}, nil
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// request is one HTTP call. size is the body's length, or -1 when it is not known.
type request struct {
	method, path string
	body         io.Reader
	contentType  string
	size         int64
}

// do sends r. The answer is a success, its body open; everything else is an error: an apiError, an unreachable, or the
// context's own.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, r.body)
	if err != nil {
		return nil, errors.New("the gateway's address is not valid")
	}
	if r.body != nil {
		req.Header.Set("Content-Type", r.contentType)
		req.ContentLength = r.size
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	return nil, c.refused(resp.StatusCode, body)
}

// call sends in as JSON, unless it is nil, and decodes the answer into out.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	deadline, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r := request{method: method, path: path, contentType: "application/json"}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.body, r.size = bytes.NewReader(body), int64(len(body))
	}
	resp, err := c.do(deadline, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.decode(ctx, resp.Body, out)
}

func (c *client) decode(ctx context.Context, r io.Reader, out any) error {
	body, err := io.ReadAll(io.LimitReader(r, maxAnswerBytes))
	if err != nil {
		return c.lost(ctx, err)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("what %s answers is not what a gateway says: is --url right?", c.base)
	}
	return nil
}

// apiError is a refusal by the gateway, in its own words.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

// refused reads OpenAI's error envelope, and makes do without one.
func (c *client) refused(status int, body []byte) error {
	var envelope struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	e := &apiError{status: status}
	if err := json.Unmarshal(body, &envelope); err == nil && envelope.Error.Message != "" {
		e.message = envelope.Error.Message
	} else {
		e.message = strings.TrimSpace(fmt.Sprintf("%s answered %d %s", c.base, status, http.StatusText(status)))
	}
	if status == http.StatusUnauthorized && c.key == "" {
		e.message += "\nname a key with --key or SLUICE_API_KEY"
	}
	return e
}

// unreachable says that the gateway did not answer, or not to the end.
type unreachable struct {
	base string
	err  error
}

func (u *unreachable) Error() string {
	return fmt.Sprintf("cannot reach %s: %s\nis `sluice serve` running? --url or SLUICE_URL names another gateway", u.base, u.err)
}

func (u *unreachable) Unwrap() error { return u.err }

// lost tells an interrupt by the user from a gateway that is away. ctx is the user's context.
func (c *client) lost(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // without the address, which is said already and may hold a query
	}
	return &unreachable{c.base, err}
}

// transient reports whether the same call may succeed later.
func transient(err error) bool {
	var away *unreachable
	var refusal *apiError
	return errors.As(err, &away) ||
		errors.As(err, &refusal) && (refusal.status >= 500 || refusal.status == http.StatusTooManyRequests)
}

// retry repeats try, with growing pauses, while it fails in a way that may pass.
func (c *client) retry(ctx context.Context, try func() error) error {
	for fails := 0; ; fails++ {
		err := try()
		if err == nil || fails == maxRetries || !transient(err) {
			return err
		}
		if err := sleep(ctx, c.pause<<fails); err != nil {
			return err
		}
	}
}

// sleep waits for d, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
