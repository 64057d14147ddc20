package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// mock is the upstream: every POST is a chat, in the wire format that its route has. A stream has max_tokens chunks with as many
// milliseconds between them as its prompt says after gapMark. GET of a route answers how many chats have come there.
type mock struct {
	chats, messages atomic.Int64
}

const (
	chatRoute     = "/v1/chat/completions"
	messagesRoute = "/v1/messages"

	gapMark       = "gap_ms=" // in a prompt, since no field of one wire format need be in another
	maxMockChunks = 1_000_000
)

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
	came, say := &m.chats, &chatSpeech
	if h.messages {
		came, say = &m.messages, &messagesSpeech
	}
	if h.get {
		n := strconv.FormatInt(came.Load(), 10)
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(n), n)
		return err
	}
	came.Add(1)
	if bytes.Contains(body, []byte(`"stream":true`)) || bytes.Contains(body, []byte(`"stream": true`)) {
		return say.streamTo(c, numberIn(body, `"max_tokens":`), time.Duration(numberIn(body, gapMark))*time.Millisecond)
	}
	_, err := c.Write(say.whole)
	return err
}

// streamTo writes n chunks, each in a write of its own.
func (s *speech) streamTo(c net.Conn, n int, gap time.Duration) error {
	if _, err := c.Write(s.head); err != nil {
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
		if _, err := c.Write(s.chunk); err != nil {
			return err
		}
	}
	_, err := c.Write(s.end)
	return err
}

// numberIn finds the whole number after a key; 0 if there is none.
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
