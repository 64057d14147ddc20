package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

// roleArg as first argument makes this program play a part instead of measuring: role mock ADDR, role proxy ADDR UPSTREAM, or role pubsub ADDR.
const roleArg = "role"

func runRole(args []string) error {
	roles := map[string]func(l net.Listener, rest []string) error{"mock": mockRole, "proxy": proxyRole, "pubsub": pubsubRole}
	role := roles[args[0]]
	if role == nil || len(args) < 2 {
		return fmt.Errorf("no such role: %v", args)
	}
	l, err := net.Listen("tcp", args[1])
	if err != nil {
		return err
	}
	go func() { // the parent holds our standard input open: when it dies, so do we
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
		os.Exit(0)
	}()
	return role(l, args[2:])
}

func mockRole(l net.Listener, _ []string) error { return new(mock).serve(l) }

// proxyRole is what everything is compared with: Go's own reverse proxy with a sufficient pool and nothing else.
func proxyRole(l net.Listener, rest []string) error {
	if len(rest) != 1 {
		return fmt.Errorf("role proxy needs an upstream")
	}
	upstream, err := url.Parse(rest[0])
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 256
	p := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(upstream)
		if r.Out.Body != nil {
			r.Out.Body = &counted{r.Out.Body, r.Out.ContentLength}
		}
	}}
	return (&http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// counted is a request body that knows its end. The transport looks for it after the last byte, and if the answer comes at once the
// server has closed the body by then, which would end the answer, too: one in a thousand of streams was lost so.
type counted struct {
	io.ReadCloser
	left int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.ReadCloser.Read(p)
	c.left -= int64(n)
	return n, err
}
