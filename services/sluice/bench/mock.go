package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// mock is the upstream: every POST is a chat. A stream has max_tokens chunks with seed milliseconds between them. GET answers how
// many chats have come.
type mock struct {
	chats atomic.Int64
}

const (
	answerBytes   = 400
	maxMockChunks = 1_000_000
)

// wholeAnswer is a chat completion of 400 bytes.
var wholeAnswer = func() []byte {
	body := `{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-3.5-turbo",` +
		`"choices":[{"index":0,"message":{"role":"assistant","content":"?"},"logprobs":null,"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":150,"completion_tokens":40,"total_tokens":190},"system_fingerprint":"fp_bench"}`
	body = strings.Replace(body, "?", strings.Repeat("answer ", 40)[:answerBytes-len(body)+1], 1)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}()

var (
	streamHead  = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	streamChunk = inChunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",` +
		`"choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n")
	streamEnd = append(inChunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",`+
		`"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}`+"\n\n"+
		`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-3.5-turbo",`+
		`"choices":[],"usage":{"prompt_tokens":150,"completion_tokens":40,"total_tokens":190}}`+"\n\ndata: [DONE]\n\n"), "0\r\n\r\n"...)
)

func inChunk(s string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(s), s) }

// serve answers until the listener closes.
func (m *mock) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go m.converse(c)
	}
}

// converse serves one connection until the client closes it.
func (m *mock) converse(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 8<<10)
	var body bytes.Buffer
	for {
		h, err := readHead(r)
		if err != nil {
			return
		}
		body.Reset()
		if h.readBody(r, func(b io.Reader) error { _, err := body.ReadFrom(b); return err }) != nil {
			return
		}
		if m.answer(c, h, body.Bytes()) != nil || h.closed {
			return
		}
	}
}

func (m *mock) answer(c net.Conn, h head, body []byte) error {
	if h.get {
		n := strconv.FormatInt(m.chats.Load(), 10)
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(n), n)
		return err
	}
	m.chats.Add(1)
	if bytes.Contains(body, []byte(`"stream":true`)) || bytes.Contains(body, []byte(`"stream": true`)) {
		return streamTo(c, numberIn(body, `"max_tokens":`), time.Duration(numberIn(body, `"seed":`))*time.Millisecond)
	}
	_, err := c.Write(wholeAnswer)
	return err
}

// streamTo writes n chunks, each in a write of its own.
func streamTo(c net.Conn, n int, gap time.Duration) error {
	if _, err := c.Write(streamHead); err != nil {
		return err
	}
	var tick <-chan time.Time
	if gap > 0 {
		t := time.NewTicker(gap)
		defer t.Stop()
		tick = t.C
	}
	for i := range min(n, maxMockChunks) {
		if i > 0 && tick != nil {
			<-tick
		}
		if _, err := c.Write(streamChunk); err != nil {
			return err
		}
	}
	_, err := c.Write(streamEnd)
	return err
}

// numberIn finds the whole number after a JSON key; 0 if there is none.
func numberIn(body []byte, key string) int {
	_, rest, _ := bytes.Cut(body, []byte(key))
	rest = bytes.TrimLeft(rest, " ")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(string(rest[:end]))
	return n
}
