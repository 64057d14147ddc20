package h1

import (
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// newProxied returns the net/http transport for hosts behind a proxy: rare enough not to be worth code of our own.
func (t *Transport) newProxied() *http.Transport {
	return &http.Transport{
		Proxy:                  t.Proxy,
		DialContext:            t.DialContext,
		TLSClientConfig:        t.tls.Clone(),
		TLSHandshakeTimeout:    t.TLSTimeout,
		IdleConnTimeout:        t.IdleTimeout,
		MaxIdleConnsPerHost:    t.MaxIdlePerHost,
		MaxResponseHeaderBytes: int64(t.MaxHeaderBytes),
		DisableCompression:     true,
	}
}

// roundTripProxied counts a request as sent once it had a connection: net/http does not tell more precisely.
func (t *Transport) roundTripProxied(req *http.Request) (*http.Response, error) {
	var sent atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
	out := req.Clone(ctx)
	if out.Header == nil {
		out.Header = make(http.Header)
	}
	for name := range out.Header {
		if ours(http.CanonicalHeaderKey(name)) {
			delete(out.Header, name)
		}
	}
	for name, value := range map[string][]string{"Accept-Encoding": {"identity"}, "User-Agent": nil} {
		if _, ok := out.Header[name]; !ok {
			out.Header[name] = value
		}
	}
	resp, err := t.proxied.RoundTrip(out)
	if err != nil {
		return nil, &Error{Sent: sent.Load(), Err: cause(ctx, err)}
	}
	return resp, nil
}
