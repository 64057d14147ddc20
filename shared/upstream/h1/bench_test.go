package h1_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkRoundTrip is a chat call with a 600-byte prompt and a 400-byte answer. The server's part is in it, and as
// small as can be.
func BenchmarkRoundTrip(b *testing.B) {
	text := "HTTP/1.1 200 OK\r\nDate: Mon, 02 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n" +
		"X-Request-Id: req_0123456789\r\nX-Ratelimit-Remaining-Requests: 4999\r\nServer: mock\r\n" +
		"Content-Length: 400\r\n\r\n" + strings.Repeat("a", 400)
	prompt := bytes.Repeat([]byte("p"), 600)
	s := serve(b, func(p *peer) {
		buf, reply := make([]byte, 4096), []byte(text)
		for seen := []byte(nil); ; {
			n, err := p.Read(buf)
			if err != nil {
				return
			}
			seen = append(seen, buf[:n]...)
			if i := bytes.Index(seen, []byte("\r\n\r\n")); i >= 0 && len(seen) >= i+4+len(prompt) {
				p.Write(reply)
				seen = seen[:0]
			}
		}
	})
	old := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	b.Cleanup(old.CloseIdleConnections)
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
	}{{"h1", newTransport(b)}, {"net-http", old}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer sk-0123456789"}}
			buf := make([]byte, 4096)
			for b.Loop() {
				req, _ := http.NewRequestWithContext(b.Context(), "POST", s.url+"/v1/chat/completions", bytes.NewReader(prompt))
				req.Header = header
				resp, err := c.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.ReadFull(resp.Body, buf[:400])
				if err != nil {
					b.Fatal(n, err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
