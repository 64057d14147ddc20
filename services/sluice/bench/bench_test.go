package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play the parts that the program plays, and the one of a gateway.
func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == roleArg && os.Args[2] == "gateway" {
		fmt.Fprintln(os.Stderr, gatewayRole(os.Args[3], os.Args[4]))
		os.Exit(1)
	}
	if len(os.Args) > 2 && os.Args[1] == roleArg {
		if err := runRole(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var quick = effort{
	turns: 2, warm: 20 * time.Millisecond, closed: 50 * time.Millisecond, open: 100 * time.Millisecond,
	concurrency: 4, perSecond: 100, firstTokens: 3, slowStreams: 5, paced: 2, pacedChunks: 5, unpacedChunks: 20, starts: 2,
}

// gatewayRole passes chats on, and translates as little as the load needs: the route, and how streams end.
func gatewayRole(addr, upstream string) error {
	u, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			body, _ := io.ReadAll(r.In.Body)
			r.Out.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte(translatedModel)) {
				r.Out.URL.Path = messagesRoute
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Path == messagesRoute && r.ContentLength < 0 {
				r.Body = io.NopCloser(io.MultiReader(r.Body, strings.NewReader("data: [DONE]\n\n")))
			}
			return nil
		},
	}
	return http.ListenAndServe(addr, p)
}

// The whole course, with a stand-in for sluice.
func TestRounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mock, err := startMock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer mock.stop()
	standIn := target{
		name: "sluice", bin: os.Args[0], translates: true,
		args: func(s site) []string { return []string{roleArg, "gateway", s.addr, "http://" + s.mock} },
		key:  func(context.Context, string, string) (string, error) { return "sk-key", nil },
	}
	rounds, err := runRounds(t.Context(), 2, quick, []target{standIn}, dir, mock)
	if err != nil || len(rounds) != 2 {
		t.Fatalf("%d rounds, error %v", len(rounds), err)
	}
	notOfProxy := []string{"limits_x", "cpu_long_us", "translate_x", "kib_per_stream_translated"} // it has no keys, and one model
	for _, m := range metrics {
		for _, name := range []string{"proxy", "sluice"} {
			if _, ok := rounds[1][name][m.name]; ok == (name == "proxy" && slices.Contains(notOfProxy, m.name)) {
				t.Errorf("%s has %s: %t", name, m.name, ok)
			}
		}
	}
	for name, f := range rounds[0] {
		if f["errors"] > 0 {
			t.Errorf("%s: %v requests failed", name, f["errors"])
		}
	}
	var out strings.Builder
	jsonFile := filepath.Join(dir, "out.json")
	if _, err := publish(&out, jsonFile, rounds); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "<= 1.3x") || !strings.Contains(text, "exec to first chat, ms") {
		t.Error(text)
	}
	if data, err := os.ReadFile(jsonFile); err != nil || !strings.Contains(string(data), `"ratio"`) {
		t.Errorf("JSON %.200s, error %v", data, err)
	}
}

func TestProcessThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	broken := target{name: "broken", bin: "/bin/sh", args: func(site) []string { return []string{"-c", "echo it is broken; exit 3"} }}
	p, err := broken.start(t.Context(), t.TempDir(), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if _, err := p.untilChat(t.Context(), "-"); err == nil || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("error %v", err)
	}
}

func TestLoadCountsFailures(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	defer srv.Close()
	addr := strings.TrimPrefix(srv.URL, "http://")
	request := chatRequest(addr, "-", chatBody)
	if got := closedLoop(t.Context(), addr, request, 2, time.Second); got.failures == 0 || got.failures != got.requests {
		t.Errorf("closed loop: %d of %d failed", got.failures, got.requests)
	}
	got := openLoop(t.Context(), addr, request, 1000, 2, 20*time.Millisecond)
	if got.requests != 20 || got.failures != 20 || !strings.Contains(fmt.Sprint(got.oneFail), "429") {
		t.Errorf("open loop: %d of %d failed: %v", got.failures, got.requests, got.oneFail)
	}
}

func TestMockSpeaksHTTP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &mock{}
	go func() { _ = m.serve(l) }()
	c := api{base: "http://" + l.Addr().String()}
	var whole struct {
		Choices []struct{ Message struct{ Content string } }
		Usage   struct {
			Total int `json:"total_tokens"`
		}
	}
	for range 2 { // the second time over the same connection, with a chunked body
		body := struct{ *strings.Reader }{strings.NewReader(chatBody)}
		if err := c.call(t.Context(), http.MethodPost, "/v1/chat/completions", "application/json", body, &whole); err != nil {
			t.Fatal(err)
		}
	}
	if whole.Usage.Total != 190 || len(whole.Choices) != 1 || whole.Choices[0].Message.Content == "" {
		t.Errorf("answer %+v", whole)
	}
	if _, body, _ := strings.Cut(string(chatSpeech.whole), "\r\n\r\n"); len(body) != answerBytes {
		t.Errorf("the answer has %d bytes", len(body))
	}
	got := streams(t.Context(), l.Addr().String(), "-", 3, 2, 5, time.Millisecond)
	if events := got.chunks.Load(); got.failures != 0 || events != 3*2*(5+2) || len(got.latencies) != 6 {
		t.Errorf("%d events, %d failures: %v", events, got.failures, got.oneFail)
	}
	if n := m.chats.Load(); n != 8 {
		t.Errorf("the mock counted %d chats", n)
	}
}

func TestStreamWithoutEndFails(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "data: {}\n\n") }))
	defer srv.Close()
	if got := streams(t.Context(), strings.TrimPrefix(srv.URL, "http://"), "-", 1, 1, 1, time.Millisecond); got.failures != 1 {
		t.Errorf("%d failures", got.failures)
	}
}

// A gateway that does batches at once, to test the client side of -batch.
func TestBatch(t *testing.T) {
	t.Parallel()
	const lines = 7
	polls := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/files", func(w http.ResponseWriter, r *http.Request) {
		f, _, err := r.FormFile("file")
		if err != nil || r.FormValue("purpose") != "batch" {
			t.Errorf("purpose %q, error %v", r.FormValue("purpose"), err)
			return
		}
		data, _ := io.ReadAll(f)
		if n := bytes.Count(data, []byte("\n")); n < lines {
			t.Errorf("%d lines were uploaded", n)
		}
		fmt.Fprint(w, `{"id":"file-in"}`)
	})
	mux.HandleFunc("POST /v1/batches", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":"batch_1","status":"validating"}`) })
	mux.HandleFunc("GET /v1/batches/batch_1", func(w http.ResponseWriter, _ *http.Request) {
		polls++
		state := map[bool]string{true: "completed", false: "in_progress"}[polls > 1]
		fmt.Fprintf(w, `{"id":"batch_1","status":%q,"output_file_id":"file-out","request_counts":{"completed":%d}}`, state, lines)
	})
	mux.HandleFunc("GET /v1/files/file-out/content", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat(`{"response":{"status_code":200}}`+"\n", lines))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	m := &measurement{target: target{name: "gw"}, keys: map[string]string{"gw": "k"}, p: &process{addr: strings.TrimPrefix(srv.URL, "http://"), pid: os.Getpid()}}
	r, err := m.batch(t.Context(), lines)
	if err != nil || r.Lines != lines || r.Seconds <= 0 {
		t.Errorf("report %+v, error %v", r, err)
	}
	if _, err := m.batch(t.Context(), lines+1); err == nil {
		t.Error("a missing line was not noticed")
	}
}
