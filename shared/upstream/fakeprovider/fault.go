package fakeprovider

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/shared/upstream/fakeprovider/internal/wire"
)

const (
	redirectPath = "/redirected"
	htmlPage     = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><script>alert(1)</script></body></html>\n"
	maxBombBytes = 32 << 20
)

// Whole answers in place of a good one.

// page answers 200 with a text, as if the answer had been generated and lost on the way.
func page(contentType, body string) func(*exchange) {
	return func(x *exchange) {
		x.finishAll()
		x.settle(true)
		x.w.Header().Set("Content-Type", contentType)
		_, _ = x.w.Write([]byte(body))
	}
}

func echoSecret(x *exchange) {
	name, value := x.vendor.credentialOf(x.r)
	x.reject(wire.Refusal{
		Status: http.StatusUnauthorized, Message: "Incorrect API key provided: " + value,
		AlsoHeader: "X-Debug-" + name, AlsoText: value,
	})
}

func redirect(x *exchange) {
	x.reject(wire.Refusal{Status: http.StatusTemporaryRedirect, Message: "Moved.", AlsoHeader: "Location", AlsoText: redirectPath})
}

func badLength(x *exchange) {
	x.finishAll()
	x.settle(false)
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Length", "100000")
	_, _ = x.w.Write([]byte(`{"object":"chat.completion"}`))
}

// bomb is a gzip stream that is a thousandth of what it holds.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, maxBombBytes))
	_ = z.Close()
	return b.Bytes()
})

func gzipBomb(x *exchange) {
	x.finishAll()
	x.settle(true)
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Encoding", "gzip")
	_, _ = x.w.Write(bomb())
}

// Endings of an answer that has begun; silent uses hang before anything was written.

func cut(x *exchange) {
	x.settle(false)
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler) // net/http's way to close the connection
}

func reset(x *exchange) {
	x.settle(false)
	c := http.NewResponseController(x.w)
	_ = c.Flush()
	conn, _, err := c.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func hang(x *exchange) {
	if x.started {
		_ = http.NewResponseController(x.w).Flush()
	}
	select {
	case <-x.r.Context().Done():
	case <-x.p.stop:
	}
	x.abandon()
	panic(http.ErrAbortHandler)
}

func errorEvent(x *exchange) {
	x.settle(false)
	x.send(x.events.Fail())
}

func endCleanly(x *exchange) { x.settle(false) }

// Headers beside a good answer.

func hostileHeaders(h http.Header) {
	for name, value := range map[string]string{
		"Set-Cookie": "session=stolen; Path=/", "Connection": "X-Hop", "X-Hop": "1", "Proxy-Authenticate": "Basic",
		"Www-Authenticate": "Basic", "Location": "http://attacker.invalid/", "Refresh": "0; url=http://attacker.invalid/",
		"X-Litellm-Response-Cost": "-1", "X-Litellm-Call-Id": "forged", "X-Sluice-Cost": "-1", "Llm_provider-Evil": "1",
		"Access-Control-Allow-Origin": "*", "Strict-Transport-Security": "max-age=0", "Alt-Svc": `h3="attacker.invalid:443"`,
		"Content-Security-Policy": "default-src *", "X-Accel-Redirect": "/etc/passwd", "Retry-After": "-1",
		"X-Ratelimit-Remaining-Requests": "<script>", "Server": "fake\tprovider",
	} {
		h.Set(name, value)
	}
}

func hugeHeader(h http.Header) { h.Set("X-Huge", strings.Repeat("x", 2<<20)) }

func manyHeaders(h http.Header) {
	for i := range 10_000 {
		h.Set(fmt.Sprint("X-Many-", i), strconv.Itoa(i))
	}
}
