package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
)

// The least of HTTP/1.1 that the load and the mock need, so that they take little of the core they share.

var errHead = errors.New("bad HTTP head")

// head is the start line and the framing of a message.
type head struct {
	status   int  // of a response
	get      bool // of a request
	messages bool // of a request: it is for Anthropic's route
	length   int64
	chunked  bool
	closed   bool // the connection ends after this message
}

// readHead reads up to the empty line.
func readHead(r *bufio.Reader) (head, error) {
	var h head
	line, err := r.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	h.get, h.messages = bytes.HasPrefix(line, []byte("GET ")), bytes.Contains(line, []byte(" "+messagesRoute+" "))
	if bytes.HasPrefix(line, []byte("HTTP/1.1 ")) && len(line) > 12 {
		h.status, _ = strconv.Atoi(string(line[9:12]))
	}
	for {
		line, err = r.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		if len(line) <= 2 {
			return h, nil
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			return h, errHead
		}
		h.field(name, bytes.TrimSpace(value))
	}
}

// field takes one header, if it is about framing.
func (h *head) field(name, value []byte) {
	switch {
	case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
		h.length, _ = strconv.ParseInt(string(value), 10, 64)
	case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case len(name) == 10 && bytes.EqualFold(name, []byte("Connection")):
		h.closed = bytes.EqualFold(value, []byte("close"))
	}
}

// readBody hands the body to take as a reader and leaves r at the next message.
func (h head) readBody(r *bufio.Reader, take func(io.Reader) error) error {
	if !h.chunked {
		body := io.LimitReader(r, h.length)
		if err := take(body); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, body)
		return err
	}
	body := httputil.NewChunkedReader(r)
	if err := take(body); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	for { // trailers, of which we want only the end
		line, err := r.ReadSlice('\n')
		if err != nil || len(line) <= 2 {
			return err
		}
	}
}

// chatRequest makes the bytes of a chat call.
func chatRequest(addr, key, body string) []byte {
	return fmt.Appendf(nil, "POST "+chatRoute+" HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", addr, key, len(body), body)
}
